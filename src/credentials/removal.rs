//! Removal of a repository's credentials: first what GitLab has, which can be made again, then what
//! Vault has, which cannot.

use std::collections::BTreeSet;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::DeployKey;
use nautes_model::vault::{GitSecret, SecretPath};

use super::Credentials;
use super::error::{Context as _, Error};
use super::owner::Owner;

impl Credentials {
    /// Checks that the secrets and policies of a repository are its own and that the token of Vault
    /// may delete them, and deletes nothing.
    pub async fn check_removable(&self, owner: impl Into<Owner>) -> Result<(), Error> {
        let owner = owner.into();
        self.own_secrets(&owner).await?;
        let repository = owner.repository;
        let secrets = GitSecret::ALL.map(|secret| SecretPath::for_repository(repository, secret));
        let checked = self.vault.check_deletable(&secrets).await;
        checked.with_context(|| format!("delete the secrets and policies of {repository}"))
    }

    /// Removes all credentials of a repository.
    pub async fn remove(&self, owner: impl Into<Owner>, has_token: bool) -> Result<(), Error> {
        let owner = owner.into();
        let stored = self.own_secrets(&owner).await?.into_keys().collect();
        self.remove_from_gitlab(owner.repository, has_token).await?;
        self.delete_from_vault(owner.repository, &stored).await
    }

    /// Removes the access tokens and deploy keys of a repository, and the deploy keys of other
    /// repositories that are enabled on it.
    ///
    /// Any of them, and the repository itself, may be gone already. Keys and tokens of other titles
    /// and names stay. Tokens are listed only if Vault holds one or `has_token` says that there may
    /// be one.
    ///
    /// Its keys on other repositories are removed by [`Self::wait_for_distribution`], which must be
    /// called before this, once its manifest is deleted.
    pub async fn remove_from_gitlab(
        &self,
        repository: RepositoryId,
        has_token: bool,
    ) -> Result<(), Error> {
        let stored = self.stored_secrets(repository).await?;
        let Some(list) = if_found(self.key_list(repository).await)? else {
            return Ok(());
        };
        for listed in list.iter() {
            if let Ok(key) = listed.title.parse::<DeployKey>() {
                self.remove_key(repository, key, listed.id).await?;
            }
        }
        if has_token || stored.contains(&GitSecret::AccessToken) {
            if_found(self.revoke_access_tokens(repository).await)?;
        }
        Ok(())
    }

    /// Deletes the policies and secrets of a repository in Vault; any of them may be gone already.
    ///
    /// Call it last: all versions of the secrets are gone after it. Each policy goes with its own
    /// secret, and the access token's secret at the end, because it shows after an interruption that
    /// there may still be a token.
    ///
    /// Call [`Self::check_removable`] before anything is removed: without the keys in GitLab nothing
    /// proves any more whose a secret is that names no owner. One that names another owner is an
    /// error before the first deletion.
    pub async fn remove_from_vault(&self, owner: impl Into<Owner>) -> Result<(), Error> {
        let owner = owner.into();
        let stored = self.refuse_secrets_of_another(&owner).await?;
        self.delete_from_vault(owner.repository, &stored).await
    }

    pub(super) async fn delete_from_vault(
        &self,
        repository: RepositoryId,
        stored: &BTreeSet<GitSecret>,
    ) -> Result<(), Error> {
        for secret in GitSecret::ALL {
            let path = SecretPath::for_repository(repository, secret);
            if stored.contains(&secret) {
                self.delete_policy(&path).await?;
                self.delete_secret(&path).await?;
            } else {
                self.delete_policy_without_secret(&path).await?;
            }
        }
        Ok(())
    }
}

/// Returns `None` if GitLab does not find the repository.
fn if_found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(Error::GitLab { source, .. }) if source.is_not_found() => Ok(None),
        other => other.map(Some),
    }
}
