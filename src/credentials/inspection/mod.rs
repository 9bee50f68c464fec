//! What there is of a repository's credentials, and what is wrong with it; nothing is changed.
//!
//! Takes one listing of the repository's secrets, one of all policies for the whole process, and at
//! most two calls to GitLab. What secrets hold is looked at when changes are applied, not here.

mod finding;
mod judgement;

use std::collections::BTreeSet;
use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::vault::GitSecret;

pub use self::finding::Finding;
pub(super) use self::judgement::{Seen, judge_own_key};

use self::judgement::judge;
use super::access_token::{KeptToken, Terms};
use super::deploy_key::KeptKey;
use super::{Credentials, Error};

/// How a repository's credentials should be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expectation<'a> {
    /// The keys that are to be enabled on it, its own included; none if that is not known, so that
    /// only its own keys are judged.
    pub enabled: Option<&'a BTreeSet<DeployKey>>,
    /// The access token that is wanted.
    pub token: Option<&'a Terms>,
    /// GitLab's number of the access token that was known last.
    pub known_token: Option<u64>,
}

/// What there is of a repository's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Its own read-only key, if GitLab has it.
    pub readonly: Option<KeptKey>,
    /// Its own read-write key, if GitLab has it.
    pub readwrite: Option<KeptKey>,
    /// Its access token, if it works.
    pub access_token: Option<KeptToken>,
    /// What is wrong, sorted, each once.
    pub findings: BTreeSet<Finding>,
}

impl Credentials {
    /// Looks at a repository's credentials. `now` decides whether its access token is to be
    /// replaced.
    pub async fn inspect(
        &self,
        repository: RepositoryId,
        expectation: Expectation<'_>,
        now: SystemTime,
    ) -> Result<Inspection, Error> {
        let secrets = self.stored_secrets(repository).await?;
        let policies = self.policies.of_repository(repository).await?;
        let keys = self.own_list(repository).await?;
        let has_token = expectation.token.is_some()
            || expectation.known_token.is_some()
            || secrets.contains(&GitSecret::AccessToken);
        let tokens = if has_token {
            self.access_tokens(repository).await?
        } else {
            Vec::new()
        };
        let seen = Seen {
            repository,
            secrets: &secrets,
            policies: &policies,
            keys: &keys,
            tokens: &tokens,
        };
        judge(seen, expectation, now)
    }
}
