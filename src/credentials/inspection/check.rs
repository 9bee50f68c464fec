//! Checks what was observed of a repository's credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::entity::Permissions;
use nautes_model::vault::{GitSecret, SecretPath};

use super::{Expectation, Finding, Inspection};
use crate::backends::gitlab::{self, AccessToken};
use crate::credentials::access_token::{StoredToken, active};
use crate::credentials::deploy_key::StoredKey;
use crate::credentials::error::Error;

/// What Vault has at the path of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::credentials) enum CurrentSecret {
    /// Nothing.
    Missing,
    /// A secret whose latest version is deleted or destroyed.
    Deleted,
    /// A secret of another owner.
    OfAnother,
    /// The key or token with this number in GitLab; `None` if the values are not usable.
    Holds(Option<u64>),
}

/// What GitLab and Vault have for a repository.
#[derive(Debug, Clone, Copy)]
pub(in crate::credentials) struct Observed<'a> {
    pub(in crate::credentials) repository: RepositoryId,
    /// The secrets that were looked at.
    pub(in crate::credentials) secrets: &'a BTreeMap<GitSecret, CurrentSecret>,
    /// The names of the existing policies for its secrets.
    pub(in crate::credentials) policies: &'a BTreeSet<String>,
    pub(in crate::credentials) keys: &'a [gitlab::DeployKey],
    pub(in crate::credentials) tokens: &'a [AccessToken],
}

/// Compares what was observed with what is expected.
pub(super) fn check(
    observed: Observed<'_>,
    expectation: Expectation<'_>,
    now: SystemTime,
) -> Result<Inspection, Error> {
    let mut findings = BTreeSet::new();
    let known = expectation.known_keys;
    let mut own_key =
        |permissions, known| check_own_key(observed, permissions, known, &mut findings);
    let readonly = own_key(Permissions::ReadOnly, known.readonly)?;
    let readwrite = own_key(Permissions::ReadWrite, known.readwrite)?;
    if let Some(enabled) = expectation.enabled {
        check_links(observed, enabled, &mut findings);
    }
    let access_token = check_token(observed, expectation, now, &mut findings);
    Ok(Inspection {
        readonly,
        readwrite,
        access_token,
        findings,
    })
}

/// Checks one of the repository's own keys. `known` is its last known number.
pub(in crate::credentials) fn check_own_key(
    observed: Observed<'_>,
    permissions: Permissions,
    known: Option<u64>,
    findings: &mut BTreeSet<Finding>,
) -> Result<Option<StoredKey>, Error> {
    let key = DeployKey {
        owner: observed.repository,
        permissions,
    };
    let path = SecretPath::for_repository(observed.repository, permissions.into());
    findings.extend(check_secret(observed, permissions.into()));
    let title = key.to_string();
    let titled: Vec<&gitlab::DeployKey> = observed
        .keys
        .iter()
        .filter(|listed| listed.title == title)
        .collect();
    // The key in Vault is the one that works; else the one that the state names.
    let stored = observed.stored_id(permissions.into());
    let has_id = |wanted: Option<u64>| {
        let mut titled = titled.iter().copied();
        titled.find(|listed| Some(listed.id) == wanted)
    };
    let Some(listed) = has_id(stored)
        .or_else(|| has_id(known))
        .or(titled.first().copied())
    else {
        findings.insert(Finding::KeyMissing(key));
        return Ok(None);
    };
    if titled.len() > 1 {
        findings.insert(Finding::KeyRepeated(key));
    }
    let expected = [known, stored];
    if expected.into_iter().flatten().any(|id| id != listed.id) {
        findings.insert(Finding::KeyReplaced(key));
    }
    if listed.can_push != key.may_push() {
        findings.insert(Finding::WrongRights(key));
    }
    StoredKey::new(key, listed, &path).map(Some)
}

/// Checks a secret and its policy.
fn check_secret(observed: Observed<'_>, secret: GitSecret) -> impl Iterator<Item = Finding> {
    let path = SecretPath::for_repository(observed.repository, secret);
    let has_policy = observed.policies.contains(&path.policy_name());
    let of_secret = match observed.secrets.get(&secret) {
        Some(CurrentSecret::Missing) | None => Some(Finding::SecretMissing(path.clone())),
        Some(CurrentSecret::Deleted) => Some(Finding::SecretDeleted(path.clone())),
        Some(CurrentSecret::OfAnother) => Some(Finding::SecretOfAnother(path.clone())),
        Some(CurrentSecret::Holds(None)) => Some(Finding::SecretUnusable(path.clone())),
        Some(CurrentSecret::Holds(Some(_))) => None,
    };
    let of_policy = (!has_policy).then_some(Finding::PolicyMissing(path));
    of_secret.into_iter().chain(of_policy)
}

impl Observed<'_> {
    /// The number of the key or token that a secret holds.
    fn stored_id(&self, secret: GitSecret) -> Option<u64> {
        match self.secrets.get(&secret) {
            Some(CurrentSecret::Holds(id)) => *id,
            _ => None,
        }
    }

    fn has_secret(&self, secret: GitSecret) -> bool {
        let found = self.secrets.get(&secret);
        found.is_some_and(|found| *found != CurrentSecret::Missing)
    }
}

fn check_links(
    observed: Observed<'_>,
    enabled: &BTreeSet<DeployKey>,
    findings: &mut BTreeSet<Finding>,
) {
    let mut present = BTreeSet::new();
    for listed in observed.keys {
        let Ok(key) = listed.title.parse::<DeployKey>() else {
            continue;
        };
        if key.owner == observed.repository {
            continue;
        }
        if !present.insert(key) {
            findings.insert(Finding::EnabledTwice(key));
        }
        if !enabled.contains(&key) {
            findings.insert(Finding::NotAuthorised(key));
        } else if listed.can_push != key.may_push() {
            findings.insert(Finding::WrongRights(key));
        }
    }
    let others = enabled
        .iter()
        .filter(|key| key.owner != observed.repository);
    findings.extend(
        others
            .filter(|key| !present.contains(key))
            .map(|key| Finding::NotEnabled(*key)),
    );
}

fn check_token(
    observed: Observed<'_>,
    expectation: Expectation<'_>,
    now: SystemTime,
    findings: &mut BTreeSet<Finding>,
) -> Option<StoredToken> {
    let mut tokens: Vec<&AccessToken> = active(observed.tokens).collect();
    if expectation.token.is_none() {
        if !tokens.is_empty() || observed.has_secret(GitSecret::AccessToken) {
            findings.insert(Finding::TokenNotWanted);
        }
    } else {
        findings.extend(check_secret(observed, GitSecret::AccessToken));
        if tokens.is_empty() {
            findings.insert(Finding::TokenMissing);
        }
        if tokens.len() > 1 {
            findings.insert(Finding::TokenRepeated);
        }
        let is_active = |id| tokens.iter().any(|token| token.id == id);
        let stored = observed.stored_id(GitSecret::AccessToken);
        if !tokens.is_empty() && stored.is_some_and(|id| !is_active(id)) {
            findings.insert(Finding::TokenReplaced);
        }
    }
    // The one in Vault works; else the known one is reported until the repair.
    let stored = observed.stored_id(GitSecret::AccessToken);
    let known = expectation.known_token;
    tokens.sort_by_key(|token| {
        let id = Some(token.id);
        (id != stored, id != known, token.id)
    });
    let token = tokens.first()?;
    Some(StoredToken::new(
        token,
        observed.repository,
        expectation.token,
        now,
    ))
}
