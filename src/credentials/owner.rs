//! Whose a secret in Vault is: more than one GitLab may use the same Vault.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use nautes_model::RepositoryId;
use nautes_model::vault::{ACCESS_TOKEN, DEPLOY_KEY, GitSecret, SecretPath};

use super::Credentials;
use super::access_token::active;
use super::deploy_key::find_stored;
use super::error::{Context as _, Error};
use super::stored_secret::{read_secret, stored_id};
use crate::backends::gitlab::Project;
use crate::backends::vault::SecretMetadata;
use crate::moment::is_same_moment;

const OWNER: &str = "owner";
const VERSION: &str = "version";
const ID: &str = "id";

/// A repository as the owner of secrets: the number of its project and when that was created.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The repository.
    pub repository: RepositoryId,
    /// When its project was created, in GitLab's form; `None` if that is not known any more.
    pub created_at: Option<String>,
}

/// What Vault tells of a secret without its content.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct KnownSecret {
    /// The latest version.
    pub(super) current_version: u64,
    /// Whether the latest version can be read.
    pub(super) is_readable: bool,
    owner: Option<String>,
    version: Option<u64>,
    id: Option<u64>,
}

impl Owner {
    /// Returns whether a text in Vault names this owner.
    fn is_named_by(&self, text: &str) -> bool {
        let (number, created_at) = match text.split_once('@') {
            Some((number, created_at)) => (number, Some(created_at)),
            None => (text, None),
        };
        let is_created_then = match (created_at, &self.created_at) {
            (Some(one), Some(other)) => is_same_moment(one, other),
            _ => true,
        };
        number == self.repository.number().to_string() && is_created_then
    }
}

impl From<&Project> for Owner {
    fn from(project: &Project) -> Self {
        Self {
            repository: RepositoryId::new(project.id),
            created_at: Some(project.created_at.clone()),
        }
    }
}

impl From<RepositoryId> for Owner {
    fn from(repository: RepositoryId) -> Self {
        Self {
            repository,
            created_at: None,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.repository.number();
        match &self.created_at {
            Some(created_at) => write!(formatter, "{number}@{created_at}"),
            None => write!(formatter, "{number}"),
        }
    }
}

impl KnownSecret {
    /// Returns GitLab's number of the key or token in the latest version, if that is noted.
    pub(super) fn current_id(&self) -> Option<u64> {
        self.id
            .filter(|_| self.version == Some(self.current_version))
    }

    /// Returns the owner that the secret names, if that is another one.
    pub(super) fn another_owner(&self, owner: &Owner) -> Option<&str> {
        let marked = self.owner.as_deref();
        marked.filter(|marked| !owner.is_named_by(marked))
    }

    /// Fails if the secret names another owner.
    fn refuse_another(&self, owner: &Owner, path: &SecretPath) -> Result<(), Error> {
        match self.another_owner(owner) {
            Some(other) => Err(Error::SecretOfAnother {
                path: path.to_string(),
                owner: other.to_owned(),
            }),
            None => Ok(()),
        }
    }
}

impl From<SecretMetadata> for KnownSecret {
    fn from(metadata: SecretMetadata) -> Self {
        let number = |key| metadata.custom.get(key)?.parse().ok();
        Self {
            current_version: metadata.current_version,
            is_readable: metadata.is_readable,
            owner: metadata.custom.get(OWNER).cloned(),
            version: number(VERSION),
            id: number(ID),
        }
    }
}

impl Credentials {
    /// Reads what Vault tells of a secret without its content; `None` if nothing is at its path.
    pub(super) async fn known_secret(
        &self,
        path: &SecretPath,
    ) -> Result<Option<KnownSecret>, Error> {
        let metadata = self.vault.secret_metadata(path).await;
        let metadata =
            metadata.with_context(|| format!("read the metadata of the secret {path}"))?;
        Ok(metadata.map(KnownSecret::from))
    }

    /// Returns the secrets at the paths of a repository, and fails if one of them is not its own, so
    /// that nothing of another owner is written or deleted.
    pub(super) async fn own_secrets(
        &self,
        owner: &Owner,
    ) -> Result<BTreeMap<GitSecret, KnownSecret>, Error> {
        let mut own = BTreeMap::new();
        for secret in self.stored_secrets(owner.repository).await? {
            let path = SecretPath::for_repository(owner.repository, secret);
            if let Some(known) = self.known_secret(&path).await? {
                self.check_owner(owner, secret, &known).await?;
                own.insert(secret, known);
            }
        }
        Ok(own)
    }

    /// Fails if a secret at the paths of a repository names another owner; returns those that are
    /// there.
    pub(super) async fn refuse_secrets_of_another(
        &self,
        owner: &Owner,
    ) -> Result<BTreeSet<GitSecret>, Error> {
        let stored = self.stored_secrets(owner.repository).await?;
        for &secret in &stored {
            let path = SecretPath::for_repository(owner.repository, secret);
            if let Some(known) = self.known_secret(&path).await? {
                known.refuse_another(owner, &path)?;
            }
        }
        Ok(stored)
    }

    /// Fails if a secret is not a repository's own. One that Nautes or an older version has written
    /// names no owner; it is its own if it holds a key or token of its project.
    pub(super) async fn check_owner(
        &self,
        owner: &Owner,
        secret: GitSecret,
        known: &KnownSecret,
    ) -> Result<(), Error> {
        let path = SecretPath::for_repository(owner.repository, secret);
        known.refuse_another(owner, &path)?;
        if known.owner.is_some() {
            return Ok(());
        }
        let unproven = || {
            let path = path.to_string();
            Err(Error::SecretUnproven { path })
        };
        if known.current_version == 0 {
            return Ok(());
        }
        let Some(stored) = read_secret(&self.vault, &path).await? else {
            // Older versions may be alive.
            return unproven();
        };
        let is_own = if secret == GitSecret::AccessToken {
            let id = stored_id(&stored, ACCESS_TOKEN);
            let listed = self.access_tokens(owner.repository).await?;
            active(&listed).any(|token| Some(token.id) == id)
        } else {
            let list = self.key_list(owner.repository).await?;
            stored_id(&stored, DEPLOY_KEY).is_some() && find_stored(&list, &stored).is_some()
        };
        if is_own { Ok(()) } else { unproven() }
    }

    /// Marks a secret as a repository's own before its content is written.
    pub(super) async fn mark_secret(
        &self,
        owner: &Owner,
        path: &SecretPath,
        known: Option<&KnownSecret>,
    ) -> Result<(), Error> {
        let marked = known.and_then(|known| known.owner.as_deref());
        if marked.is_some_and(|marked| owner.is_named_by(marked)) {
            return Ok(());
        }
        let custom = BTreeMap::from([(OWNER.to_owned(), owner.to_string())]);
        self.store_metadata(path, &custom).await
    }

    /// Notes which key or token is in a version of a secret, unless that is noted already.
    pub(super) async fn note_version(
        &self,
        owner: &Owner,
        path: &SecretPath,
        known: Option<&KnownSecret>,
        version: u64,
        id: u64,
    ) -> Result<(), Error> {
        let is_noted = known.is_some_and(|known| {
            known.owner.is_some() && (known.version, known.id) == (Some(version), Some(id))
        });
        if is_noted {
            return Ok(());
        }
        let custom = BTreeMap::from([
            (OWNER.to_owned(), owner.to_string()),
            (VERSION.to_owned(), version.to_string()),
            (ID.to_owned(), id.to_string()),
        ]);
        self.store_metadata(path, &custom).await
    }

    async fn store_metadata(
        &self,
        path: &SecretPath,
        custom: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let stored = self.vault.set_custom_metadata(path, custom).await;
        stored.with_context(|| format!("mark the secret {path} as the repository's"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(created_at: Option<&str>) -> Owner {
        Owner {
            repository: RepositoryId::new(7),
            created_at: created_at.map(str::to_owned),
        }
    }

    #[test]
    fn an_owner_is_the_number_and_the_moment_of_creation() {
        let ours = owner(Some("2026-01-02T03:04:05.678Z"));
        assert!(ours.is_named_by(&ours.to_string()));
        assert!(ours.is_named_by("7@2026-01-02T11:04:05.678+08:00"));
        assert!(!ours.is_named_by("7@2026-01-02T03:04:05.679Z"));
        assert!(!ours.is_named_by("8@2026-01-02T03:04:05.678Z"));
        assert!(owner(None).is_named_by(&ours.to_string()));
        assert!(!owner(None).is_named_by("8"));
    }

    #[test]
    fn a_noted_number_holds_for_its_version_alone() {
        let mut known = KnownSecret {
            current_version: 3,
            version: Some(3),
            id: Some(12),
            ..KnownSecret::default()
        };
        assert_eq!(known.current_id(), Some(12));
        known.current_version = 4;
        assert_eq!(known.current_id(), None);
    }
}
