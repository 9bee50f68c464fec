//! The deploy keys of GitLab projects: listed once per process, and kept up to date by our own changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::backends::gitlab::{DeployKey, Error, GitLab, NewDeployKey};

/// The deploy keys of one project, sorted by number.
pub(super) type KeyList = Arc<Vec<DeployKey>>;

/// The list of one project, if it is known. Locked while GitLab is asked, so that concurrent callers
/// share one call.
type Slot = Arc<tokio::sync::Mutex<Option<KeyList>>>;

/// The deploy keys of all projects that this process has read.
///
/// All changes of deploy keys go through here.
#[derive(Debug)]
pub(super) struct KeyLists {
    gitlab: GitLab,
    by_project: Mutex<HashMap<u64, Slot>>,
}

impl KeyLists {
    pub(super) fn new(gitlab: GitLab) -> Self {
        Self {
            gitlab,
            by_project: Mutex::default(),
        }
    }

    fn slot(&self, project: u64) -> Slot {
        let mut by_project = self
            .by_project
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(by_project.entry(project).or_default())
    }

    /// Returns the keys of a project.
    pub(super) async fn list(&self, project: u64) -> Result<KeyList, Error> {
        let slot = self.slot(project);
        let mut slot = slot.lock().await;
        if let Some(list) = &*slot {
            return Ok(Arc::clone(list));
        }
        let mut list = self.gitlab.deploy_keys(project).await?;
        list.sort_unstable_by_key(|key| key.id);
        let list = Arc::new(list);
        *slot = Some(Arc::clone(&list));
        Ok(list)
    }

    /// Drops the list of a project, which turned out to be stale.
    pub(super) async fn forget(&self, project: u64) {
        *self.slot(project).lock().await = None;
    }

    /// Notes that a project was just created and has no keys.
    pub(super) async fn note_new(&self, project: u64) {
        *self.slot(project).lock().await = Some(Arc::default());
    }

    /// Adds a key to a project. A key of this text that another project has is linked.
    pub(super) async fn add(&self, project: u64, new: &NewDeployKey) -> Result<DeployKey, Error> {
        let key = self.gitlab.create_deploy_key(project, new).await?;
        self.insert(project, key.clone()).await;
        Ok(key)
    }

    /// Enables the key of another project on a project, without the right to push.
    pub(super) async fn enable(&self, project: u64, id: u64) -> Result<(), Error> {
        let key = self.gitlab.enable_deploy_key(project, id).await?;
        self.insert(project, key).await;
        Ok(())
    }

    /// Sets whether a key may push to a project.
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
        self.insert(project, key).await;
        Ok(())
    }

    /// Changes the title of a key in every project that uses it.
    pub(super) async fn rename(&self, project: u64, id: u64, title: &str) -> Result<(), Error> {
        let renamed = self.gitlab.rename_deploy_key(project, id, title).await?;
        let slots: Vec<Slot> = {
            let by_project = self
                .by_project
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            by_project.values().map(Arc::clone).collect()
        };
        for slot in slots {
            let mut slot = slot.lock().await;
            let list = slot.as_mut().map(Arc::make_mut);
            let key = list.and_then(|list| list.iter_mut().find(|key| key.id == id));
            if let Some(key) = key {
                key.title.clone_from(&renamed.title);
            }
        }
        Ok(())
    }

    /// Removes a key from a project; succeeds if it is gone already.
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

    /// Inserts or replaces a key in the list of a project, if that is known.
    async fn insert(&self, project: u64, key: DeployKey) {
        if let Some(list) = &mut *self.slot(project).lock().await {
            let list = Arc::make_mut(list);
            match list.binary_search_by_key(&key.id, |listed| listed.id) {
                Ok(position) => {
                    if let Some(listed) = list.get_mut(position) {
                        *listed = key;
                    }
                }
                Err(position) => list.insert(position, key),
            }
        }
    }
}
