//! The tokens of service accounts in a cluster, and their rotation.
//!
//! A rotation makes the other of two Secrets, and removes the first when the new token is in use. Which of them is in
//! use is not recorded anywhere: the token that is used says so. So a run that was killed leaves at most one Secret
//! more, which the next one removes.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubernetes_apply::cluster::{ApiError, Cluster, Detail};
use kubernetes_apply::object::{Kind, Object};
use kubernetes_apply::ownership::Adoption;
use kubernetes_apply::single::DeleteObjectFailure;
use nautes_model::EntityName;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::waiting::waiting_for;

use crate::clusters::{TokenAccount, owner};
use crate::diagnostics::Context as _;
use crate::secret::Secret;

/// How long the cluster may take to fill in a token.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(60);

/// How often it is asked for the token.
const TOKEN_INTERVAL: Duration = Duration::from_millis(500);

/// How long a Secret may take to go.
const GONE_TIMEOUT: Duration = Duration::from_secs(60);

/// The tokens of a service account.
pub(super) struct Tokens<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) cluster_name: &'a EntityName,
    pub(super) account: &'static TokenAccount,
}

/// The token to use from now on.
pub(super) struct CurrentToken {
    /// The name of its Secret.
    pub(super) secret: &'static str,
    pub(super) token: Secret,
    /// Whether it has to be put to use.
    pub(super) is_new: bool,
}

impl Tokens<'_> {
    /// Returns the token to use from now on: the one that is in use, or a new one if none is in use or if it is older than
    /// `rotate_after`.
    pub(super) async fn ensure(
        &self,
        rotate_after: Option<Duration>,
        is_used: impl Fn(&Secret) -> bool,
    ) -> Result<CurrentToken, Diagnostics> {
        let mut used = None;
        for name in self.account.secrets {
            let Some(found) = self.find(name).await? else {
                continue;
            };
            if let Some(token) = token_in(&found).filter(&is_used) {
                used = Some((name, token, age(&found)));
            }
        }
        let [first, second] = self.account.secrets;
        let next = match used {
            Some((secret, token, age)) => {
                if rotate_after.is_none_or(|limit| age.is_none_or(|age| age < limit)) {
                    return Ok(CurrentToken {
                        secret,
                        token,
                        is_new: false,
                    });
                }
                let next = if secret == first { second } else { first };
                // One that was left over would be as old.
                self.remove(next).await?;
                next
            }
            None => first,
        };
        self.make(next).await?;
        Ok(CurrentToken {
            secret: next,
            token: self.wait_for(next).await?,
            is_new: true,
        })
    }

    /// Removes the Secrets besides one, which ends their tokens.
    pub(super) async fn remove_others(&self, kept: &str) -> Result<(), Diagnostics> {
        for name in self.account.secrets {
            if name != kept {
                self.remove(name).await?;
            }
        }
        Ok(())
    }

    /// Removes all Secrets.
    pub(super) async fn remove_all(&self) -> Result<(), Diagnostics> {
        self.remove_others("").await
    }

    /// Returns the age of the newest token; `None` if there is none.
    pub(super) async fn age(&self) -> Result<Option<Duration>, ApiError> {
        let mut newest = None;
        for name in self.account.secrets {
            let found = self.read(name).await?;
            let age = found.as_ref().and_then(age);
            newest = match (newest, age) {
                (Some(one), Some(other)) => Some(std::cmp::min(one, other)),
                (one, other) => one.or(other),
            };
        }
        Ok(newest)
    }

    /// Whether there is a Secret with a token for which this holds.
    pub(super) async fn any(&self, is_used: impl Fn(&Secret) -> bool) -> Result<bool, ApiError> {
        for name in self.account.secrets {
            let found = self.read(name).await?;
            if found
                .as_ref()
                .and_then(token_in)
                .is_some_and(|token| is_used(&token))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn make(&self, name: &str) -> Result<(), Diagnostics> {
        let attempt = self.attempt("make");
        let owner = owner().context(&attempt)?;
        let secret = self.account.secret(name).context(&attempt)?;
        let made = self.cluster.apply(&secret, &owner, &Adoption::Never).await;
        made.map(drop).context(attempt)
    }

    /// Waits until the cluster has filled in a token.
    async fn wait_for(&self, name: &'static str) -> Result<Secret, Diagnostics> {
        let namespace = self.account.namespace;
        let _waiting = waiting_for(move || format!("the token in the Secret {namespace}/{name}"));
        let deadline = tokio::time::Instant::now() + TOKEN_TIMEOUT;
        loop {
            if let Some(token) = self.find(name).await?.as_ref().and_then(token_in) {
                return Ok(token);
            }
            if tokio::time::Instant::now() >= deadline {
                let detail = format!(
                    "The cluster has not filled in the token in the Secret {namespace}/{name} for {} s. Check that its controller manager runs, then apply again.",
                    TOKEN_TIMEOUT.as_secs()
                );
                let summary = format!("Cannot {}", self.attempt("make"));
                return Err(Diagnostic::error(summary, detail).into());
            }
            tokio::time::sleep(TOKEN_INTERVAL).await;
        }
    }

    async fn remove(&self, name: &str) -> Result<(), Diagnostics> {
        let attempt = self.attempt("remove");
        let owner = owner().context(&attempt)?;
        let found = self.find(name).await?;
        let Some(found) = found.filter(|found| owner.label.is_on(found)) else {
            return Ok(());
        };
        let uid = found.uid().unwrap_or_default();
        let reference = found.reference();
        let deleted = self
            .cluster
            .delete_own(reference, uid, &owner, GONE_TIMEOUT)
            .await;
        match deleted {
            // Another run has made it anew.
            Err(error) if matches!(error.reason, DeleteObjectFailure::Foreign(_)) => Ok(()),
            deleted => deleted.context(attempt),
        }
    }

    async fn find(&self, name: &str) -> Result<Option<Object>, Diagnostics> {
        let found = self.read(name).await;
        found.with_context(|| self.attempt("read"))
    }

    async fn read(&self, name: &str) -> Result<Option<Object>, ApiError> {
        let kind = Kind::new("v1", "Secret");
        let namespace = Some(self.account.namespace);
        self.cluster
            .find(&kind, namespace, name, Detail::Full)
            .await
    }

    fn attempt(&self, verb: &str) -> String {
        format!(
            "{verb} the token of the service account {}/{} in the cluster {}",
            self.account.namespace, self.account.name, self.cluster_name
        )
    }
}

fn age(secret: &Object) -> Option<Duration> {
    let created = secret.text("/metadata/creationTimestamp")?;
    let created = humantime::parse_rfc3339(created).ok()?;
    SystemTime::now().duration_since(created).ok()
}

fn token_in(secret: &Object) -> Option<Secret> {
    let encoded = secret.text("/data/token").filter(|text| !text.is_empty())?;
    let decoded = STANDARD.decode(encoded).ok()?;
    Some(String::from_utf8(decoded).ok()?.into())
}
