//! Brings a cluster to what is planned: its base objects, the credential in Vault, and what Vault needs
//! to verify the service accounts of a worker.

use std::time::Duration;

use kubernetes_apply::apply_set::{ApplyOptions, ApplySet, Parent};
use kubernetes_apply::cluster::{ApiError, Cluster, Detail};
use kubernetes_apply::connection::{Access, Limits};
use kubernetes_apply::object::{Kind, Object, ObjectError};
use kubernetes_apply::ownership::Adoption;
use nautes_model::EntityName;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::{Path, Tf};

use super::access::Connection;
use super::model::{ClusterModel, CredentialModel};
use super::own_tokens::OwnTokens;
use super::stored::ClusterSecrets;
use crate::backends::vault::{AuthMount, KubernetesAuth};
use crate::client::Client;
use crate::clusters::{
    ComponentFacts, Facts, NAMESPACE, REVIEWER_SECRET, VAULT_NAMESPACE, build_kubeconfig,
    own_account, own_namespace, owner, reviewer_accounts, reviewer_token,
};
use crate::components::Sha256;
use crate::diagnostics::Context as _;
use crate::secret::{ExposeSecret as _, Secret};

/// How long the cluster may take to fill in a token.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(60);

/// How often it is asked for the token.
const TOKEN_INTERVAL: Duration = Duration::from_millis(500);

/// The audience of the tokens with which service accounts log in to Vault.
pub(super) const AUDIENCE: &str = "vault";

/// Returns the set of a cluster's base objects.
pub(super) fn base_set(cluster: &Cluster) -> Result<ApplySet<'_>, Diagnostics> {
    let parent = Parent {
        namespace: NAMESPACE.to_owned(),
        name: "nautes-cluster".to_owned(),
    };
    Ok(ApplySet::new(
        cluster,
        owner().context("name objects")?,
        parent,
    ))
}

/// What a set-up works with.
pub(super) struct Setup<'a> {
    pub(super) client: &'a Client,
    pub(super) name: &'a EntityName,
    pub(super) planned: &'a ClusterModel,
    pub(super) connection: &'a Connection,
    /// Whether the token of the provider's service account is replaced by a new one.
    pub(super) rotates: bool,
    /// What runtimes need to know of the components.
    pub(super) components: ComponentFacts,
}

impl Setup<'_> {
    fn has_own_account(&self) -> bool {
        has_own_account(self.planned)
    }

    fn is_worker(&self) -> bool {
        self.planned.usage == "worker"
    }

    /// Checks what may be refused, before anything is written.
    pub(super) async fn check(&self) -> Result<(), Diagnostics> {
        let secrets = ClusterSecrets::new(self.client, self.name)?;
        secrets.check(&self.connection.uid).await?;
        if self.is_worker() {
            self.auth_mount().await?;
        }
        Ok(())
    }

    /// Makes everything, and returns the version of the cluster's Kubernetes.
    pub(super) async fn run(&self) -> Result<String, Diagnostics> {
        let Connection { cluster, uid, .. } = self.connection;
        let attempt = format!("set up the cluster {}", self.name);
        let version = cluster.version().await.map_err(ApiError::from);
        let version =
            version.with_context(|| format!("ask the cluster {} for its version", self.name))?;
        self.make_own_account(&attempt).await?;

        let secrets = ClusterSecrets::new(self.client, self.name)?;
        if self.has_own_account() {
            let tokens = OwnTokens {
                cluster,
                name: self.name,
            };
            let current = tokens.current(&secrets).await?;
            let next = OwnTokens::next(current, self.rotates);
            tokens.make(next, &attempt).await?;
            let token = self.token(NAMESPACE, next).await?;
            self.prove(token.clone()).await?;
            let kubeconfig = build_kubeconfig(
                self.name.as_str(),
                &self.planned.api_server,
                &self.connection.access.certificate_authority(),
                &token,
            );
            secrets.write(&kubeconfig, uid).await?;
            tokens.remove_others(next, &attempt).await?;
        } else {
            secrets.write(&self.connection.kubeconfig, uid).await?;
        }

        let set = base_set(cluster)?;
        let accounts = self.base_objects().context(&attempt)?;
        let mut objects = accounts.clone();
        let reviewer = if self.is_worker() {
            // The accounts first: the cluster deletes the Secret of a token whose account does not exist.
            let options = ApplyOptions {
                prune: false,
                ..ApplyOptions::default()
            };
            set.apply(accounts, &options).await.context(&attempt)?;
            objects.push(reviewer_token().context(&attempt)?);
            let applied = set.apply(objects.clone(), &options).await;
            applied.context(&attempt)?;
            let token = self.token(VAULT_NAMESPACE, REVIEWER_SECRET).await?;
            let hash = Sha256::compute(token.expose_secret().as_bytes()).to_string();
            self.configure_vault(token).await?;
            Some(hash)
        } else {
            None
        };
        objects.push(self.facts(reviewer).object().context(&attempt)?);
        let applied = set.apply(objects, &ApplyOptions::default()).await;
        applied.context(&attempt)?;
        Ok(version)
    }

    /// Makes the namespace of the provider, and its service account.
    async fn make_own_account(&self, attempt: &str) -> Result<(), Diagnostics> {
        let cluster = &self.connection.cluster;
        let owner = owner().context(attempt)?;
        let namespace = own_namespace().context(attempt)?;
        let namespace = cluster.apply(&namespace, &owner, &Adoption::Never).await;
        let namespace = namespace.context(attempt)?;
        if self.has_own_account() {
            let uid = namespace.uid().unwrap_or_default();
            for object in own_account(uid).context(attempt)? {
                let applied = cluster.apply(&object, &owner, &Adoption::Never).await;
                applied.context(attempt)?;
            }
        }
        Ok(())
    }

    fn base_objects(&self) -> Result<Vec<Object>, ObjectError> {
        base_objects(self.planned)
    }

    pub(super) fn facts(&self, reviewer_token: Option<String>) -> Facts {
        Facts {
            cluster_uid: self.connection.uid.clone(),
            name: self.name.to_string(),
            worker_type: self.planned.worker_type.clone(),
            vault_audience: AUDIENCE.to_owned(),
            reviewer_token,
            components: self.components.clone(),
        }
    }

    /// Waits until the cluster has filled in a token.
    async fn token(&self, namespace: &str, name: &str) -> Result<Secret, Diagnostics> {
        let cluster = &self.connection.cluster;
        let deadline = tokio::time::Instant::now() + TOKEN_TIMEOUT;
        let attempt = || {
            format!(
                "read the Secret {namespace}/{name} of the cluster {}",
                self.name
            )
        };
        loop {
            let kind = Kind::new("v1", "Secret");
            let found = cluster
                .find(&kind, Some(namespace), name, Detail::Full)
                .await;
            if let Some(token) = found.with_context(attempt)?.as_ref().and_then(token_in) {
                return Ok(token);
            }
            if tokio::time::Instant::now() >= deadline {
                let detail = format!(
                    "The cluster has not filled in the token for {} s. Check that its controller manager runs, then apply again.",
                    TOKEN_TIMEOUT.as_secs()
                );
                return Err(Diagnostic::error(format!("Cannot {}", attempt()), detail).into());
            }
            tokio::time::sleep(TOKEN_INTERVAL).await;
        }
    }

    /// Proves that the cluster accepts a token, before Vault gets it.
    async fn prove(&self, token: Secret) -> Result<(), Diagnostics> {
        let attempt = format!(
            "use the provider's own service account in the cluster {}",
            self.name
        );
        let access = Access::new(&self.planned.api_server).context(&attempt)?;
        let ca = self.connection.access.certificate_authority();
        let access = if ca.is_empty() {
            access
        } else {
            access
                .with_certificate_authority(ca.as_bytes())
                .context(&attempt)?
        };
        let cluster = Cluster::new(&access.with_token(token), Limits::default());
        let cluster = cluster.context(&attempt)?;
        cluster
            .require_uid(&self.connection.uid)
            .await
            .context(&attempt)
    }

    /// The auth mount of the cluster in Vault; `None` if there is none. One that is somebody else's is an
    /// error.
    async fn auth_mount(&self) -> Result<Option<AuthMount>, Diagnostics> {
        let mount = self.client.vault()?.auth_mount(self.name.as_str()).await;
        let mount = mount.with_context(|| format!("look for auth/{} in Vault", self.name))?;
        match mount {
            Some(mount) if mount.description != description(&self.connection.uid) => {
                let detail = format!(
                    "Vault has an auth mount at auth/{} that is not that of this cluster: its type is {}, its description {:?}. Nothing was changed. Choose another name; or, if it is this cluster's, set its description to {:?} (vault auth tune -description).",
                    self.name,
                    mount.method,
                    mount.description,
                    description(&self.connection.uid)
                );
                Err(
                    Diagnostic::error(format!("auth/{} is taken in Vault", self.name), detail)
                        .at(&Path::to("name"))
                        .into(),
                )
            }
            mount => Ok(mount),
        }
    }

    async fn configure_vault(&self, reviewer_token: Secret) -> Result<(), Diagnostics> {
        let vault = self.client.vault()?;
        let name = self.name.as_str();
        if self.auth_mount().await?.is_none() {
            let enabled = vault
                .enable_kubernetes_auth(name, &description(&self.connection.uid))
                .await;
            enabled.with_context(|| format!("mount auth/{name} in Vault"))?;
        }
        let host = self.planned.vault_kubernetes_host.as_ref();
        let auth = KubernetesAuth {
            host: host.unwrap_or(&self.planned.api_server).clone(),
            ca_pem: self.connection.access.certificate_authority(),
            reviewer_token,
        };
        let configured = vault.configure_kubernetes_auth(name, &auth).await;
        configured.with_context(|| format!("configure auth/{name} in Vault"))
    }
}

/// Returns the base objects of a cluster, except the token of the reviewer and the facts.
fn base_objects(model: &ClusterModel) -> Result<Vec<Object>, ObjectError> {
    match model.usage.as_str() {
        "worker" => reviewer_accounts(),
        _ => Ok(Vec::new()),
    }
}

/// Returns the base objects of a cluster that was set up, except the facts.
pub(super) fn all_base_objects(model: &ClusterModel) -> Result<Vec<Object>, ObjectError> {
    let mut objects = base_objects(model)?;
    if model.usage == "worker" {
        objects.push(reviewer_token()?);
    }
    Ok(objects)
}

/// Whether the provider works in a cluster with a service account of its own.
pub(super) fn has_own_account(model: &ClusterModel) -> bool {
    let kind = model.credential.known().map(|credential| &credential.kind);
    kind.is_none_or(|kind| kind == CredentialModel::SERVICE_ACCOUNT)
}

/// The description of a cluster's auth mount, which tells whose it is.
pub(super) fn description(uid: &str) -> String {
    format!("nautes {uid}")
}

/// Returns the attribute `credential` of a cluster whose credential is in Vault.
pub(super) fn credential(planned: &ClusterModel, vault_path: String) -> CredentialModel {
    let planned = planned.credential.known();
    CredentialModel {
        kind: planned
            .map_or(CredentialModel::SERVICE_ACCOUNT, |planned| &planned.kind)
            .to_owned(),
        rotate_after: planned
            .map_or(CredentialModel::ROTATE_AFTER, |planned| {
                &planned.rotate_after
            })
            .to_owned(),
        expires_at: Tf::Null,
        rotation_due: Tf::Known(false),
        vault_path: Tf::Known(vault_path),
    }
}

pub(super) fn token_in(secret: &Object) -> Option<Secret> {
    use base64::Engine as _;
    let encoded = secret.text("/data/token").filter(|text| !text.is_empty())?;
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .ok()?;
    Some(String::from_utf8(decoded).ok()?.into())
}
