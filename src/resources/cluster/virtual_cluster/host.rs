//! The host of virtual clusters.

use std::sync::Arc;

use kubernetes_apply::cluster::{ApiError, Cluster, Detail, IdentityError};
use kubernetes_apply::object::{Kind, Object};
use nautes_model::entity::{ClusterUsage, Entity};
use nautes_model::{EntityKey, EntityName};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::super::stored::ClusterSecrets;
use super::{INVENTORY, data_claim};
use crate::client::Client;
use crate::clusters::{FACTS, Facts, NAMESPACE, owner};
use crate::diagnostics::Context as _;
use crate::resources::home::{Found, Home};

/// A registered host cluster, and the connection to it.
pub(in super::super) struct Host {
    pub(super) name: EntityName,
    pub(in super::super) cluster: Arc<Cluster>,
    uid: String,
}

/// A host cannot be called.
pub(in super::super) enum HostError {
    /// It is not registered, or Vault does not have its credential.
    Lost(Diagnostic),
    /// Anything else.
    Failed(Diagnostics),
}

impl From<Diagnostics> for HostError {
    fn from(found: Diagnostics) -> Self {
        Self::Failed(found)
    }
}

impl From<HostError> for Diagnostics {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Lost(found) => found.into(),
            HostError::Failed(found) => found,
        }
    }
}

impl Host {
    /// Finds a host in the tenant's repository and its credential in Vault; the cluster itself is not called.
    pub(in super::super) async fn open(
        client: &Client,
        name: &EntityName,
    ) -> Result<Self, HostError> {
        let attempt = format!("use the host cluster {name}");
        let at = |diagnostic: Diagnostic| diagnostic.at(&Path::to("host_cluster"));
        let failed = |diagnostic| HostError::Failed(at(diagnostic).into());
        let key = EntityKey::new(nautes_model::Kind::Cluster, name.clone());
        let found = Home::tenant(client).read(&key, &attempt).await?;
        let Found::Present(present, _) = found else {
            let hosts = registered_hosts(client, &attempt).await?;
            let detail = format!("There is no cluster {name} in the tenant's repository. {hosts}");
            return Err(HostError::Lost(at(Diagnostic::error(
                format!("The host cluster {name} does not exist"),
                detail,
            ))));
        };
        let Some(Entity::Cluster(cluster)) = present.entity else {
            let detail = format!("Its manifest {} cannot be read. Correct it.", present.path);
            return Err(failed(Diagnostic::error(
                format!("Cannot {attempt}"),
                detail,
            )));
        };
        if cluster.shape.usage() != ClusterUsage::Host {
            let hosts = registered_hosts(client, &attempt).await?;
            let detail = format!(
                "Virtual clusters run in clusters with the usage host, and {name} is a worker. {hosts}"
            );
            let summary = format!("The cluster {name} is no host");
            return Err(failed(Diagnostic::error(summary, detail)));
        }
        let secrets = ClusterSecrets::new(client, name)?;
        let stored = secrets.read().await?;
        let credential = stored.and_then(|stored| Some((stored.kubeconfig, stored.uid?)));
        let Some((kubeconfig, uid)) = credential else {
            let detail = format!(
                "Vault has no kubeconfig of it at {} that this provider has written. Apply the nautes_cluster of the host first.",
                secrets.path
            );
            return Err(HostError::Lost(at(Diagnostic::error(
                format!("Cannot {attempt}"),
                detail,
            ))));
        };
        let opened = client.clusters().open(&cluster.api_server, &kubeconfig);
        let (_, cluster) = opened.context(&attempt)?;
        Ok(Self {
            name: name.clone(),
            cluster,
            uid,
        })
    }

    /// Calls the host, and checks that it is the registered one.
    pub(super) async fn check(&self) -> Result<(), IdentityError> {
        self.cluster.require_uid(&self.uid).await
    }

    /// Finds the volume claim with the data of a virtual cluster, which outlive its pod. A claim that is terminating goes
    /// with the pod.
    pub(super) async fn data_claim_of(
        &self,
        name: &EntityName,
    ) -> Result<Option<Object>, ApiError> {
        let kind = Kind::new("v1", "PersistentVolumeClaim");
        let (namespace, claim) = (name.as_str(), data_claim(name));
        let found = self
            .cluster
            .find(&kind, Some(namespace), &claim, Detail::Metadata);
        found.await
    }

    /// Returns whether the host has data of a virtual cluster that stay.
    pub(super) async fn has_data_of(&self, name: &EntityName) -> Result<bool, ApiError> {
        let found = self.data_claim_of(name).await?;
        Ok(found.is_some_and(|found| !found.is_terminating()))
    }

    /// Returns how the gateway of the host is reached, which serves the hosts of its virtual clusters; `None` if that is
    /// not known.
    pub(in super::super) async fn facts(&self) -> Result<Option<Facts>, Diagnostics> {
        let kind = Kind::new("v1", "ConfigMap");
        let found = self
            .cluster
            .find(&kind, Some(NAMESPACE), FACTS, Detail::Full)
            .await;
        let found = found.with_context(|| format!("read the facts of the host {}", self.name))?;
        Ok(found.as_ref().and_then(Facts::parse))
    }

    /// Finds a host, calls it and checks that it is the registered one.
    pub(in super::super) async fn connect(
        client: &Client,
        name: &EntityName,
    ) -> Result<Self, Diagnostics> {
        let host = Self::open(client, name).await?;
        let checked = host.check().await;
        let checked = checked.with_context(|| format!("use the host cluster {name}"));
        checked.map_err(|found| found.at(&Path::to("host_cluster")))?;
        Ok(host)
    }
}

/// Names the hosts that are registered.
async fn registered_hosts(client: &Client, attempt: &str) -> Result<String, Diagnostics> {
    let snapshot = Home::tenant(client).snapshot(attempt).await?;
    let entities = snapshot
        .iter()
        .flat_map(|snapshot| snapshot.tree().entities());
    let hosts = entities.filter_map(|entity| match entity {
        Entity::Cluster(cluster) if cluster.shape.usage() == ClusterUsage::Host => {
            Some(cluster.name.to_string())
        }
        _ => None,
    });
    let hosts: Vec<String> = hosts.collect();
    Ok(if hosts.is_empty() {
        "No hosts are registered.".to_owned()
    } else {
        format!("The registered hosts are: {}.", hosts.join(", "))
    })
}

/// Fails if a host still has objects of virtual clusters, which nobody could remove after its destroy.
pub(in super::super) async fn require_no_virtual_clusters(
    cluster: &Cluster,
    name: &EntityName,
) -> Result<(), Diagnostics> {
    let attempt = format!("remove the cluster {name}");
    let label = owner().context(&attempt)?.label;
    let selector = format!("{}={}", label.key(), label.value());
    let kind = Kind::new("v1", "ConfigMap");
    let listed = cluster.list(&kind, Some(NAMESPACE), &selector, Detail::Metadata);
    let listed = listed.await.context(&attempt)?;
    let names = listed
        .iter()
        .filter_map(|object| object.reference().name.strip_prefix(INVENTORY));
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "It hosts virtual clusters: {}. Nothing was changed. Destroy them first. Terraform does so by itself if their host_cluster refers to this resource (nautes_cluster.<name>.id).",
        names.join(", ")
    );
    Err(Diagnostic::error(
        format!("Cannot {attempt}: it hosts virtual clusters"),
        detail,
    )
    .into())
}
