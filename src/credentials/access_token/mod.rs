//! A repository's access token, with which pipelines and Argo Events use GitLab's API.

mod decision;
mod terms;

use std::time::SystemTime;

use nautes_model::RepositoryId;
use nautes_model::vault::{ACCESS_TOKEN, GitSecret, ID, SecretPath};

pub(super) use self::decision::{is_due, live};
pub use self::terms::{Terms, TermsError};

use self::decision::{Decision, LEVEL, NAME, SCOPE, decide, surplus};
use super::Credentials;
use super::deploy_key::RACES;
use super::error::{Error, Trying as _};
use super::vault_entry::{number, read, replaced};
use crate::backends::gitlab::{self, AccessToken, NewAccessToken};
use crate::backends::vault::{Expected, Kind, SecretValues};

/// An access token that is in Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// GitLab's number.
    pub id: u64,
    /// The day, `YYYY-MM-DD`, at whose beginning (UTC) it ends; none if it does not.
    pub expires_at: Option<String>,
    /// Whether it is to be replaced.
    pub rotation_due: bool,
    /// The secret's place, with its mount: `git/gitlab/repo-7/default/accesstoken-api`.
    pub vault_path: String,
}

impl KeptToken {
    pub(super) fn of(
        token: &AccessToken,
        repository: RepositoryId,
        terms: Option<&Terms>,
        now: SystemTime,
    ) -> Self {
        Self {
            id: token.id,
            expires_at: token.expires_at.clone(),
            rotation_due: terms.is_some_and(|terms| is_due(terms, token, now)),
            vault_path: path(repository).to_string(),
        }
    }
}

fn path(repository: RepositoryId) -> SecretPath {
    SecretPath::of_repository(repository, GitSecret::AccessToken)
}

impl Credentials {
    /// Makes sure that a repository has a token that works long enough, and that Vault holds it.
    ///
    /// A new one is made, then written to Vault, and only then is the old one revoked, so that
    /// there is one that works at any time.
    pub(super) async fn ensure_access_token(
        &self,
        repository: RepositoryId,
        terms: &Terms,
        mut is_stored: bool,
        now: SystemTime,
    ) -> Result<KeptToken, Error> {
        let path = path(repository);
        for _ in 0..RACES {
            let stored = if is_stored {
                read(&self.vault, &path).await?
            } else {
                None
            };
            let named = stored
                .as_ref()
                .and_then(|stored| number(stored, ACCESS_TOKEN));
            let mut listed = self.access_tokens(repository).await?;
            let id = match (decide(terms, named, &listed, now), named) {
                (Decision::Keep, Some(id)) => {
                    self.keep_policy(&path).await?;
                    id
                }
                (Decision::Keep | Decision::Make | Decision::Rotate, _) => {
                    let replaced = replaced(stored.as_ref());
                    let made = self
                        .make_access_token(repository, terms, now, replaced)
                        .await?;
                    let Some(id) = made else {
                        is_stored = true;
                        continue;
                    };
                    self.write_policy(&path).await?;
                    listed = self.access_tokens(repository).await?;
                    id
                }
            };
            for surplus in surplus(Some(id), &listed) {
                self.revoke(repository, surplus).await?;
            }
            if let Some(token) = listed.iter().find(|token| token.id == id) {
                return Ok(KeptToken::of(token, repository, Some(terms), now));
            }
        }
        Err(Error::Contended {
            path: path.to_string(),
        })
    }

    /// Makes a token and stores it; none if another process stored one meanwhile.
    async fn make_access_token(
        &self,
        repository: RepositoryId,
        terms: &Terms,
        now: SystemTime,
        replaced: Expected,
    ) -> Result<Option<u64>, Error> {
        let made = self.create_token(repository, terms, now).await;
        let made = made.trying_to(|| format!("make an access token for {repository}"))?;
        let text = made.token.ok_or(Error::TokenNotShown { repository })?;
        let values = SecretValues::default()
            .with(ACCESS_TOKEN, text)
            .with(ID, made.id.to_string());
        let path = path(repository);
        match self.vault.write_secret(&path, &values, replaced).await {
            Err(error) if *error.kind() == Kind::Conflict => {
                self.revoke(repository, made.id).await?;
                Ok(None)
            }
            written => {
                written.trying_to(|| format!("write the secret {path}"))?;
                Ok(Some(made.id))
            }
        }
    }

    /// Creates a token that ends when it is wanted to, or when GitLab allows at the latest.
    ///
    /// Where it is not known whether that happened, another one is made: the first could not be
    /// used, as its text is in the lost answer, and is revoked with all that Vault does not name.
    async fn create_token(
        &self,
        repository: RepositoryId,
        terms: &Terms,
        now: SystemTime,
    ) -> Result<AccessToken, gitlab::Error> {
        let mut new = NewAccessToken {
            name: NAME.to_owned(),
            scopes: vec![SCOPE.to_owned()],
            access_level: LEVEL,
            expires_at: terms.expiry(now),
        };
        let project = repository.number();
        let mut made = self.gitlab.create_access_token(project, &new).await;
        if let Err(error) = &made
            && let Some(latest) = latest_expiry(error, now)
        {
            new.expires_at = latest;
            made = self.gitlab.create_access_token(project, &new).await;
        }
        match made {
            Err(error) if error.may_have_happened() => {
                self.gitlab.create_access_token(project, &new).await
            }
            answered => answered,
        }
    }

    /// Removes a repository's access token, its policy and its secret, if there is any of them. The
    /// secret goes last: as long as it is there, it shows that there is something to be removed.
    pub(super) async fn remove_access_token(
        &self,
        repository: RepositoryId,
        is_stored: bool,
    ) -> Result<(), Error> {
        let path = path(repository);
        if is_stored {
            self.delete_policy(&path).await?;
        }
        self.revoke_access_tokens(repository).await?;
        if is_stored {
            self.delete_secret(&path).await?;
        }
        Ok(())
    }

    /// Revokes all tokens that could have been made for a repository here.
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
        listed.trying_to(|| format!("list the access tokens of {repository}"))
    }

    async fn revoke(&self, repository: RepositoryId, token: u64) -> Result<(), Error> {
        match self
            .gitlab
            .revoke_access_token(repository.number(), token)
            .await
        {
            Err(error) if error.is_not_found() => Ok(()),
            revoked => {
                revoked.trying_to(|| format!("revoke the access token {token} of {repository}"))
            }
        }
    }
}

/// The last day that GitLab allows, if it refused a token because of its end: `400 Bad request -
/// Expires at must be before 2027-12-27`.
fn latest_expiry(error: &gitlab::Error, now: SystemTime) -> Option<String> {
    let about_end = "expires at";
    let complaint = error
        .complaints()
        .iter()
        .map(|complaint| &complaint.text)
        .find(|text| text.to_lowercase().contains(about_end))?;
    let named = complaint.split_whitespace().find_map(terms::day_before);
    Some(named.unwrap_or_else(|| Terms::longest_expiry(now)))
}
