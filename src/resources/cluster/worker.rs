//! What a refresh finds of the accounts of a worker: that with which Vault verifies others, and that of runtimes.

use kubernetes_apply::apply_set::LiveObjects;
use kubernetes_apply::cluster::{ApiError, Cluster};
use nautes_model::EntityName;
use terraform_plugin::diagnostics::Diagnostics;

use super::model::ClusterModel;
use super::reviewer::{hash, log_in, probe_role};
use super::runtime_access::{runtime_access, runtime_set};
use super::setup::description;
use super::stored::ClusterSecrets;
use super::tokens::Tokens;
use crate::client::Client;
use crate::clusters::{PROBE_ACCOUNT, REVIEWER_ACCOUNT, RUNTIME_ACCOUNT, TokenAccount};
use crate::diagnostics::{Context as _, Explain as _};

/// What inspects a worker.
pub(super) struct WorkerInspection<'a> {
    pub(super) client: &'a Client,
    pub(super) cluster: &'a Cluster,
    pub(super) state: &'a ClusterModel,
    pub(super) name: &'a EntityName,
    pub(super) uid: &'a str,
}

/// A worker could not be inspected.
pub(super) enum WorkerError {
    /// The cluster could not be asked, which may be only a warning.
    Api(ApiError),
    /// Something else failed.
    Other(Diagnostics),
}

impl From<ApiError> for WorkerError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<Diagnostics> for WorkerError {
    fn from(found: Diagnostics) -> Self {
        Self::Other(found)
    }
}

impl WorkerInspection<'_> {
    /// Describes what differs. `recorded` is the hash of the reviewer's token that Vault got last.
    pub(super) async fn run(
        &self,
        recorded: Option<String>,
        live: &LiveObjects<'_>,
    ) -> Result<Vec<String>, WorkerError> {
        let mut drift = self.reviewer(recorded).await?;
        drift.extend(self.runtime(live).await?);
        Ok(drift)
    }

    /// Describes what differs in how Vault verifies service accounts.
    async fn reviewer(&self, recorded: Option<String>) -> Result<Vec<String>, WorkerError> {
        let mut drift = Vec::new();
        let tokens = self.tokens(&REVIEWER_ACCOUNT);
        let is_recorded = tokens.any(|token| recorded.as_ref() == Some(&hash(token)));
        if recorded.is_some() && !is_recorded.await? {
            drift.push(format!(
                "the token that Vault has of the service account {}/{} has ended",
                REVIEWER_ACCOUNT.namespace, REVIEWER_ACCOUNT.name
            ));
        }
        let name = self.name.as_str();
        let vault = self.client.vault()?;
        let mount = vault.auth_mount(name).await;
        match mount.with_context(|| format!("look for auth/{name} in Vault"))? {
            None => {
                drift.push(format!("Vault has no auth mount at auth/{name}"));
                return Ok(drift);
            }
            Some(mount) if mount.description != description(self.uid) => {
                drift.push(format!(
                    "the auth mount auth/{name} is not that of this cluster"
                ));
                return Ok(drift);
            }
            Some(_) => {}
        }
        let stored = vault.kubernetes_auth(name).await;
        let stored = stored.with_context(|| format!("read the configuration of auth/{name}"))?;
        let host = self.state.vault_kubernetes_host.as_ref();
        let host = host.unwrap_or(&self.state.api_server);
        match stored {
            None => drift.push(format!("auth/{name} in Vault is not configured")),
            Some(stored) if stored.host != *host => {
                drift.push(format!(
                    "auth/{name} in Vault has another address of the cluster"
                ));
            }
            Some(stored) if stored.has_reviewer_token == Some(false) => {
                drift.push(format!("auth/{name} in Vault has no token of a reviewer"));
            }
            Some(_) => {}
        }
        let role = vault.kubernetes_role(name, PROBE_ACCOUNT).await;
        let role = role.with_context(|| format!("read the role {PROBE_ACCOUNT} of auth/{name}"))?;
        if role != Some(probe_role()) {
            drift.push(format!(
                "the role {PROBE_ACCOUNT} of auth/{name} has changed"
            ));
        }
        if drift.is_empty() {
            drift.extend(self.login().await?);
        }
        Ok(drift)
    }

    /// Describes a login of the probe that Vault refuses.
    async fn login(&self) -> Result<Option<String>, WorkerError> {
        let name = self.name.as_str();
        let Ok(answer) = log_in(self.client.vault()?, self.cluster, name).await else {
            // The account is missing, which the objects say already.
            return Ok(None);
        };
        match answer {
            Ok(()) => Ok(None),
            Err(error) if error.transport().is_some() => {
                Err(error.explain(&format!("log in to auth/{name}")).into())
            }
            Err(_) => Ok(Some(format!(
                "Vault does not verify service accounts of the cluster at auth/{name}"
            ))),
        }
    }

    /// Describes what differs in the account of runtimes.
    async fn runtime(&self, live: &LiveObjects<'_>) -> Result<Vec<String>, WorkerError> {
        let attempt = format!(
            "inspect the account of runtimes in the cluster {}",
            self.name
        );
        let access = runtime_access(self.client, self.cluster, self.state).await?;
        let objects = access.objects().context(&attempt)?;
        let found = runtime_set(self.cluster)?.drift(objects, None, live).await;
        let found = found.context(&attempt)?;
        let mut drift: Vec<String> = found.iter().map(ToString::to_string).collect();
        let secrets = ClusterSecrets::new(self.client, self.name)?;
        match secrets.runtime().read().await? {
            None => drift.push(format!(
                "Vault has no kubeconfig at {}",
                secrets.runtime().path
            )),
            Some(stored) => {
                let tokens = self.tokens(&RUNTIME_ACCOUNT);
                let is_valid = tokens.any(|token| stored.holds(token)).await?;
                if !is_valid || stored.uid.as_deref() != Some(self.uid) {
                    drift.push(format!(
                        "the kubeconfig at {} is not one of this cluster",
                        secrets.runtime().path
                    ));
                }
            }
        }
        Ok(drift)
    }

    fn tokens(&self, account: &'static TokenAccount) -> Tokens<'_> {
        Tokens {
            cluster: self.cluster,
            cluster_name: self.name,
            account,
        }
    }
}
