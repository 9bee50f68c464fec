//! The Vault policies that grant access to secrets: listed once per process, and kept up to date by our
//! own changes.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::vault::{GitSecret, SecretPath};
use tokio::sync::Mutex;

use super::Credentials;
use super::error::{Context as _, Error};
use crate::backends::vault::Vault;

/// The names of all policies in Vault.
#[derive(Debug)]
pub(super) struct Policies {
    vault: Vault,
    /// Locked while Vault is asked, so that concurrent callers share one call.
    names: Mutex<Option<BTreeSet<String>>>,
}

impl Policies {
    pub(super) fn new(vault: Vault) -> Self {
        Self {
            vault,
            names: Mutex::default(),
        }
    }

    /// Returns the names of the existing policies for the secrets of a repository.
    pub(super) async fn for_repository(
        &self,
        repository: RepositoryId,
    ) -> Result<BTreeSet<String>, Error> {
        let mut names = self.names.lock().await;
        let names = match &mut *names {
            Some(names) => names,
            unknown => {
                let listed = self.vault.policies().await;
                unknown.insert(listed.with_context(|| "list the policies of Vault".to_owned())?)
            }
        };
        Ok(GitSecret::ALL
            .into_iter()
            .map(|secret| SecretPath::for_repository(repository, secret).policy_name())
            .filter(|name| names.contains(name))
            .collect())
    }
}

impl Credentials {
    /// Writes the policy that grants access to a secret.
    pub(super) async fn write_policy(&self, path: &SecretPath) -> Result<(), Error> {
        let name = path.policy_name();
        let written = self.vault.write_policy(&name, &path.policy_text()).await;
        written.with_context(|| format!("write the policy {name}"))?;
        if let Some(names) = &mut *self.policies.names.lock().await {
            names.insert(name);
        }
        Ok(())
    }

    /// Writes the policy for a secret unless an equal one exists. Policies that differ only in white
    /// space are equal, so those that Nautes wrote stay.
    pub(super) async fn ensure_policy(&self, path: &SecretPath) -> Result<(), Error> {
        if self.has_own_policy(path).await? {
            return Ok(());
        }
        self.write_policy(path).await
    }

    /// Whether there is a policy for a secret with the text that grants access to it.
    async fn has_own_policy(&self, path: &SecretPath) -> Result<bool, Error> {
        let name = path.policy_name();
        let read = self.vault.policy(&name).await;
        let existing = read.with_context(|| format!("read the policy {name}"))?;
        let wanted = path.policy_text();
        let is_equal = |one: &str| one.split_whitespace().eq(wanted.split_whitespace());
        Ok(existing.is_some_and(|existing| is_equal(&existing)))
    }

    /// Deletes the policy of a secret that does not exist, unless its text is that of somebody else.
    pub(super) async fn delete_policy_without_secret(
        &self,
        path: &SecretPath,
    ) -> Result<(), Error> {
        if self.has_own_policy(path).await? {
            self.delete_policy(path).await?;
        }
        Ok(())
    }

    /// Deletes the policy that grants access to a secret.
    pub(super) async fn delete_policy(&self, path: &SecretPath) -> Result<(), Error> {
        let name = path.policy_name();
        let deleted = self.vault.delete_policy(&name).await;
        deleted.with_context(|| format!("delete the policy {name}"))?;
        if let Some(names) = &mut *self.policies.names.lock().await {
            names.remove(&name);
        }
        Ok(())
    }
}
