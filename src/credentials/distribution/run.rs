//! One distribution of deploy keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use nautes_model::deploy_key::{DeployKey, EnabledKeys};
use nautes_model::tree::ManifestTree;
use nautes_model::vault::{DEPLOY_KEY, SecretPath};
use nautes_model::{ProductId, RepositoryId};

use super::difference::{LinkChange, Lists, Step, difference, own_keys, undecided_owners};
use super::failure::{LinkError, LinkFailure};
use super::subscriber::Subscriber;
use crate::backends::gitlab::{Kind, NewDeployKey};
use crate::backends::vault::Vault;
use crate::config_repo::Repositories;
use crate::credentials::error::Error;
use crate::credentials::in_progress::InProgress;
use crate::credentials::key_lists::KeyLists;
use crate::credentials::namespaces::Namespaces;
use crate::credentials::stored_secret::{read_secret, stored_id};

/// How many calls are in flight at the same time.
const CONCURRENCY: usize = 8;

/// What distributions of a product's keys work with.
#[derive(Debug)]
pub(super) struct Distribution {
    pub(super) product: ProductId,
    pub(super) config_project: u64,
    pub(super) repositories: Arc<Repositories>,
    pub(super) keys: Arc<KeyLists>,
    pub(super) in_progress: Arc<InProgress>,
    pub(super) namespaces: Arc<Namespaces>,
    pub(super) vault: Vault,
}

/// The outcome of one pass over the repositories.
#[derive(Debug, Default)]
struct Pass {
    failures: Vec<LinkFailure>,
    /// Whether lists turned out to be stale, and were forgotten.
    had_stale_lists: bool,
}

/// Key lists of repositories, and why others could not be read.
#[derive(Debug, Default)]
struct ListsRead {
    lists: Lists,
    errors: BTreeMap<RepositoryId, LinkError>,
}

impl Distribution {
    /// Enables and removes deploy keys on the repositories that concern the subscribers, and on those
    /// on which an earlier distribution failed. Returns what failed.
    pub(super) async fn run(
        &self,
        subscribers: &[Subscriber],
        unfinished: &BTreeSet<RepositoryId>,
    ) -> Result<Vec<LinkFailure>, Error> {
        let repository = self.repositories.product(self.product, self.config_project);
        let snapshot = repository.fresh_snapshot().await;
        let snapshot = snapshot.map_err(Error::Configuration)?;
        let enabled = snapshot.enabled_keys();
        let mut scope = unfinished.clone();
        scope.extend(
            subscribers
                .iter()
                .flat_map(|subscriber| subscriber.scope(enabled)),
        );
        scope.retain(|repository| enabled.contains_key(repository));
        let unreadable = unreadable_authorisation(snapshot.tree());
        let mut pass = self.pass(enabled, &scope, unreadable.as_ref()).await;
        if pass.had_stale_lists {
            pass = self.pass(enabled, &scope, unreadable.as_ref()).await;
        }
        for failure in &pass.failures {
            tracing::warn!(error = %failure.source, "could not {}", failure.attempt);
        }
        Ok(pass.failures)
    }

    async fn pass(
        &self,
        enabled: &EnabledKeys,
        scope: &BTreeSet<RepositoryId>,
        unreadable: Option<&Arc<str>>,
    ) -> Pass {
        let ListsRead { lists, errors } = self.read_lists(scope).await;
        let undecided: BTreeMap<RepositoryId, BTreeSet<RepositoryId>> = lists
            .iter()
            .filter_map(|(on, list)| Some((*on, undecided_owners(enabled.get(on)?, list))))
            .collect();
        let owners = undecided.values().flatten().copied();
        let other_owners = owners.filter(|owner| !scope.contains(owner)).collect();
        let of_owners = self.read_lists(&other_owners).await;
        let mut pass = Pass::default();
        pass.failures
            .extend(errors.iter().map(|(on, error)| LinkFailure {
                on: *on,
                attempt: format!("list the deploy keys of {on}"),
                source: error.clone(),
            }));
        let unread = errors.into_iter().chain(of_owners.errors).collect();
        pass.failures.extend(unread_owners(&unread, &undecided));

        let mut all_lists = of_owners.lists;
        all_lists.extend(lists.iter().map(|(on, list)| (*on, Arc::clone(list))));
        let own = self.current_keys(&all_lists).await;
        let all_lists = &all_lists;
        let changes = difference(enabled, &own, &lists);
        let changes = keep_access(changes, unreadable, &mut pass);
        let changes = self.within_product(changes, enabled.len(), &mut pass).await;
        let failed = stream::iter(changes)
            .map(
                |change| async move { Some((self.apply(&change, all_lists).await.err()?, change)) },
            )
            .buffer_unordered(CONCURRENCY);
        let failed: Vec<_> = failed.collect().await;
        for (error, change) in failed.into_iter().flatten() {
            if error.suggests_stale_lists() {
                pass.had_stale_lists = true;
                self.keys.forget(change.on.number()).await;
                self.keys.forget(change.key.owner.number()).await;
            }
            pass.failures.push(LinkFailure {
                on: change.on,
                attempt: change.to_string(),
                source: error,
            });
        }
        pass
    }

    /// Returns the changes of projects in the product's group, and records the others as failures.
    async fn within_product(
        &self,
        changes: Vec<LinkChange>,
        size: usize,
        pass: &mut Pass,
    ) -> Vec<LinkChange> {
        let concerned = changes.iter().flat_map(LinkChange::repositories).collect();
        let looked_up = self.namespaces.look_up(&concerned, self.product, size);
        let looked_up = looked_up.await.map_err(LinkError::from);
        let mut within = Vec::new();
        for change in changes {
            let is_in =
                |repository: &RepositoryId| self.namespaces.is_in(*repository, self.product);
            let outside = change.repositories().find(|repository| !is_in(repository));
            let Some(repository) = outside else {
                within.push(change);
                continue;
            };
            let source = looked_up
                .clone()
                .err()
                .unwrap_or(LinkError::OutsideProduct {
                    repository,
                    product: self.product,
                });
            pass.failures.push(LinkFailure {
                on: change.on,
                attempt: change.to_string(),
                source,
            });
        }
        within
    }

    async fn read_lists(&self, repositories: &BTreeSet<RepositoryId>) -> ListsRead {
        let mut listed = stream::iter(repositories.iter().copied())
            .map(
                |repository| async move { (repository, self.keys.list(repository.number()).await) },
            )
            .buffer_unordered(CONCURRENCY);
        let mut read = ListsRead::default();
        while let Some((repository, list)) = listed.next().await {
            match list {
                Ok(list) => drop(read.lists.insert(repository, list)),
                Err(error) => drop(read.errors.insert(repository, error.into())),
            }
        }
        read
    }

    /// Returns GitLab's current number of each own key. Of several with one title that is the one in
    /// Vault. Keys that are being created have none.
    async fn current_keys(&self, lists: &Lists) -> BTreeMap<DeployKey, u64> {
        let mut current = BTreeMap::new();
        for (key, ids) in own_keys(lists) {
            let id = match *ids {
                [id] => Some(id),
                // Checked after the lists were read: what was completed by then is in Vault.
                _ if self.in_progress.contains(key.owner) => None,
                _ => self.id_in_vault(key).await,
            };
            if let Some(id) = id.filter(|id| ids.contains(id)) {
                current.insert(key, id);
            }
        }
        current
    }

    async fn id_in_vault(&self, key: DeployKey) -> Option<u64> {
        let path = SecretPath::for_repository(key.owner, key.permissions.into());
        match read_secret(&self.vault, &path).await {
            Ok(stored) => stored_id(&stored?, DEPLOY_KEY),
            Err(error) => {
                tracing::warn!(%error, "the deploy key {key} stays as it is");
                None
            }
        }
    }

    async fn apply(&self, change: &LinkChange, lists: &Lists) -> Result<(), LinkError> {
        let LinkChange { on, key, id, step } = *change;
        let project = on.number();
        match step {
            Step::Enable if key.may_push() => return self.link(change, lists).await,
            Step::Enable => self.keys.enable(project, id).await?,
            Step::AllowPush => self.keys.set_can_push(project, id, true).await?,
            Step::ForbidPush => self.keys.set_can_push(project, id, false).await?,
            Step::Remove => self.keys.remove(project, id).await?,
        }
        Ok(())
    }

    /// Enables a key with the right to push in one call, by adding its text: GitLab links the existing
    /// key of this text, and creates a new one only if that is gone (`lib/api/deploy_keys.rb`).
    async fn link(&self, change: &LinkChange, lists: &Lists) -> Result<(), LinkError> {
        let LinkChange { on, key, id, .. } = *change;
        let project = on.number();
        let own = lists
            .get(&key.owner)
            .into_iter()
            .flat_map(|list| list.iter());
        let Some(listed) = own.clone().find(|listed| listed.id == id) else {
            return Err(LinkError::Replaced { key });
        };
        let new = NewDeployKey {
            title: key.to_string(),
            key: listed.key.clone(),
            can_push: true,
        };
        match self.keys.add(project, &new).await {
            Ok(linked) if linked.id != id => {
                self.keys.remove(project, linked.id).await?;
                Err(LinkError::Replaced { key })
            }
            Ok(linked) if linked.can_push => Ok(()),
            Ok(_) => Ok(self.keys.set_can_push(project, id, true).await?),
            // GitLab has the key and does not find it by this text.
            Err(error) if *error.kind() == Kind::Taken => {
                self.keys.enable(project, id).await?;
                Ok(self.keys.set_can_push(project, id, true).await?)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns the path of a file that should say which keys are enabled where, and cannot be read.
fn unreadable_authorisation(tree: &ManifestTree) -> Option<Arc<str>> {
    let mut invalid = tree.invalid_files().map(|(path, _)| path);
    let folders = ["code-repos/", "projects/"];
    let found = invalid.find(|path| folders.iter().any(|folder| path.starts_with(folder)))?;
    Some(found.into())
}

/// Returns the changes, without those that take access away if a manifest cannot be read: it may be
/// what grants that access. Records them as failures.
fn keep_access(
    changes: Vec<LinkChange>,
    unreadable: Option<&Arc<str>>,
    pass: &mut Pass,
) -> Vec<LinkChange> {
    let Some(path) = unreadable else {
        return changes;
    };
    let (kept, made): (Vec<_>, Vec<_>) = changes.into_iter().partition(LinkChange::takes_access);
    pass.failures.extend(kept.iter().map(|change| LinkFailure {
        on: change.on,
        attempt: change.to_string(),
        source: LinkError::Unreadable {
            path: Arc::clone(path),
        },
    }));
    made
}

/// Returns failures for repositories that need the list of an owner that could not be read. An owner
/// that is gone has no keys.
fn unread_owners(
    unread: &BTreeMap<RepositoryId, LinkError>,
    undecided: &BTreeMap<RepositoryId, BTreeSet<RepositoryId>>,
) -> Vec<LinkFailure> {
    let mut failures = Vec::new();
    for (on, owners) in undecided {
        for owner in owners {
            let Some(error) = unread.get(owner).filter(|error| !error.is_not_found()) else {
                continue;
            };
            failures.push(LinkFailure {
                on: *on,
                attempt: format!("enable the deploy keys of {owner} on {on}"),
                source: error.clone(),
            });
        }
    }
    failures
}
