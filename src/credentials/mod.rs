//! The credentials of code repositories: two deploy keys and perhaps an access token each, their
//! secrets and policies in Vault, and the keys of others that are enabled on a repository.
//!
//! ```text
//! Credentials ── ensure, retire ──> deploy_key, access_token     one repository: GitLab and Vault
//!      │      └─ inspect ─────────> inspection                   the same, read only, for a refresh
//!      │
//!      └── settle ──> distribution                               one product: who may use what
//!                           difference: pure
//! ```
//!
//! Every verb makes the state right whatever it was, and is called again after a failure: a secret
//! in Vault says which key or token is the repository's own, and what has its title or name besides
//! is removed. So GitLab comes first, then Vault, and what is superseded goes last.
//!
//! Deploy keys are read and changed through `key_lists` alone.

mod access_token;
mod deploy_key;
mod distribution;
mod error;
mod in_hand;
mod inspection;
mod key_lists;
mod key_pair;
mod operators;
mod policies;
mod retirement;
#[cfg(test)]
mod tests;
mod vault_entry;

use std::sync::Arc;
use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::entity::Permissions;
use nautes_model::vault::GitSecret;

pub use self::access_token::{KeptToken, Terms, TermsError};
pub use self::deploy_key::{DeployKeys, KeptKey};
pub use self::distribution::{LinkFailure, Waiter};
pub use self::error::Error;
pub use self::inspection::{Expectation, Finding, Inspection};
pub use self::key_pair::KeyPairError;

use self::distribution::Distributors;
use self::in_hand::InHand;
use self::key_lists::KeyLists;
use self::policies::Policies;
use crate::backends::gitlab::GitLab;
use crate::backends::vault::Vault;
use crate::config_repo::Repositories;

/// The credentials of the code repositories that one provider instance works on.
///
/// What was read is kept as long as this object, so make a new one for each configuration of the
/// provider.
#[derive(Debug)]
pub struct Credentials {
    gitlab: GitLab,
    vault: Vault,
    keys: Arc<KeyLists>,
    in_hand: Arc<InHand>,
    policies: Policies,
    /// Held while a role is changed, which Vault has no check-and-set for.
    roles: tokio::sync::Mutex<()>,
    distributors: Distributors,
}

/// The credentials of a repository, as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// Its own deploy keys.
    pub deploy_keys: DeployKeys,
    /// Its access token, if one is wanted.
    pub access_token: Option<KeptToken>,
}

impl Credentials {
    /// Makes the object; nothing is sent.
    pub fn new(gitlab: GitLab, vault: Vault, repositories: Arc<Repositories>) -> Self {
        let keys = Arc::new(KeyLists::new(gitlab.clone()));
        let in_hand = Arc::<InHand>::default();
        Self {
            distributors: Distributors::new(
                repositories,
                Arc::clone(&keys),
                Arc::clone(&in_hand),
                vault.clone(),
            ),
            gitlab,
            vault: vault.clone(),
            keys,
            in_hand,
            policies: Policies::new(vault),
            roles: tokio::sync::Mutex::new(()),
        }
    }

    /// Notes that a repository's project was made just now, so that nothing needs to be read of it.
    pub async fn note_new(&self, repository: RepositoryId) {
        self.keys.note_new(repository.number()).await;
    }

    /// Makes sure that a repository has its own deploy keys, the access token that is wanted, or
    /// none, and their secrets and policies. `now` decides whether the token is to be replaced.
    ///
    /// Until the next [`Self::settle`], new keys are enabled on no other repository.
    pub async fn ensure(
        &self,
        repository: RepositoryId,
        token: Option<&Terms>,
        now: SystemTime,
    ) -> Result<Ensured, Error> {
        let _in_hand = self.in_hand.take(repository);
        let stored = self.stored_secrets(repository).await?;
        let key = async |permissions: Permissions| {
            let is_stored = stored.contains(&GitSecret::from(permissions));
            self.ensure_deploy_key(repository, permissions, is_stored)
                .await
        };
        let readwrite = key(Permissions::ReadWrite).await?;
        let readonly = key(Permissions::ReadOnly).await?;
        let is_stored = stored.contains(&GitSecret::AccessToken);
        let access_token = if let Some(terms) = token {
            let kept = self.ensure_access_token(repository, terms, is_stored, now);
            Some(kept.await?)
        } else {
            self.remove_access_token(repository, is_stored).await?;
            None
        };
        Ok(Ensured {
            deploy_keys: DeployKeys {
                readonly,
                readwrite,
            },
            access_token,
        })
    }
}
