//! The policies that open secrets: listed once per process, and kept true by our own changes.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::vault::{GitSecret, SecretPath};
use tokio::sync::Mutex;

use super::Credentials;
use super::error::{Error, Trying as _};
use crate::backends::vault::Vault;

/// The names of all policies.
#[derive(Debug)]
pub(super) struct Policies {
    vault: Vault,
    /// Held while they are asked for, so that one call serves all who ask.
    known: Mutex<Option<BTreeSet<String>>>,
}

impl Policies {
    pub(super) fn new(vault: Vault) -> Self {
        Self {
            vault,
            known: Mutex::default(),
        }
    }

    /// Returns the names of those policies that open secrets of a repository.
    pub(super) async fn of_repository(
        &self,
        repository: RepositoryId,
    ) -> Result<BTreeSet<String>, Error> {
        let mut known = self.known.lock().await;
        let known = match &mut *known {
            Some(known) => known,
            unknown => {
                let listed = self.vault.policies().await;
                unknown.insert(listed.trying_to(|| "list the policies of Vault".to_owned())?)
            }
        };
        Ok(GitSecret::ALL
            .into_iter()
            .map(|secret| SecretPath::of_repository(repository, secret).policy_name())
            .filter(|name| known.contains(name))
            .collect())
    }
}

impl Credentials {
    /// Writes the policy that opens a secret.
    pub(super) async fn write_policy(&self, path: &SecretPath) -> Result<(), Error> {
        let name = path.policy_name();
        let written = self.vault.write_policy(&name, &path.policy_text()).await;
        written.trying_to(|| format!("write the policy {name}"))?;
        if let Some(known) = &mut *self.policies.known.lock().await {
            known.insert(name);
        }
        Ok(())
    }

    /// Writes the policy that opens a secret which was there already, unless it says the same: Nautes
    /// sets other spaces, and a policy of its own stays as it is.
    pub(super) async fn keep_policy(&self, path: &SecretPath) -> Result<(), Error> {
        let name = path.policy_name();
        let read = self.vault.policy(&name).await;
        let existing = read.trying_to(|| format!("read the policy {name}"))?;
        let wanted = path.policy_text();
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        if existing.is_some_and(|existing| words(&existing) == words(&wanted)) {
            return Ok(());
        }
        self.write_policy(path).await
    }

    /// Deletes the policy that opens a secret.
    pub(super) async fn delete_policy(&self, path: &SecretPath) -> Result<(), Error> {
        let name = path.policy_name();
        let deleted = self.vault.delete_policy(&name).await;
        deleted.trying_to(|| format!("delete the policy {name}"))?;
        if let Some(known) = &mut *self.policies.known.lock().await {
            known.remove(&name);
        }
        Ok(())
    }
}
