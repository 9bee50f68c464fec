//! What is wrong with what was seen.

use std::collections::BTreeSet;
use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::entity::Permissions;
use nautes_model::vault::{GitSecret, SecretPath};

use super::{Expectation, Finding, Inspection};
use crate::backends::gitlab::{self, AccessToken};
use crate::credentials::access_token::{KeptToken, live};
use crate::credentials::deploy_key::KeptKey;
use crate::credentials::distribution::may_push;
use crate::credentials::error::Error;

/// What was seen of a repository.
#[derive(Debug, Clone, Copy)]
pub(in crate::credentials) struct Seen<'a> {
    pub(in crate::credentials) repository: RepositoryId,
    pub(in crate::credentials) secrets: &'a BTreeSet<GitSecret>,
    /// The names of the policies of its secrets that there are.
    pub(in crate::credentials) policies: &'a BTreeSet<String>,
    pub(in crate::credentials) keys: &'a [gitlab::DeployKey],
    pub(in crate::credentials) tokens: &'a [AccessToken],
}

/// Compares what was seen with what should be.
pub(super) fn judge(
    seen: Seen<'_>,
    expectation: Expectation<'_>,
    now: SystemTime,
) -> Result<Inspection, Error> {
    let mut findings = BTreeSet::new();
    let readonly = judge_own_key(seen, Permissions::ReadOnly, &mut findings)?;
    let readwrite = judge_own_key(seen, Permissions::ReadWrite, &mut findings)?;
    if let Some(enabled) = expectation.enabled {
        judge_links(seen, enabled, &mut findings);
    }
    let access_token = judge_token(seen, expectation, now, &mut findings);
    Ok(Inspection {
        readonly,
        readwrite,
        access_token,
        findings,
    })
}

/// Looks at one of the repository's own keys.
pub(in crate::credentials) fn judge_own_key(
    seen: Seen<'_>,
    permissions: Permissions,
    findings: &mut BTreeSet<Finding>,
) -> Result<Option<KeptKey>, Error> {
    let key = DeployKey {
        owner: seen.repository,
        permissions,
    };
    let path = SecretPath::of_repository(seen.repository, permissions.into());
    findings.extend(judge_secret(seen, permissions.into()));
    let title = key.to_string();
    let mut titled = seen.keys.iter().filter(|listed| listed.title == title);
    let Some(listed) = titled.next() else {
        findings.insert(Finding::KeyMissing(key));
        return Ok(None);
    };
    if titled.next().is_some() {
        findings.insert(Finding::KeyRepeated(key));
    }
    if listed.can_push != may_push(key) {
        findings.insert(Finding::WrongRights(key));
    }
    KeptKey::of(key, listed, &path).map(Some)
}

/// What is missing of a secret.
fn judge_secret(seen: Seen<'_>, secret: GitSecret) -> impl Iterator<Item = Finding> {
    let path = SecretPath::of_repository(seen.repository, secret);
    let is_open = seen.policies.contains(&path.policy_name());
    let is_stored = seen.secrets.contains(&secret);
    [
        (!is_stored).then(|| Finding::SecretMissing(path.clone())),
        (!is_open).then(|| Finding::PolicyMissing(path.clone())),
    ]
    .into_iter()
    .flatten()
}

fn judge_links(seen: Seen<'_>, enabled: &BTreeSet<DeployKey>, findings: &mut BTreeSet<Finding>) {
    let mut present = BTreeSet::new();
    for listed in seen.keys {
        let Ok(key) = listed.title.parse::<DeployKey>() else {
            continue;
        };
        if key.owner == seen.repository {
            continue;
        }
        present.insert(key);
        if !enabled.contains(&key) {
            findings.insert(Finding::NotAuthorised(key));
        } else if listed.can_push != may_push(key) {
            findings.insert(Finding::WrongRights(key));
        }
    }
    let others = enabled.iter().filter(|key| key.owner != seen.repository);
    findings.extend(
        others
            .filter(|key| !present.contains(key))
            .map(|key| Finding::NotEnabled(*key)),
    );
}

fn judge_token(
    seen: Seen<'_>,
    expectation: Expectation<'_>,
    now: SystemTime,
    findings: &mut BTreeSet<Finding>,
) -> Option<KeptToken> {
    let mut tokens: Vec<&AccessToken> = live(seen.tokens).collect();
    if expectation.token.is_none() {
        if !tokens.is_empty() || seen.secrets.contains(&GitSecret::AccessToken) {
            findings.insert(Finding::TokenNotWanted);
        }
    } else {
        findings.extend(judge_secret(seen, GitSecret::AccessToken));
        if tokens.is_empty() {
            findings.insert(Finding::TokenMissing);
        }
        if tokens.len() > 1 {
            findings.insert(Finding::TokenRepeated);
        }
    }
    // Of several, the one that was known; which one Vault names shows when that is repaired.
    tokens.sort_by_key(|token| (Some(token.id) != expectation.known_token, token.id));
    let token = tokens.first()?;
    Some(KeptToken::of(
        token,
        seen.repository,
        expectation.token,
        now,
    ))
}
