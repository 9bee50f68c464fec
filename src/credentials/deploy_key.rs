//! A repository's own deploy keys.

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::entity::Permissions;
use nautes_model::vault::{DEPLOY_KEY, FINGERPRINT, ID, SecretPath};

use super::Credentials;
use super::error::{Context as _, Error};
use super::key_lists::KeyList;
use super::key_pair::{KeyPair, fingerprint, is_same_key};
use super::owner::{KnownSecret, Owner};
use super::stored_secret::{expected_version, read_secret, stored_id};
use crate::backends::gitlab::{self, NewDeployKey};
use crate::backends::vault::{Expected, Kind, SecretValues, StoredSecret};
use crate::secret::ExposeSecret as _;

/// How often a write is attempted that loses races against other processes.
pub(super) const MAX_ATTEMPTS: usize = 4;

/// A repository's own deploy keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployKeys {
    /// The key that may clone.
    pub readonly: StoredKey,
    /// The key that may clone and push.
    pub readwrite: StoredKey,
}

/// A deploy key whose private key is in Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// GitLab's number.
    pub id: u64,
    /// `SHA256:…`.
    pub fingerprint: String,
    /// The public key, as GitLab lists it.
    pub public_key: String,
    /// The path of the secret, with its mount: `git/gitlab/repo-7/default/readonly`.
    pub vault_path: String,
}

impl StoredKey {
    pub(super) fn new(
        key: DeployKey,
        listed: &gitlab::DeployKey,
        path: &SecretPath,
    ) -> Result<Self, Error> {
        let fingerprint =
            fingerprint(&listed.key).map_err(|source| Error::KeyPair { key, source })?;
        Ok(Self {
            id: listed.id,
            fingerprint,
            public_key: listed.key.clone(),
            vault_path: path.to_string(),
        })
    }
}

impl Credentials {
    /// Ensures that a repository has the deploy key that Vault holds, and no other with its title
    /// (`saveDeployKey` of `app/api-server/internal/biz/coderepo.go`).
    ///
    /// Only the process whose key Vault has accepted removes superseded keys, and does so last. So no
    /// process removes a key that another one is about to write to Vault.
    pub(super) async fn ensure_deploy_key(
        &self,
        owner: &Owner,
        permissions: Permissions,
        mut known: Option<KnownSecret>,
    ) -> Result<StoredKey, Error> {
        let repository = owner.repository;
        let key = DeployKey {
            owner: repository,
            permissions,
        };
        let path = SecretPath::for_repository(repository, permissions.into());
        for _ in 0..MAX_ATTEMPTS {
            let stored = if known.is_some() {
                read_secret(&self.vault, &path).await?
            } else {
                None
            };
            let list = self.key_list(repository).await?;
            let existing = stored
                .as_ref()
                .and_then(|stored| find_stored(&list, stored))
                .cloned();
            let current = if let (Some(existing), Some(stored)) = (existing, &stored) {
                let version = stored.version;
                self.note_version(owner, &path, known.as_ref(), version, existing.id)
                    .await?;
                self.ensure_policy(&path).await?;
                existing
            } else {
                let expected = expected_version(stored.as_ref());
                self.mark_secret(owner, &path, known.as_ref()).await?;
                let Some((created, version)) = self.create_deploy_key(key, &path, expected).await?
                else {
                    self.keys.forget(repository.number()).await;
                    known = self.known_secret(&path).await?;
                    if let Some(known) = &known {
                        self.check_owner(owner, permissions.into(), known).await?;
                    }
                    continue;
                };
                self.note_version(owner, &path, None, version, created.id)
                    .await?;
                self.write_policy(&path).await?;
                created
            };
            self.reconcile(key, &current).await?;
            return StoredKey::new(key, &current, &path);
        }
        Err(Error::Contended {
            path: path.to_string(),
        })
    }

    /// Returns the deploy keys that are enabled on a repository.
    pub(super) async fn key_list(&self, repository: RepositoryId) -> Result<KeyList, Error> {
        let list = self.keys.list(repository.number()).await;
        list.with_context(|| format!("list the deploy keys of {repository}"))
    }

    /// Creates a key and stores it, and returns it with the version of its secret; `None` if another process has stored one in the meantime.
    async fn create_deploy_key(
        &self,
        key: DeployKey,
        path: &SecretPath,
        expected: Expected,
    ) -> Result<Option<(gitlab::DeployKey, u64)>, Error> {
        let pair = KeyPair::generate().map_err(|source| Error::KeyPair { key, source })?;
        let new = NewDeployKey {
            title: key.to_string(),
            key: pair.public,
            can_push: key.may_push(),
        };
        let added = self.add_once(key.owner.number(), &new).await;
        let added = added
            .with_context(|| format!("add the deploy key {key} to {owner}", owner = key.owner))?;
        let values = SecretValues::default()
            .with(DEPLOY_KEY, pair.private)
            .with(FINGERPRINT, added.key.clone())
            .with(ID, added.id.to_string());
        match self.vault.write_secret(path, &values, expected).await {
            Err(error) if *error.kind() == Kind::Conflict => {
                self.remove_key(key.owner, key, added.id).await?;
                Ok(None)
            }
            written => {
                let version = written.with_context(|| format!("write the secret {path}"))?;
                Ok(Some((added, version)))
            }
        }
    }

    /// Adds a key. If the outcome is unknown, looks for the key before sending it again.
    async fn add_once(
        &self,
        project: u64,
        new: &NewDeployKey,
    ) -> Result<gitlab::DeployKey, gitlab::Error> {
        match self.keys.add(project, new).await {
            Err(error) if error.may_have_happened() => {}
            answered => return answered,
        }
        self.keys.forget(project).await;
        let list = self.keys.list(project).await?;
        match list.iter().find(|key| is_same_key(&key.key, &new.key)) {
            Some(added) => Ok(added.clone()),
            None => self.keys.add(project, new).await,
        }
    }

    /// Gives the current key its title and rights, and removes others with its title.
    async fn reconcile(&self, key: DeployKey, current: &gitlab::DeployKey) -> Result<(), Error> {
        let project = key.owner.number();
        let title = key.to_string();
        if current.title != title {
            let renamed = self.keys.rename(project, current.id, &title).await;
            renamed.with_context(|| format!("give the deploy key {title} its title"))?;
        }
        if current.can_push != key.may_push() {
            let changed = self
                .keys
                .set_can_push(project, current.id, key.may_push())
                .await;
            changed.with_context(|| format!("set whether the deploy key {title} may push"))?;
        }
        for other in self.key_list(key.owner).await?.iter() {
            if other.title == title && other.id != current.id {
                self.remove_key(key.owner, key, other.id).await?;
            }
        }
        Ok(())
    }

    /// Removes a key from a repository on which it is enabled.
    pub(super) async fn remove_key(
        &self,
        repository: RepositoryId,
        key: DeployKey,
        id: u64,
    ) -> Result<(), Error> {
        let removed = self.keys.remove(repository.number(), id).await;
        removed.with_context(|| format!("remove the deploy key {key} ({id}) from {repository}"))
    }
}

/// Finds the key that Vault holds, if GitLab has it with the same text.
pub(super) fn find_stored<'a>(
    list: &'a [gitlab::DeployKey],
    stored: &StoredSecret,
) -> Option<&'a gitlab::DeployKey> {
    let id = stored_id(stored, DEPLOY_KEY)?;
    let public = stored.values.get(FINGERPRINT)?.expose_secret();
    list.iter()
        .find(|key| key.id == id && is_same_key(&key.key, public))
}
