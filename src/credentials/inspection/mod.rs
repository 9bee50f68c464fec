//! Reads and checks a repository's credentials, and changes nothing.
//!
//! This reads the metadata of each secret, lists all policies once per process, and makes at most two
//! calls to GitLab: access tokens are listed only where one is wanted or known, or where Vault has a policy for one. The values of secrets are read when changes are applied, and here only where the
//! metadata does not tell what the latest version holds.

mod check;
mod digest;
mod finding;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::vault::{ACCESS_TOKEN, DEPLOY_KEY, GitSecret, SecretPath};

pub(super) use self::check::{CurrentSecret, Observed, check_own_key};
pub use self::digest::KeyDigest;
pub use self::finding::Finding;

use self::check::check;
use super::access_token::{StoredToken, TokenPolicy};
use super::deploy_key::StoredKey;
use super::owner::Owner;
use super::stored_secret::{read_secret, stored_id};
use super::{Credentials, Error};

/// The expected state of a repository's credentials.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expectation<'a> {
    /// The deploy keys that are to be enabled on it, its own included; `None` checks its own alone.
    pub enabled: Option<&'a BTreeSet<DeployKey>>,
    /// The last known numbers of its own deploy keys.
    pub known_keys: KnownKeys,
    /// The access token that is wanted.
    pub token: Option<&'a TokenPolicy>,
    /// Whether nothing is known of an access token, as at an import, so that one is looked for.
    pub looks_for_token: bool,
    /// The last known number of its access token.
    pub known_token: Option<u64>,
}

/// GitLab's numbers of a repository's own deploy keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct KnownKeys {
    /// That of the read-only key.
    pub readonly: Option<u64>,
    /// That of the read-write key.
    pub readwrite: Option<u64>,
}

/// The state of a repository's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Its own read-only key, if GitLab has it.
    pub readonly: Option<StoredKey>,
    /// Its own read-write key, if GitLab has it.
    pub readwrite: Option<StoredKey>,
    /// Its access token, if it is active.
    pub access_token: Option<StoredToken>,
    /// What differs from the expectation.
    pub findings: BTreeSet<Finding>,
}

impl Credentials {
    /// Lists the deploy keys of code repositories that GitLab has enabled on a repository. Titles may
    /// be repeated.
    pub async fn listed_keys(&self, repository: RepositoryId) -> Result<Vec<DeployKey>, Error> {
        let listed = self.key_list(repository).await?;
        let keys = listed.iter().filter_map(|key| key.title.parse().ok());
        Ok(keys.collect())
    }

    /// Reads and checks a repository's credentials. `now` decides whether its access token is due for
    /// rotation.
    pub async fn inspect(
        &self,
        owner: impl Into<Owner>,
        expectation: Expectation<'_>,
        now: SystemTime,
    ) -> Result<Inspection, Error> {
        let owner = owner.into();
        let repository = owner.repository;
        let policies = self.policies.for_repository(repository).await?;
        let mut secrets = BTreeMap::new();
        for secret in GitSecret::ALL {
            let path = SecretPath::for_repository(repository, secret);
            let may_exist = secret != GitSecret::AccessToken
                || policies.contains(&path.policy_name())
                || expectation.looks_for_token
                || expectation.token.is_some()
                || expectation.known_token.is_some();
            if may_exist {
                secrets.insert(secret, self.current_secret(&owner, &path).await?);
            }
        }
        let keys = self.key_list(repository).await?;
        let tokens = if secrets.contains_key(&GitSecret::AccessToken) {
            self.access_tokens(repository).await?
        } else {
            Vec::new()
        };
        let observed = Observed {
            repository,
            secrets: &secrets,
            policies: &policies,
            keys: &keys,
            tokens: &tokens,
        };
        check(observed, expectation, now)
    }

    /// Looks at a secret without its content, unless nothing is noted of its latest version.
    pub(super) async fn current_secret(
        &self,
        owner: &Owner,
        path: &SecretPath,
    ) -> Result<CurrentSecret, Error> {
        let Some(known) = self.known_secret(path).await? else {
            return Ok(CurrentSecret::Missing);
        };
        if known.another_owner(owner).is_some() {
            return Ok(CurrentSecret::OfAnother);
        }
        if !known.is_readable {
            return Ok(CurrentSecret::Deleted);
        }
        if let Some(id) = known.current_id() {
            return Ok(CurrentSecret::Holds(Some(id)));
        }
        // Written by Nautes, by an older version, or by hand.
        let Some(stored) = read_secret(&self.vault, path).await? else {
            return Ok(CurrentSecret::Missing);
        };
        let mut keys = [DEPLOY_KEY, ACCESS_TOKEN].into_iter();
        let id = keys.find_map(|key| stored_id(&stored, key));
        Ok(CurrentSecret::Holds(id))
    }
}
