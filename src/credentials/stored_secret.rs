//! The secrets of a repository in Vault.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::vault::{GIT_MOUNT, GitSecret, ID, SecretPath};

use super::Credentials;
use super::error::{Context as _, Error};
use crate::backends::vault::{Expected, StoredSecret, Vault};
use crate::secret::ExposeSecret as _;

impl Credentials {
    /// Lists the secrets of a repository that are in Vault, with one call.
    pub(super) async fn stored_secrets(
        &self,
        repository: RepositoryId,
    ) -> Result<BTreeSet<GitSecret>, Error> {
        let attempt = || format!("list the secrets of {repository} in Vault");
        let mounted = self.vault.ensure_mount(GIT_MOUNT).await;
        mounted.with_context(attempt)?;
        let folder = SecretPath::repository_folder(repository);
        let listed = self.vault.list_secrets(GIT_MOUNT, &folder).await;
        let listed = listed.with_context(attempt)?;
        Ok(GitSecret::ALL
            .into_iter()
            .filter(|secret| listed.contains(secret.segment()))
            .collect())
    }

    /// Deletes all versions of a secret.
    pub(super) async fn delete_secret(&self, path: &SecretPath) -> Result<(), Error> {
        let deleted = self.vault.delete_secret(path).await;
        deleted.with_context(|| format!("delete the secret {path}"))
    }
}

/// Reads a secret.
pub(super) async fn read_secret(
    vault: &Vault,
    path: &SecretPath,
) -> Result<Option<StoredSecret>, Error> {
    let stored = vault.read_secret(path).await;
    stored.with_context(|| format!("read the secret {path}"))
}

/// Returns what a check-and-set write expects to replace.
pub(super) fn expected_version(stored: Option<&StoredSecret>) -> Expected {
    stored.map_or(Expected::Absent, |stored| Expected::Version(stored.version))
}

/// Returns GitLab's number of the key or token that a secret holds under `key`; `None` if a value is
/// missing, which makes the secret unusable.
pub(super) fn stored_id(stored: &StoredSecret, key: &str) -> Option<u64> {
    let text = stored.values.get(key)?.expose_secret();
    if text.is_empty() {
        return None;
    }
    stored.values.get(ID)?.expose_secret().parse().ok()
}
