//! Removal of a repository's credentials.

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::vault::{GitSecret, SecretPath};

use super::Credentials;
use super::error::Error;

impl Credentials {
    /// Removes the policies, secrets, access tokens and deploy keys of a repository, and the deploy
    /// keys of other repositories that are enabled on it.
    ///
    /// Any of them, and the repository itself, may be gone already. Keys and tokens of other titles
    /// and names stay. GitLab's tokens are listed only if Vault holds one or `has_token` says that
    /// there may be one.
    ///
    /// Its keys on other repositories are removed by [`Self::wait_for_distribution`], which must be
    /// called before this, once its manifest is deleted.
    pub async fn remove(&self, repository: RepositoryId, has_token: bool) -> Result<(), Error> {
        let stored = self.stored_secrets(repository).await?;
        let path = |secret| SecretPath::for_repository(repository, secret);
        for secret in GitSecret::ALL {
            self.delete_policy(&path(secret)).await?;
            if secret != GitSecret::AccessToken {
                self.delete_secret(&path(secret)).await?;
            }
        }
        if let Some(list) = if_found(self.key_list(repository).await)? {
            for listed in list.iter() {
                if let Ok(key) = listed.title.parse::<DeployKey>() {
                    self.remove_key(repository, key, listed.id).await?;
                }
            }
            if has_token || stored.contains(&GitSecret::AccessToken) {
                if_found(self.revoke_access_tokens(repository).await)?;
            }
        }
        // Deleted last, because after an interruption it shows that there may still be a token.
        self.delete_secret(&path(GitSecret::AccessToken)).await
    }
}

/// Returns `None` if GitLab does not find the repository.
fn if_found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(Error::GitLab { source, .. }) if source.is_not_found() => Ok(None),
        other => other.map(Some),
    }
}
