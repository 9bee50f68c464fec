//! A repository's own deploy keys.

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::entity::Permissions;
use nautes_model::vault::{DEPLOY_KEY, FINGERPRINT, ID, SecretPath};

use super::Credentials;
use super::distribution::may_push;
use super::error::{Error, Trying as _};
use super::key_lists::KeyList;
use super::key_pair::{KeyPair, fingerprint, is_same_key};
use super::vault_entry::{number, read, replaced};
use crate::backends::gitlab::{self, NewDeployKey};
use crate::backends::vault::{Expected, Kind, SecretValues, StoredSecret};
use crate::secret::ExposeSecret as _;

/// How often a race for a secret is lost before that is an error.
pub(super) const RACES: usize = 4;

/// A repository's own deploy keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployKeys {
    /// The one that may clone.
    pub readonly: KeptKey,
    /// The one that may push too.
    pub readwrite: KeptKey,
}

/// A deploy key whose private half is in Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// GitLab's number.
    pub id: u64,
    /// `SHA256:…`.
    pub fingerprint: String,
    /// The secret's place, with its mount: `git/gitlab/repo-7/default/readonly`.
    pub vault_path: String,
}

impl KeptKey {
    pub(super) fn of(
        key: DeployKey,
        listed: &gitlab::DeployKey,
        path: &SecretPath,
    ) -> Result<Self, Error> {
        let fingerprint =
            fingerprint(&listed.key).map_err(|source| Error::KeyPair { key, source })?;
        Ok(Self {
            id: listed.id,
            fingerprint,
            vault_path: path.to_string(),
        })
    }
}

impl Credentials {
    /// Makes sure that a repository has the key of its own that Vault holds, and no other with its
    /// title (`saveDeployKey` of `app/api-server/internal/biz/coderepo.go`).
    ///
    /// Keys that are superseded are removed last, by the one process whose key Vault took: so no
    /// process removes a key that another is about to write to Vault.
    pub(super) async fn ensure_deploy_key(
        &self,
        repository: RepositoryId,
        permissions: Permissions,
        mut is_stored: bool,
    ) -> Result<KeptKey, Error> {
        let key = DeployKey {
            owner: repository,
            permissions,
        };
        let path = SecretPath::of_repository(repository, permissions.into());
        for _ in 0..RACES {
            let stored = if is_stored {
                read(&self.vault, &path).await?
            } else {
                None
            };
            let listed = self.own_list(repository).await?;
            let known = stored.as_ref().and_then(|stored| kept_in(&listed, stored));
            let is_known = known.is_some();
            let kept = if let Some(known) = known {
                Some(known.clone())
            } else {
                let replaced = replaced(stored.as_ref());
                self.make_deploy_key(key, &path, replaced).await?
            };
            let Some(kept) = kept else {
                is_stored = true;
                self.keys.forget(repository.number()).await;
                continue;
            };
            if is_known {
                self.keep_policy(&path).await?;
            } else {
                self.write_policy(&path).await?;
            }
            self.straighten(key, &kept).await?;
            return KeptKey::of(key, &kept, &path);
        }
        Err(Error::Contended {
            path: path.to_string(),
        })
    }

    /// The deploy keys that are enabled on a repository.
    pub(super) async fn own_list(&self, repository: RepositoryId) -> Result<KeyList, Error> {
        let listed = self.keys.list(repository.number()).await;
        listed.trying_to(|| format!("list the deploy keys of {repository}"))
    }

    /// Makes a key and stores it; none if another process stored one meanwhile.
    async fn make_deploy_key(
        &self,
        key: DeployKey,
        path: &SecretPath,
        replaced: Expected,
    ) -> Result<Option<gitlab::DeployKey>, Error> {
        let pair = KeyPair::generate().map_err(|source| Error::KeyPair { key, source })?;
        let new = NewDeployKey {
            title: key.to_string(),
            key: pair.public,
            can_push: may_push(key),
        };
        let added = self.add_once(key.owner.number(), &new).await;
        let added = added
            .trying_to(|| format!("add the deploy key {key} to {owner}", owner = key.owner))?;
        let values = SecretValues::default()
            .with(DEPLOY_KEY, pair.private)
            .with(FINGERPRINT, added.key.clone())
            .with(ID, added.id.to_string());
        match self.vault.write_secret(path, &values, replaced).await {
            Err(error) if *error.kind() == Kind::Conflict => {
                self.remove_key(key.owner, key, added.id).await?;
                Ok(None)
            }
            written => {
                written.trying_to(|| format!("write the secret {path}"))?;
                Ok(Some(added))
            }
        }
    }

    /// Adds a key; where it is not known whether that happened, it is looked for before it is sent
    /// again.
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
        let listed = self.keys.list(project).await?;
        match listed.iter().find(|key| is_same_key(&key.key, &new.key)) {
            Some(added) => Ok(added.clone()),
            None => self.keys.add(project, new).await,
        }
    }

    /// Gives the kept key its title and rights, and removes others with its title.
    async fn straighten(&self, key: DeployKey, kept: &gitlab::DeployKey) -> Result<(), Error> {
        let project = key.owner.number();
        let title = key.to_string();
        if kept.title != title {
            let renamed = self.keys.rename(project, kept.id, &title).await;
            renamed.trying_to(|| format!("give the deploy key {title} its title"))?;
        }
        if kept.can_push != may_push(key) {
            let changed = self
                .keys
                .set_can_push(project, kept.id, may_push(key))
                .await;
            changed.trying_to(|| format!("set whether the deploy key {title} may push"))?;
        }
        for other in self.own_list(key.owner).await?.iter() {
            if other.title == title && other.id != kept.id {
                self.remove_key(key.owner, key, other.id).await?;
            }
        }
        Ok(())
    }

    /// Takes a key from a repository that it is enabled on.
    pub(super) async fn remove_key(
        &self,
        repository: RepositoryId,
        key: DeployKey,
        id: u64,
    ) -> Result<(), Error> {
        let removed = self.keys.remove(repository.number(), id).await;
        removed.trying_to(|| format!("remove the deploy key {key} ({id}) from {repository}"))
    }
}

/// The key that Vault holds, if GitLab has it with the same text.
fn kept_in<'a>(
    listed: &'a [gitlab::DeployKey],
    stored: &StoredSecret,
) -> Option<&'a gitlab::DeployKey> {
    let id = number(stored, DEPLOY_KEY)?;
    let public = stored.values.get(FINGERPRINT)?.expose_secret();
    listed
        .iter()
        .find(|key| key.id == id && is_same_key(&key.key, public))
}
