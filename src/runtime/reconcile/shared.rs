//! Writing what the runtimes of a product share.

use std::collections::BTreeMap;
use std::time::Duration;

use kubernetes_apply::apply::ApplyFailure;
use kubernetes_apply::cluster::Detail;
use kubernetes_apply::live_objects::{Drift, LiveObjects};
use kubernetes_apply::object::{GroupKind, Kind, Object, ObjectRef};
use kubernetes_apply::ownership::{Adoption, FieldManager, ForeignObject};
use kubernetes_apply::readiness::{Rules, require_conditions};
use serde_json::json;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::waiting::waiting_for;

use super::Reconciler;
use super::removal::Going;
use crate::backends::vault::KubernetesRole;
use crate::clusters::{ARGO_CD_RBAC, PRODUCT_LABEL, owner};
use crate::diagnostics::Context as _;
use crate::runtime::names;
use crate::runtime::registry::Contribution;
use crate::runtime::shared::{ArgoCdPolicy, Shared};

/// How long External Secrets may take to copy the credential of a repository.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(300);

impl Reconciler {
    /// Applies what differs from what is there. Returns the namespaces that are still being deleted; then the rest is
    /// yet to be applied.
    pub(super) async fn apply_shared(&self, shared: &Shared) -> Result<Vec<Going>, Diagnostics> {
        for (name, role) in &shared.roles {
            self.write_role(name, role).await?;
        }
        let attempt = self.attempt();
        let owner = self.shared_owner()?;
        let cluster = &self.worker.cluster;
        let live = LiveObjects::new(cluster, &owner.label);
        let mut going = Vec::new();
        for object in &shared.objects {
            let is_namespace = object.reference().kind.is("", "Namespace");
            if !is_namespace && !going.is_empty() {
                break;
            }
            let drift = live.compare(object, &owner).await.context(&attempt)?;
            if drift.is_none() {
                continue;
            }
            if is_namespace {
                going.extend(self.check_namespace(object.reference()).await?);
                if drift.as_ref().is_some_and(is_deployed_too) {
                    continue;
                }
            }
            let applied = cluster.apply(object, &owner, &Adoption::Never).await;
            match applied {
                Err(error) if is_namespace && matches!(error.reason, ApplyFailure::Terminating) => {
                }
                applied => drop(applied.context(&attempt)?),
            }
        }
        if let Some(policy) = shared.policy.as_ref().filter(|_| going.is_empty()) {
            self.write_policy(&policy.key, Some(policy)).await?;
        }
        if going.is_empty() {
            self.ensure_hooks(&shared.hooks).await?;
        }
        Ok(going)
    }

    /// Checks that a namespace is not that of another product, and returns it if it is being deleted.
    async fn check_namespace(&self, namespace: &ObjectRef) -> Result<Option<Going>, Diagnostics> {
        let found = self.find_namespace(&namespace.name).await?;
        let Some(found) = found else { return Ok(None) };
        self.require_own_namespace(&found)?;
        let uid = found.uid().unwrap_or_default().to_owned();
        let going = Going {
            object: namespace.clone(),
            uid,
        };
        Ok(found.is_terminating().then_some(going))
    }

    pub(super) async fn find_namespace(&self, name: &str) -> Result<Option<Object>, Diagnostics> {
        let kind = Kind::new("v1", "Namespace");
        let found = self
            .worker
            .cluster
            .find(&kind, None, name, Detail::Metadata)
            .await;
        found.context(self.attempt())
    }

    /// Checks that a namespace is one of the product's.
    pub(super) fn require_own_namespace(&self, found: &Object) -> Result<(), Diagnostics> {
        let attempt = self.attempt();
        let own = self.runtime.product.to_string();
        let is_ours = owner().context(&attempt)?.label.is_on(found);
        let whose = match found.label(PRODUCT_LABEL) {
            Some(product) if product == own && is_ours => return Ok(()),
            Some(product) if product == own => {
                format!("carries the label of {product}, but this provider has not made it")
            }
            Some(product) => format!("is a namespace of {product}"),
            None => "exists already and belongs to no product".to_owned(),
        };
        let name = &found.reference().name;
        let detail = format!(
            "The namespace {name} in the cluster {} {whose}. Nothing was changed in it. Choose another namespace.",
            self.worker.name
        );
        Err(Diagnostic::error(format!("The namespace {name} is taken"), detail).into())
    }

    /// Writes a role in Vault if it differs, and reads it again: Vault has no condition on writes of roles.
    async fn write_role(&self, name: &str, role: &KubernetesRole) -> Result<(), Diagnostics> {
        let (vault, mount) = (self.client.vault()?, &self.context.vault.auth_mount);
        let attempt = || format!("write the role {name} of auth/{mount} in Vault");
        if self.read_role(name).await?.as_ref() == Some(role) {
            return Ok(());
        }
        let written = vault.write_kubernetes_role(mount, name, role).await;
        written.with_context(attempt)?;
        if self.read_role(name).await?.as_ref() == Some(role) {
            return Ok(());
        }
        let detail = "Vault does not have the role as it was written: somebody else writes it at the same time. Apply again.";
        Err(Diagnostic::error(format!("Cannot {}", attempt()), detail).into())
    }

    pub(super) async fn read_role(
        &self,
        name: &str,
    ) -> Result<Option<KubernetesRole>, Diagnostics> {
        let mount = &self.context.vault.auth_mount;
        let role = self.client.vault()?.kubernetes_role(mount, name).await;
        role.with_context(|| format!("read the role {name} of auth/{mount} in Vault"))
    }

    /// Writes the rights of the product's members in Argo CD, or with `None` removes them.
    pub(super) async fn write_policy(
        &self,
        key: &str,
        policy: Option<&ArgoCdPolicy>,
    ) -> Result<(), Diagnostics> {
        let attempt = self.attempt();
        let text = policy.map(|policy| policy.text.as_str());
        let config_map = self.worker.read_argo_cd_rights().await.context(&attempt)?;
        let present = config_map.as_ref().and_then(|found| data(found, key));
        if present == text {
            return Ok(());
        }
        let mut written = BTreeMap::new();
        written.extend(text.map(|text| (key, text)));
        let object = Object::new(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "namespace": self.worker.argo_cd(), "name": ARGO_CD_RBAC },
            "data": written,
        }));
        let object = object.context(&attempt)?;
        // Each product has a field manager of its own, so that it keeps the keys of the others.
        let manager = FieldManager::new(&format!("tf-nautes/{}", self.runtime.product));
        let manager = manager.context(&attempt)?;
        let applied = self.worker.cluster.apply_fields(&object, &manager).await;
        if applied.context(&attempt)?.is_some() || policy.is_none() {
            return Ok(());
        }
        let detail = format!(
            "The cluster {} has no ConfigMap {}/{ARGO_CD_RBAC}, in which Argo CD keeps the rights of its users. Install Argo CD there: apply the nautes_cluster.",
            self.worker.name,
            self.worker.argo_cd()
        );
        Err(Diagnostic::error(format!("Cannot {attempt}"), detail).into())
    }

    /// Waits until External Secrets has copied the credentials that Argo CD needs for the runtime.
    pub(super) async fn wait_for_credentials(
        &self,
        contribution: &Contribution,
    ) -> Result<(), Diagnostics> {
        let product = self.runtime.product;
        let (group, namespace) = ("external-secrets.io", self.worker.argo_cd());
        let kind = Kind::new("external-secrets.io/v1", "ExternalSecret");
        let secrets = contribution.repos.keys().map(|repository| {
            let name = names::repository_credential(product, *repository);
            let object = ObjectRef::namespaced(group, "ExternalSecret", namespace, &name);
            (kind.clone(), object)
        });
        let secrets: Vec<(Kind, ObjectRef)> = secrets.collect();
        if secrets.is_empty() {
            return Ok(());
        }
        let rules = Rules::default().with(
            GroupKind::new(group, "ExternalSecret"),
            require_conditions(&["Ready"]),
        );
        let cluster_name = self.worker.name.clone();
        let _waiting = waiting_for(move || {
            format!(
                "External Secrets in the cluster {cluster_name} to copy the keys of repositories"
            )
        });
        let selector = format!("{PRODUCT_LABEL}={product}");
        let cluster = &self.worker.cluster;
        let ready = cluster.wait_until_ready(&secrets, &selector, &rules, CREDENTIALS_TIMEOUT);
        ready.await.with_context(|| {
            format!(
                "give the keys of repositories of {product} to Argo CD in the cluster {}",
                self.worker.name
            )
        })
    }
}

/// Whether a namespace is among the manifests that Argo CD deploys, too. It is ours by its labels, and stays as it is.
pub(super) fn is_deployed_too(drift: &Drift) -> bool {
    matches!(
        drift,
        Drift::Foreign(ForeignObject::ManagedElsewhere { .. })
    )
}

/// Returns the text at a key of a `ConfigMap`.
pub(super) fn data<'o>(config_map: &'o Object, key: &str) -> Option<&'o str> {
    config_map.get("/data")?.get(key)?.as_str()
}
