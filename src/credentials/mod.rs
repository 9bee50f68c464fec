//! The credentials of code repositories: two deploy keys and an optional access token each, their
//! secrets and policies in Vault, and the deploy keys of others that are enabled on a repository.
//!
//! ```text
//! Credentials ─┬─ ensure, remove ────────> deploy_key, access_token   one repository: GitLab and Vault
//!              ├─ inspect ───────────────> inspection                 the same, read only, for a refresh
//!              └─ wait_for_distribution ─> distribution               one product: deploy keys of others
//! ```
//!
//! Every verb can be repeated after a failure and brings the credentials to the wanted state, whatever
//! they were. The secret in Vault decides which key or token is the repository's own; others of the
//! same title or name are removed. So GitLab is written first, then Vault, and superseded keys and
//! tokens are removed last.
//!
//! All calls about deploy keys go through `key_lists`.

mod access_token;
mod adoption;
mod deploy_key;
mod distribution;
mod error;
mod in_progress;
mod inspection;
mod key_lists;
mod key_pair;
mod namespaces;
mod operators;
mod owner;
mod policies;
mod removal;
mod stored_secret;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::entity::Permissions;
use nautes_model::vault::{GitSecret, SecretPath};

pub use self::access_token::{StoredToken, TokenPolicy, TokenPolicyError};
pub use self::deploy_key::{DeployKeys, StoredKey};
pub use self::distribution::{LinkError, LinkFailure, Subscriber};
pub use self::error::Error;
pub use self::inspection::{Expectation, Finding, Inspection, KeyDigest, KnownKeys};
pub use self::key_pair::KeyPairError;
pub use self::owner::Owner;

use self::distribution::Distributors;
use self::in_progress::InProgress;
use self::key_lists::KeyLists;
use self::namespaces::Namespaces;
use self::policies::Policies;
use crate::backends::gitlab::{GitLab, Project};
use crate::backends::vault::Vault;
use crate::config_repo::Repositories;

/// The credentials of the code repositories that one provider instance works on.
///
/// It caches what it has read, so create a new one for each configuration of the provider.
#[derive(Debug)]
pub struct Credentials {
    gitlab: GitLab,
    vault: Vault,
    keys: Arc<KeyLists>,
    in_progress: Arc<InProgress>,
    namespaces: Arc<Namespaces>,
    policies: Policies,
    /// Locked while a role is changed, because Vault has no check-and-set for roles.
    roles: tokio::sync::Mutex<()>,
    distributors: Distributors,
}

/// The credentials that a repository has after [`Credentials::ensure`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryCredentials {
    /// Its own deploy keys.
    pub deploy_keys: DeployKeys,
    /// Its access token, if one is wanted.
    pub access_token: Option<StoredToken>,
}

impl Credentials {
    /// Creates the object and sends nothing.
    pub fn new(gitlab: GitLab, vault: Vault, repositories: Arc<Repositories>) -> Self {
        let keys = Arc::new(KeyLists::new(gitlab.clone()));
        let in_progress = Arc::<InProgress>::default();
        let namespaces = Arc::new(Namespaces::new(gitlab.clone()));
        Self {
            distributors: Distributors::new(
                repositories,
                Arc::clone(&keys),
                Arc::clone(&in_progress),
                Arc::clone(&namespaces),
                vault.clone(),
            ),
            gitlab,
            vault: vault.clone(),
            keys,
            in_progress,
            namespaces,
            policies: Policies::new(vault),
            roles: tokio::sync::Mutex::new(()),
        }
    }

    /// Notes that a repository's project was just created: it has no keys to be listed, and its group
    /// need not be looked up.
    pub async fn note_new(&self, project: &Project) {
        self.namespaces.note(project);
        self.keys.note_new(project.id).await;
    }

    /// Whether Vault holds secrets of a repository.
    pub async fn has_secrets(&self, repository: RepositoryId) -> Result<bool, Error> {
        Ok(!self.stored_secrets(repository).await?.is_empty())
    }

    /// Whether Vault holds secrets at the paths of a repository that name no other owner.
    pub async fn has_secrets_of(&self, owner: impl Into<Owner>) -> Result<bool, Error> {
        let owner = owner.into();
        for secret in self.stored_secrets(owner.repository).await? {
            let path = SecretPath::for_repository(owner.repository, secret);
            let known = self.known_secret(&path).await?;
            if known.is_some_and(|known| known.another_owner(&owner).is_none()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Ensures that a repository has its own deploy keys, and an access token if and only if one is
    /// wanted, with their secrets and policies. `now` decides whether the token is rotated.
    ///
    /// If no token is wanted, GitLab's tokens are listed only if Vault holds one or `has_token` says
    /// that there may be one.
    ///
    /// Secrets of another owner, and the absence of one of `kept`, are errors before anything is
    /// written.
    ///
    /// New keys are enabled on other repositories by the next [`Self::wait_for_distribution`].
    pub async fn ensure(
        &self,
        owner: impl Into<Owner>,
        token: Option<&TokenPolicy>,
        has_token: bool,
        kept: &BTreeSet<GitSecret>,
        now: SystemTime,
    ) -> Result<RepositoryCredentials, Error> {
        let owner = &owner.into();
        let _in_progress = self.in_progress.begin(owner.repository);
        let stored = self.own_secrets(owner).await?;
        for secret in kept {
            if stored.get(secret).is_none_or(|known| !known.is_readable) {
                let path = SecretPath::for_repository(owner.repository, *secret);
                return Err(Error::SecretGone {
                    path: path.to_string(),
                });
            }
        }
        let key = async |permissions: Permissions| {
            let known = stored.get(&GitSecret::from(permissions)).cloned();
            self.ensure_deploy_key(owner, permissions, known).await
        };
        let readwrite = key(Permissions::ReadWrite).await?;
        let readonly = key(Permissions::ReadOnly).await?;
        let known = stored.get(&GitSecret::AccessToken).cloned();
        let access_token = if let Some(policy) = token {
            let ensured = self.ensure_access_token(owner, policy, known, now);
            Some(ensured.await?)
        } else {
            if known.is_some() || has_token {
                self.remove_access_token(owner.repository, known.is_some())
                    .await?;
            }
            None
        };
        Ok(RepositoryCredentials {
            deploy_keys: DeployKeys {
                readonly,
                readwrite,
            },
            access_token,
        })
    }
}
