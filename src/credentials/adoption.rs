//! What the adoption of a project would take from others.

use nautes_model::deploy_key::DeployKey;
use nautes_model::vault::{ACCESS_TOKEN, GitSecret, SecretPath};

use super::Credentials;
use super::access_token::active;
use super::deploy_key::find_stored;
use super::error::Error;
use super::owner::Owner;
use super::stored_secret::{read_secret, stored_id};

impl Credentials {
    /// Describes the deploy keys and active access tokens of a repository's own titles and name that
    /// Vault does not hold: nothing proves that they are its own, and [`Self::ensure`] would remove them.
    pub async fn not_in_vault(&self, owner: impl Into<Owner>) -> Result<Vec<String>, Error> {
        let owner = owner.into();
        let repository = owner.repository;
        let own = self.own_secrets(&owner).await?;
        let read = async |secret: GitSecret| match own.get(&secret) {
            Some(_) => {
                let path = SecretPath::for_repository(repository, secret);
                read_secret(&self.vault, &path).await
            }
            None => Ok(None),
        };
        let mut unknown = Vec::new();
        let keys = self.key_list(repository).await?;
        for key in DeployKey::both(repository) {
            let stored = read(key.permissions.into()).await?;
            let held = stored
                .as_ref()
                .and_then(|stored| find_stored(&keys, stored));
            let held = held.map(|held| held.id);
            let title = key.to_string();
            let of_title = keys.iter().filter(|listed| listed.title == title);
            let others = of_title.filter(|listed| Some(listed.id) != held);
            unknown.extend(others.map(|listed| format!("the deploy key {title} ({})", listed.id)));
        }
        let stored = read(GitSecret::AccessToken).await?;
        let held = stored
            .as_ref()
            .and_then(|stored| stored_id(stored, ACCESS_TOKEN));
        let tokens = self.access_tokens(repository).await?;
        let others = active(&tokens).filter(|token| Some(token.id) != held);
        unknown
            .extend(others.map(|token| format!("the access token {} ({})", token.name, token.id)));
        Ok(unknown)
    }
}
