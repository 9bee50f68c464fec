//! What Vault keeps for a repository.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::vault::{GIT_MOUNT, GitSecret, ID, SecretPath};

use super::Credentials;
use super::error::{Error, Trying as _};
use crate::backends::vault::{Expected, StoredSecret, Vault};
use crate::secret::ExposeSecret as _;

impl Credentials {
    /// The secrets that Vault has for a repository, taken from one listing.
    pub(super) async fn stored_secrets(
        &self,
        repository: RepositoryId,
    ) -> Result<BTreeSet<GitSecret>, Error> {
        let attempt = || format!("list the secrets of {repository} in Vault");
        let mounted = self.vault.ensure_mount(GIT_MOUNT).await;
        mounted.trying_to(attempt)?;
        let folder = SecretPath::folder_of_repository(repository);
        let listed = self.vault.list_secrets(GIT_MOUNT, &folder).await;
        let listed = listed.trying_to(attempt)?;
        Ok(GitSecret::ALL
            .into_iter()
            .filter(|secret| listed.contains(secret.segment()))
            .collect())
    }

    /// Deletes all versions of a secret.
    pub(super) async fn delete_secret(&self, path: &SecretPath) -> Result<(), Error> {
        let deleted = self.vault.delete_secret(path).await;
        deleted.trying_to(|| format!("delete the secret {path}"))
    }
}

/// Reads a secret.
pub(super) async fn read(vault: &Vault, path: &SecretPath) -> Result<Option<StoredSecret>, Error> {
    let stored = vault.read_secret(path).await;
    stored.trying_to(|| format!("read the secret {path}"))
}

/// The version that a write replaces.
pub(super) fn replaced(stored: Option<&StoredSecret>) -> Expected {
    stored.map_or(Expected::Absent, |stored| Expected::Version(stored.version))
}

/// GitLab's number of the key or token that a secret holds under `key`; none if something of it is
/// missing, so that the secret is of no use.
pub(super) fn number(stored: &StoredSecret, key: &str) -> Option<u64> {
    let held = stored.values.get(key)?.expose_secret();
    if held.is_empty() {
        return None;
    }
    stored.values.get(ID)?.expose_secret().parse().ok()
}
