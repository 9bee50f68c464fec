//! A repository's access token, with which pipelines and Argo Events call GitLab's API.

mod decision;
mod token_policy;

use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::vault::{ACCESS_TOKEN, GitSecret, ID, SecretPath};

pub(super) use self::decision::{active, is_due};
pub use self::token_policy::{TokenPolicy, TokenPolicyError};

use self::decision::{ACCESS_LEVEL, Decision, NAME, SCOPE, decide, surplus};
use super::Credentials;
use super::deploy_key::MAX_ATTEMPTS;
use super::error::{Context as _, Error};
use super::owner::{KnownSecret, Owner};
use super::stored_secret::{expected_version, read_secret, stored_id};
use crate::backends::gitlab::{self, AccessToken, NewAccessToken};
use crate::backends::vault::{Expected, Kind, SecretValues};

/// An access token that is in Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// GitLab's number.
    pub id: u64,
    /// The day, `YYYY-MM-DD`, at whose beginning (UTC) it expires; `None` if it never does.
    pub expires_at: Option<String>,
    /// Whether it is due for rotation.
    pub rotation_due: bool,
    /// The path of the secret, with its mount: `git/gitlab/repo-7/default/accesstoken-api`.
    pub vault_path: String,
}

impl StoredToken {
    pub(super) fn new(
        token: &AccessToken,
        repository: RepositoryId,
        policy: Option<&TokenPolicy>,
        now: SystemTime,
    ) -> Self {
        Self {
            id: token.id,
            expires_at: token.expires_at.clone(),
            rotation_due: policy.is_some_and(|policy| is_due(policy, token, now)),
            vault_path: secret_path(repository).to_string(),
        }
    }
}

fn secret_path(repository: RepositoryId) -> SecretPath {
    SecretPath::for_repository(repository, GitSecret::AccessToken)
}

impl Credentials {
    /// Ensures that a repository has an access token that is not due for rotation, and that it is in
    /// Vault.
    ///
    /// A new token is written to Vault before the old one is revoked, so that there is a valid one at
    /// any time.
    pub(super) async fn ensure_access_token(
        &self,
        owner: &Owner,
        policy: &TokenPolicy,
        mut known: Option<KnownSecret>,
        now: SystemTime,
    ) -> Result<StoredToken, Error> {
        let repository = owner.repository;
        let path = secret_path(repository);
        for _ in 0..MAX_ATTEMPTS {
            let stored = if known.is_some() {
                read_secret(&self.vault, &path).await?
            } else {
                None
            };
            let current = stored
                .as_ref()
                .and_then(|stored| stored_id(stored, ACCESS_TOKEN));
            let mut listed = self.access_tokens(repository).await?;
            let id = match (decide(policy, current, &listed, now), current) {
                (Decision::Keep, Some(id)) => {
                    let version = stored.as_ref().map_or(0, |stored| stored.version);
                    self.note_version(owner, &path, known.as_ref(), version, id)
                        .await?;
                    self.ensure_policy(&path).await?;
                    id
                }
                (Decision::Keep | Decision::Create | Decision::Rotate, _) => {
                    let expected = expected_version(stored.as_ref());
                    self.mark_secret(owner, &path, known.as_ref()).await?;
                    let created = self
                        .create_access_token(repository, policy, now, expected)
                        .await?;
                    let Some((id, version)) = created else {
                        known = self.known_secret(&path).await?;
                        if let Some(known) = &known {
                            let secret = GitSecret::AccessToken;
                            self.check_owner(owner, secret, known).await?;
                        }
                        continue;
                    };
                    self.note_version(owner, &path, None, version, id).await?;
                    self.write_policy(&path).await?;
                    listed = self.access_tokens(repository).await?;
                    id
                }
            };
            for surplus in surplus(Some(id), &listed) {
                self.revoke(repository, surplus).await?;
            }
            if let Some(token) = listed.iter().find(|token| token.id == id) {
                return Ok(StoredToken::new(token, repository, Some(policy), now));
            }
        }
        Err(Error::Contended {
            path: path.to_string(),
        })
    }

    /// Creates a token and stores it, and returns its number and the version of its secret; `None` if another process has stored one in the meantime.
    async fn create_access_token(
        &self,
        repository: RepositoryId,
        policy: &TokenPolicy,
        now: SystemTime,
        expected: Expected,
    ) -> Result<Option<(u64, u64)>, Error> {
        let created = self.send_new_token(repository, policy, now).await;
        let created =
            created.with_context(|| format!("create an access token for {repository}"))?;
        let text = created.token.ok_or(Error::TokenNotShown { repository })?;
        let values = SecretValues::default()
            .with(ACCESS_TOKEN, text)
            .with(ID, created.id.to_string());
        let path = secret_path(repository);
        match self.vault.write_secret(&path, &values, expected).await {
            Err(error) if *error.kind() == Kind::Conflict => {
                self.revoke(repository, created.id).await?;
                Ok(None)
            }
            written => {
                let version = written.with_context(|| format!("write the secret {path}"))?;
                Ok(Some((created.id, version)))
            }
        }
    }

    /// Creates a token that expires as the policy says, or as late as GitLab allows.
    ///
    /// If the outcome is unknown, it creates another one: the text of the first is lost with the
    /// response, and that token is revoked with all others that are not in Vault.
    async fn send_new_token(
        &self,
        repository: RepositoryId,
        policy: &TokenPolicy,
        now: SystemTime,
    ) -> Result<AccessToken, gitlab::Error> {
        let mut new = NewAccessToken {
            name: NAME.to_owned(),
            scopes: vec![SCOPE.to_owned()],
            access_level: ACCESS_LEVEL,
            expires_at: policy.expiry(now),
        };
        let project = repository.number();
        let mut created = self.gitlab.create_access_token(project, &new).await;
        if let Err(error) = &created
            && let Some(latest) = latest_expiry(error, now)
        {
            new.expires_at = latest;
            created = self.gitlab.create_access_token(project, &new).await;
        }
        match created {
            Err(error) if error.may_have_happened() => {
                self.gitlab.create_access_token(project, &new).await
            }
            result => result,
        }
    }

    /// Whether a repository has an access token of our name, or Vault a secret of one.
    pub async fn has_access_token(&self, repository: RepositoryId) -> Result<bool, Error> {
        let stored = self.stored_secrets(repository).await?;
        if stored.contains(&GitSecret::AccessToken) {
            return Ok(true);
        }
        let listed = self.access_tokens(repository).await?;
        Ok(active(&listed).next().is_some())
    }

    /// Removes a repository's access token, its policy and its secret. The secret is deleted last,
    /// because after an interruption it shows that there may still be a token.
    pub(super) async fn remove_access_token(
        &self,
        repository: RepositoryId,
        is_stored: bool,
    ) -> Result<(), Error> {
        let path = secret_path(repository);
        if is_stored {
            self.delete_policy(&path).await?;
        }
        self.revoke_access_tokens(repository).await?;
        if is_stored {
            self.delete_secret(&path).await?;
        }
        Ok(())
    }

    /// Revokes all active tokens of our name.
    pub(super) async fn revoke_access_tokens(&self, repository: RepositoryId) -> Result<(), Error> {
        let listed = self.access_tokens(repository).await?;
        for token in surplus(None, &listed) {
            self.revoke(repository, token).await?;
        }
        Ok(())
    }

    pub(super) async fn access_tokens(
        &self,
        repository: RepositoryId,
    ) -> Result<Vec<AccessToken>, Error> {
        let listed = self.gitlab.access_tokens(repository.number()).await;
        listed.with_context(|| format!("list the access tokens of {repository}"))
    }

    async fn revoke(&self, repository: RepositoryId, token: u64) -> Result<(), Error> {
        match self
            .gitlab
            .revoke_access_token(repository.number(), token)
            .await
        {
            Err(error) if error.is_not_found() => Ok(()),
            revoked => {
                revoked.with_context(|| format!("revoke the access token {token} of {repository}"))
            }
        }
    }
}

/// Returns the last day that GitLab allows, if it refused the expiry of a token: `400 Bad request -
/// Expires at must be before 2027-12-27`.
fn latest_expiry(error: &gitlab::Error, now: SystemTime) -> Option<String> {
    let complaint = error
        .field_errors()
        .iter()
        .map(|complaint| &complaint.text)
        .find(|text| text.to_lowercase().contains("expires at"))?;
    let named = complaint
        .split_whitespace()
        .find_map(token_policy::day_before);
    Some(named.unwrap_or_else(|| TokenPolicy::longest_expiry(now)))
}
