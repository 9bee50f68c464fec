//! One distribution of the keys of a product.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use nautes_model::deploy_key::{DeployKey, enabled_keys};
use nautes_model::vault::{DEPLOY_KEY, SecretPath};
use nautes_model::{ProductId, RepositoryId};

use super::difference::{LinkChange, Lists, Step, difference, may_push, own_keys};
use crate::backends::gitlab::{self, Kind};
use crate::backends::vault::Vault;
use crate::config_repo::Repositories;
use crate::credentials::error::Error;
use crate::credentials::in_hand::InHand;
use crate::credentials::key_lists::KeyLists;
use crate::credentials::vault_entry::{number, read};

/// How many calls are under way at the same time.
const AT_ONCE: usize = 8;

type Target = BTreeMap<RepositoryId, BTreeSet<DeployKey>>;

/// Something that could not be done on a repository.
#[derive(Debug, Clone)]
pub struct LinkFailure {
    /// The repository.
    pub on: RepositoryId,
    /// What was attempted: `enable the deploy key repo-7-readonly (31) on repo-9`.
    pub attempt: String,
    /// Why it failed.
    pub source: Arc<gitlab::Error>,
}

/// What distributions of a product's keys work with.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) product: ProductId,
    pub(super) config_project: u64,
    pub(super) repositories: Arc<Repositories>,
    pub(super) keys: Arc<KeyLists>,
    pub(super) in_hand: Arc<InHand>,
    pub(super) vault: Vault,
}

/// What came of one pass.
#[derive(Debug, Default)]
struct Pass {
    failures: Vec<LinkFailure>,
    /// Something was not as it was known; what is known now may be enough.
    was_surprised: bool,
}

impl Run {
    /// Makes all changes that are needed now, and lists those that could not be made.
    pub(super) async fn run(&self) -> Result<Vec<LinkFailure>, Error> {
        // Not held longer, so that the distribution does not count as a request that may yet
        // change a manifest.
        let snapshot = {
            let repository = self.repositories.open(self.product, self.config_project);
            let snapshot = repository.fresh_snapshot().await;
            snapshot.map_err(Error::Configuration)?
        };
        let target = enabled_keys(snapshot.tree());
        let mut pass = self.pass(&target).await;
        if pass.was_surprised {
            pass = self.pass(&target).await;
        }
        for failure in &pass.failures {
            tracing::warn!(error = %failure.source, "could not {}", failure.attempt);
        }
        Ok(pass.failures)
    }

    async fn pass(&self, target: &Target) -> Pass {
        let mut pass = Pass::default();
        let lists = self.lists(target, &mut pass).await;
        let own = self.settled_keys(&lists).await;
        let changes = difference(target, &own, &lists);
        let failed = stream::iter(changes)
            .map(|change| async move { Some((self.make(&change).await.err()?, change)) })
            .buffer_unordered(AT_ONCE);
        let failed: Vec<_> = failed.collect().await;
        for (error, change) in failed.into_iter().flatten() {
            if is_surprise(&error) {
                pass.was_surprised = true;
                self.keys.forget(change.on.number()).await;
                self.keys.forget(change.key.owner.number()).await;
            }
            pass.failures.push(LinkFailure {
                on: change.on,
                attempt: change.to_string(),
                source: Arc::new(error),
            });
        }
        pass
    }

    /// The keys of all repositories; one that cannot be read is left out.
    async fn lists(&self, target: &Target, pass: &mut Pass) -> Lists {
        let mut listed = stream::iter(target.keys().copied())
            .map(
                |repository| async move { (repository, self.keys.list(repository.number()).await) },
            )
            .buffer_unordered(AT_ONCE);
        let mut lists = Lists::new();
        while let Some((on, list)) = listed.next().await {
            match list {
                Ok(list) => {
                    lists.insert(on, list);
                }
                Err(error) => pass.failures.push(LinkFailure {
                    on,
                    attempt: format!("list the deploy keys of {on}"),
                    source: Arc::new(error),
                }),
            }
        }
        lists
    }

    /// GitLab's numbers of the keys that repositories have. Of several with one title it is the one
    /// that Vault names; a repository whose keys are being made has none that is settled.
    async fn settled_keys(&self, lists: &Lists) -> BTreeMap<DeployKey, u64> {
        let mut settled = BTreeMap::new();
        for (key, ids) in own_keys(lists) {
            let id = match *ids {
                [id] => Some(id),
                // Asked after the lists were read: who was done by then had written to Vault.
                _ if self.in_hand.contains(key.owner) => None,
                _ => self.named_by_vault(key).await,
            };
            if let Some(id) = id.filter(|id| ids.contains(id)) {
                settled.insert(key, id);
            }
        }
        settled
    }

    async fn named_by_vault(&self, key: DeployKey) -> Option<u64> {
        let path = SecretPath::of_repository(key.owner, key.permissions.into());
        match read(&self.vault, &path).await {
            Ok(stored) => number(&stored?, DEPLOY_KEY),
            Err(error) => {
                tracing::warn!(%error, "{key} is left as it is");
                None
            }
        }
    }

    async fn make(&self, change: &LinkChange) -> Result<(), gitlab::Error> {
        let LinkChange { on, key, id, step } = *change;
        let project = on.number();
        match step {
            Step::Enable => {
                self.keys.enable(project, id).await?;
                if may_push(key) {
                    self.keys.set_can_push(project, id, true).await?;
                }
                Ok(())
            }
            Step::AllowPush => self.keys.set_can_push(project, id, true).await,
            Step::ForbidPush => self.keys.set_can_push(project, id, false).await,
            Step::Remove => self.keys.remove(project, id).await,
        }
    }
}

/// Whether a failure shows that something is not as it was known.
fn is_surprise(error: &gitlab::Error) -> bool {
    error.may_have_happened() || matches!(error.kind(), Kind::NotFound | Kind::Taken | Kind::Locked)
}
