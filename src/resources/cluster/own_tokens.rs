//! The token of the provider's service account in a cluster, and its rotation.

use std::time::{Duration, SystemTime};

use kubernetes_apply::cluster::{ApiError, Cluster, Detail};
use kubernetes_apply::object::{Kind, Object};
use kubernetes_apply::ownership::Adoption;
use nautes_model::EntityName;
use terraform_plugin::diagnostics::Diagnostics;

use super::setup::token_in;
use super::stored::ClusterSecrets;
use crate::clusters::{CREDENTIAL_SECRETS, NAMESPACE, own_token, owner};
use crate::diagnostics::Context as _;
use crate::secret::ExposeSecret as _;

/// How long a Secret may take to go.
const GONE_TIMEOUT: Duration = Duration::from_secs(60);

/// The Secrets with tokens of the provider's service account in a cluster.
pub(super) struct OwnTokens<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) name: &'a EntityName,
}

impl OwnTokens<'_> {
    /// Returns which Secret holds the token that Vault has; `None` if none does.
    pub(super) async fn current(
        &self,
        secrets: &ClusterSecrets<'_>,
    ) -> Result<Option<&'static str>, Diagnostics> {
        let Some(stored) = secrets.read().await? else {
            return Ok(None);
        };
        let attempt = || {
            format!(
                "read the tokens of the provider in the cluster {}",
                self.name
            )
        };
        for name in CREDENTIAL_SECRETS {
            let found = self.find(name).await.with_context(attempt)?;
            let token = found.as_ref().and_then(token_in);
            let is_stored = token.is_some_and(|token| {
                let kubeconfig = stored.kubeconfig.expose_secret();
                kubeconfig.contains(token.expose_secret())
            });
            if is_stored {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Returns which Secret holds the token from now on.
    pub(super) fn next(current: Option<&'static str>, rotates: bool) -> &'static str {
        let [first, second] = CREDENTIAL_SECRETS;
        match current {
            Some(current) if !rotates => current,
            Some(current) if current == first => second,
            Some(_) | None => first,
        }
    }

    pub(super) async fn make(&self, name: &str, attempt: &str) -> Result<(), Diagnostics> {
        let owner = owner().context(attempt)?;
        let secret = own_token(name).context(attempt)?;
        let made = self.cluster.apply(&secret, &owner, &Adoption::Never).await;
        made.map(drop).context(attempt)
    }

    /// Removes the Secrets besides one, which ends their tokens.
    pub(super) async fn remove_others(&self, kept: &str, attempt: &str) -> Result<(), Diagnostics> {
        let owner = owner().context(attempt)?;
        for name in CREDENTIAL_SECRETS.into_iter().filter(|name| *name != kept) {
            let found = self.find(name).await.context(attempt)?;
            let Some(found) = found.filter(|found| owner.label.is_on(found)) else {
                continue;
            };
            let uid = found.uid().unwrap_or_default();
            let reference = found.reference();
            let deleted = self
                .cluster
                .delete_own(reference, uid, &owner, GONE_TIMEOUT);
            deleted.await.context(attempt)?;
        }
        Ok(())
    }

    /// Whether the token that is in use is older than it may become; `false` if there is none.
    pub(super) async fn is_due(&self, rotate_after: Duration) -> Result<bool, ApiError> {
        let mut newest: Option<SystemTime> = None;
        for name in CREDENTIAL_SECRETS {
            let found = self.find(name).await?;
            let created = found
                .as_ref()
                .and_then(|found| found.text("/metadata/creationTimestamp"));
            let created = created.and_then(|text| humantime::parse_rfc3339(text).ok());
            newest = newest.max(created);
        }
        Ok(newest.is_some_and(|created| {
            let age = SystemTime::now().duration_since(created);
            age.is_ok_and(|age| age >= rotate_after)
        }))
    }

    async fn find(&self, name: &str) -> Result<Option<Object>, ApiError> {
        let kind = Kind::new("v1", "Secret");
        self.cluster
            .find(&kind, Some(NAMESPACE), name, Detail::Full)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_takes_the_other_secret_and_anything_else_the_same() {
        let [first, second] = CREDENTIAL_SECRETS;
        assert_eq!(OwnTokens::next(None, false), first);
        assert_eq!(OwnTokens::next(Some(second), false), second);
        assert_eq!(OwnTokens::next(Some(first), true), second);
        assert_eq!(OwnTokens::next(Some(second), true), first);
    }
}
