//! The end of a repository's credentials.

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::vault::{GitSecret, SecretPath};

use super::Credentials;
use super::error::Error;

impl Credentials {
    /// Removes a repository's policies, secrets and access tokens, its deploy keys, and those of other
    /// repositories that are enabled on it; some of them, or the repository itself, may be gone
    /// already. What has another title or name is left alone.
    ///
    /// Its keys are taken from other repositories by [`Self::settle`], once its manifest is gone; so
    /// that is over before this begins.
    pub async fn retire(&self, repository: RepositoryId) -> Result<(), Error> {
        for secret in GitSecret::ALL {
            let path = SecretPath::of_repository(repository, secret);
            self.delete_policy(&path).await?;
            self.delete_secret(&path).await?;
        }
        let Some(listed) = unless_gone(self.own_list(repository).await)? else {
            return Ok(());
        };
        for listed in listed.iter() {
            if let Ok(key) = listed.title.parse::<DeployKey>() {
                self.remove_key(repository, key, listed.id).await?;
            }
        }
        unless_gone(self.revoke_access_tokens(repository).await)?;
        Ok(())
    }
}

/// Nothing, if GitLab does not know the repository any more.
fn unless_gone<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(Error::GitLab { source, .. }) if source.is_not_found() => Ok(None),
        other => other.map(Some),
    }
}
