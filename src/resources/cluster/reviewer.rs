//! How Vault verifies the service accounts of a worker.
//!
//! Vault never gives back the token with which it asks the cluster about others. Three signs tell whether it is the right
//! one: its hash in the facts, whether Vault says that there is one, and a login of an account that exists for nothing
//! else.

use std::collections::BTreeSet;
use std::time::Duration;

use kubernetes_apply::cluster::{Cluster, Detail};
use kubernetes_apply::object::Kind;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::setup::{AUDIENCE, Setup, description};
use super::tokens::Tokens;
use crate::backends::vault::{
    AuthMount, Error, KubernetesAuth, KubernetesRole, StoredKubernetesAuth, TokenLimits, Vault,
};
use crate::clusters::{FACTS, Facts, NAMESPACE, PROBE_ACCOUNT, REVIEWER_ACCOUNT};
use crate::components::Sha256;
use crate::diagnostics::{Context as _, Explain as _};
use crate::error_chain::sentence;
use crate::secret::{ExposeSecret as _, Secret};

/// How long the token of the probe lasts, the shortest that clusters give.
const PROBE_LIFETIME: Duration = Duration::from_secs(600);

/// How often a login is tried: what was just written may take a moment to act.
const LOGIN_ATTEMPTS: u32 = 5;

/// The time between two tries.
const LOGIN_INTERVAL: Duration = Duration::from_secs(1);

/// What sets up Vault for a worker.
pub(super) struct Reviewer<'a> {
    pub(super) setup: &'a Setup<'a>,
    pub(super) cluster: &'a Cluster,
}

impl Reviewer<'_> {
    /// Makes Vault verify the service accounts of the cluster, and proves it. Returns the Secret with the
    /// token of the reviewer, and its hash.
    pub(super) async fn ensure(&self) -> Result<(&'static str, String), Diagnostics> {
        let recorded = self.recorded_hash().await?;
        let tokens = Tokens {
            cluster: self.cluster,
            cluster_name: self.setup.name,
            account: &REVIEWER_ACCOUNT,
        };
        let current = tokens
            .ensure(self.setup.rotate_after, |token| {
                recorded.as_ref() == Some(&hash(token))
            })
            .await?;
        let name = self.setup.name.as_str();
        let vault = self.setup.client.vault()?;
        let uid = &self.setup.connection.uid;
        let description = description(uid);
        match self.auth_mount().await? {
            None => {
                let enabled = vault.enable_kubernetes_auth(name, &description).await;
                enabled.with_context(|| format!("mount auth/{name} in Vault"))?;
            }
            Some(mount) if mount.description != description => {
                let described = vault.describe_auth(name, &description).await;
                described.with_context(|| format!("describe auth/{name} in Vault"))?;
            }
            Some(_) => {}
        }
        let stored = vault.kubernetes_auth(name).await;
        let stored = stored.with_context(|| format!("read the configuration of auth/{name}"))?;
        let host = self.setup.planned.vault_kubernetes_host.as_ref();
        let auth = KubernetesAuth {
            host: host.unwrap_or(&self.setup.planned.api_server).clone(),
            ca_pem: self.setup.connection.access.certificate_authority(),
            reviewer_token: current.token.clone(),
        };
        let is_configured = !current.is_new && stored.is_some_and(|stored| is_same(&stored, &auth));
        let role_written = write_probe_role(vault, name).await?;
        let needs_proof = !is_configured || role_written || self.setup.repairs;
        if needs_proof && (!is_configured || self.log_in().await?.is_err()) {
            let configured = vault.configure_kubernetes_auth(name, &auth).await;
            configured.with_context(|| format!("configure auth/{name} in Vault"))?;
            self.prove(&auth.host).await?;
        }
        Ok((current.secret, hash(&current.token)))
    }

    /// The auth mount of the cluster in Vault, which may still have the description of the one that was rebuilt as this
    /// one; `None` if there is none. One that is somebody else's is an error.
    pub(super) async fn auth_mount(&self) -> Result<Option<AuthMount>, Diagnostics> {
        let name = self.setup.name;
        let uid = &self.setup.connection.uid;
        let mount = self.setup.client.vault()?.auth_mount(name.as_str()).await;
        let mount = mount.with_context(|| format!("look for auth/{name} in Vault"))?;
        match mount {
            Some(mount) if !self.is_own(&mount) => {
                let detail = format!(
                    "Vault has an auth mount at auth/{name} that is not that of this cluster: its type is {}, its description {:?}. Nothing was changed. Choose another name; or, if it is this cluster's, set its description to {:?} (vault auth tune -description).",
                    mount.method,
                    mount.description,
                    description(uid)
                );
                Err(
                    Diagnostic::error(format!("auth/{name} is taken in Vault"), detail)
                        .at(&Path::to("name"))
                        .into(),
                )
            }
            mount => Ok(mount),
        }
    }

    fn is_own(&self, mount: &AuthMount) -> bool {
        let Setup {
            connection,
            former_uid,
            ..
        } = self.setup;
        let uids = [Some(connection.uid.as_str()), *former_uid];
        let mut uids = uids.into_iter().flatten();
        uids.any(|uid| mount.description == description(uid))
    }

    /// Returns the hash of the token that Vault got last.
    async fn recorded_hash(&self) -> Result<Option<String>, Diagnostics> {
        let kind = Kind::new("v1", "ConfigMap");
        let found = self
            .cluster
            .find(&kind, Some(NAMESPACE), FACTS, Detail::Full)
            .await;
        let found =
            found.with_context(|| format!("read the facts of the cluster {}", self.setup.name))?;
        let facts = found.as_ref().and_then(Facts::parse);
        Ok(facts.and_then(|facts| facts.reviewer_token))
    }

    async fn log_in(&self) -> Result<Result<(), Error>, Diagnostics> {
        let vault = self.setup.client.vault()?;
        log_in(vault, self.cluster, self.setup.name.as_str()).await
    }

    /// Proves that Vault verifies service accounts of the cluster.
    async fn prove(&self, host: &str) -> Result<(), Diagnostics> {
        let mut tries = 1;
        loop {
            let Err(error) = self.log_in().await? else {
                return Ok(());
            };
            if tries >= LOGIN_ATTEMPTS || error.transport().is_some() {
                return Err(self.not_verified(host, &error));
            }
            tries += 1;
            tokio::time::sleep(LOGIN_INTERVAL).await;
        }
    }

    fn not_verified(&self, host: &str, error: &Error) -> Diagnostics {
        if error.transport().is_some() {
            return error.explain(&format!("log in to auth/{}", self.setup.name));
        }
        let detail = format!(
            "A login to auth/{} with a token of the service account {NAMESPACE}/{PROBE_ACCOUNT} was refused. {} Vault asks the API server at {host} about the token. Check that Vault reaches it there; if it has another address from where Vault runs, set vault_kubernetes_host. Then apply again.",
            self.setup.name,
            sentence(error)
        );
        let summary = format!(
            "Vault cannot verify service accounts of the cluster {}",
            self.setup.name
        );
        Diagnostic::error(summary, detail)
            .at(&Path::to("vault_kubernetes_host"))
            .into()
    }
}

/// Logs in to Vault as the account that exists for nothing else; the inner error is that of Vault.
pub(super) async fn log_in(
    vault: &Vault,
    cluster: &Cluster,
    name: &str,
) -> Result<Result<(), Error>, Diagnostics> {
    let token = cluster
        .request_token(NAMESPACE, PROBE_ACCOUNT, AUDIENCE, PROBE_LIFETIME)
        .await;
    let token = token.with_context(|| {
        format!("request a token of the service account {NAMESPACE}/{PROBE_ACCOUNT} of the cluster {name}")
    })?;
    Ok(vault
        .prove_kubernetes_login(name, PROBE_ACCOUNT, &token)
        .await)
}

/// Returns the role to which the probe logs in: it gives no right.
pub(super) fn probe_role() -> KubernetesRole {
    KubernetesRole {
        service_accounts: BTreeSet::from([PROBE_ACCOUNT.to_owned()]),
        namespaces: BTreeSet::from([NAMESPACE.to_owned()]),
        audience: AUDIENCE.to_owned(),
        token_policies: BTreeSet::new(),
        tokens: TokenLimits {
            seconds: 60,
            without_default_policy: true,
        },
    }
}

/// Writes the role of the probe if Vault has another one; returns whether it did.
async fn write_probe_role(vault: &Vault, name: &str) -> Result<bool, Diagnostics> {
    let attempt = || format!("write the role {PROBE_ACCOUNT} of auth/{name}");
    let role = probe_role();
    let stored = vault.kubernetes_role(name, PROBE_ACCOUNT).await;
    if stored.with_context(attempt)?.as_ref() == Some(&role) {
        return Ok(false);
    }
    let written = vault
        .write_kubernetes_role(name, PROBE_ACCOUNT, &role)
        .await;
    written.with_context(attempt)?;
    Ok(true)
}

/// Whether Vault has this configuration, as far as it tells.
fn is_same(stored: &StoredKubernetesAuth, auth: &KubernetesAuth) -> bool {
    stored.host == auth.host
        && stored.ca_pem.trim() == auth.ca_pem.trim()
        && stored.has_reviewer_token != Some(false)
}

/// Returns the hash by which the token of the reviewer is recorded.
pub(super) fn hash(token: &Secret) -> String {
    Sha256::compute(token.expose_secret().as_bytes()).to_string()
}
