//! The deploy keys of projects: listed once per process, and kept true by our own changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::backends::gitlab::{DeployKey, Error, GitLab, NewDeployKey};

/// The deploy keys of one project.
pub(super) type KeyList = Arc<Vec<DeployKey>>;

/// What is known of one project; the lock is held while it is asked for, so that one call serves
/// all who ask.
type Slot = Arc<tokio::sync::Mutex<Option<KeyList>>>;

/// The deploy keys of all projects that this process has come across.
///
/// All changes of deploy keys go through here.
#[derive(Debug)]
pub(super) struct KeyLists {
    gitlab: GitLab,
    known: Mutex<HashMap<u64, Slot>>,
}

impl KeyLists {
    pub(super) fn new(gitlab: GitLab) -> Self {
        Self {
            gitlab,
            known: Mutex::default(),
        }
    }

    fn slot(&self, project: u64) -> Slot {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(project).or_default())
    }

    /// The keys of a project, by number.
    pub(super) async fn list(&self, project: u64) -> Result<KeyList, Error> {
        let slot = self.slot(project);
        let mut known = slot.lock().await;
        if let Some(list) = &*known {
            return Ok(Arc::clone(list));
        }
        let mut list = self.gitlab.deploy_keys(project).await?;
        list.sort_unstable_by_key(|key| key.id);
        let list = Arc::new(list);
        *known = Some(Arc::clone(&list));
        Ok(list)
    }

    /// Forgets the keys of a project, which turned out not to be as they were known.
    pub(super) async fn forget(&self, project: u64) {
        *self.slot(project).lock().await = None;
    }

    /// Notes that a project was made just now, and has no keys.
    pub(super) async fn note_new(&self, project: u64) {
        *self.slot(project).lock().await = Some(Arc::default());
    }

    /// Adds a key to a project.
    pub(super) async fn add(&self, project: u64, new: &NewDeployKey) -> Result<DeployKey, Error> {
        let key = self.gitlab.create_deploy_key(project, new).await?;
        self.note(project, key.clone()).await;
        Ok(key)
    }

    /// Lets a project use the key of another one, without the right to push.
    pub(super) async fn enable(&self, project: u64, id: u64) -> Result<(), Error> {
        let key = self.gitlab.enable_deploy_key(project, id).await?;
        self.note(project, key).await;
        Ok(())
    }

    /// Changes whether a key may push to a project.
    pub(super) async fn set_can_push(
        &self,
        project: u64,
        id: u64,
        can_push: bool,
    ) -> Result<(), Error> {
        let gitlab = &self.gitlab;
        let key = gitlab
            .set_deploy_key_can_push(project, id, can_push)
            .await?;
        self.note(project, key).await;
        Ok(())
    }

    /// Gives a key another title, in every project that uses it.
    pub(super) async fn rename(&self, project: u64, id: u64, title: &str) -> Result<(), Error> {
        let renamed = self.gitlab.rename_deploy_key(project, id, title).await?;
        let slots: Vec<Slot> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.values().map(Arc::clone).collect()
        };
        for slot in slots {
            let mut known = slot.lock().await;
            let list = known.as_mut().map(Arc::make_mut);
            let key = list.and_then(|list| list.iter_mut().find(|key| key.id == id));
            if let Some(key) = key {
                key.title.clone_from(&renamed.title);
            }
        }
        Ok(())
    }

    /// Takes a key from a project; one that is not there any more is taken already.
    pub(super) async fn remove(&self, project: u64, id: u64) -> Result<(), Error> {
        match self.gitlab.delete_deploy_key(project, id).await {
            Err(error) if !error.is_not_found() => return Err(error),
            Ok(()) | Err(_) => {}
        }
        if let Some(list) = &mut *self.slot(project).lock().await {
            Arc::make_mut(list).retain(|key| key.id != id);
        }
        Ok(())
    }

    async fn note(&self, project: u64, key: DeployKey) {
        if let Some(list) = &mut *self.slot(project).lock().await {
            let list = Arc::make_mut(list);
            match list.binary_search_by_key(&key.id, |known| known.id) {
                Ok(at) => {
                    if let Some(known) = list.get_mut(at) {
                        *known = key;
                    }
                }
                Err(at) => list.insert(at, key),
            }
        }
    }
}
