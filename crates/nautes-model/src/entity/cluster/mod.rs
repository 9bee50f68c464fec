//! Clusters.

mod component;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use component::{Component, ComponentSlot};
pub use shape::{ClusterShape, ClusterType, ClusterUsage, ShapeError, WorkerType};

use super::{EntityError, go_zero};
use crate::entity_name::EntityName;

/// A Kubernetes cluster of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The name, unique in the tenant.
    pub name: EntityName,
    /// The namespace of the manifest, which is the namespace of Nautes in the tenant cluster.
    pub namespace: String,
    /// The URL of the Kubernetes API, with scheme and port.
    pub api_server: String,
    /// The type, usage and worker type.
    pub shape: ClusterShape,
    /// The parent domain of the components' hosts.
    pub primary_domain: Option<String>,
    /// The installed components.
    pub components: BTreeMap<ComponentSlot, Component>,
    /// For each component namespace, the names of the products that may use it.
    pub reserved_namespaces_allowed_products: BTreeMap<String, BTreeSet<String>>,
    /// For each product name, the cluster-scoped resources that it may create.
    pub product_allowed_cluster_resources: BTreeMap<String, BTreeSet<ClusterResource>>,
}

impl Cluster {
    /// The default namespace of Nautes in the tenant cluster.
    pub const NAMESPACE: &'static str = "nautes";

    /// Returns the `status` of a new manifest. Nautes writes one for clusters only.
    pub(crate) fn empty_status() -> Value {
        json!({ "productIDMap": null, "warnings": null })
    }

    /// Returns the namespaces of the components.
    pub fn component_namespaces(&self) -> BTreeSet<&str> {
        self.components
            .values()
            .map(|component| component.namespace.as_str())
            .collect()
    }
}

/// A kind of Kubernetes resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClusterResource {
    /// The API group. The core group cannot be specified.
    pub group: String,
    /// The kind.
    pub kind: String,
}

/// The `spec` of the manifest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterSpec {
    api_server: String,
    #[serde(default)]
    cluster_kind: ClusterKind,
    cluster_type: ClusterType,
    #[serde(default, deserialize_with = "go_zero::null_as_default")]
    components_list: BTreeMap<ComponentSlot, Option<Component>>,
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    host_cluster: Option<EntityName>,
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    primary_domain: Option<String>,
    #[serde(
        default,
        deserialize_with = "go_zero::null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    product_allowed_cluster_resources: BTreeMap<String, BTreeSet<ClusterResource>>,
    #[serde(
        default,
        deserialize_with = "go_zero::null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    reserved_namespaces_allowed_products: BTreeMap<String, BTreeSet<String>>,
    usage: ClusterUsage,
    #[serde(default, with = "go_zero", skip_serializing_if = "Option::is_none")]
    worker_type: Option<WorkerType>,
}

/// The kind of cluster. There is only one.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ClusterKind {
    #[default]
    Kubernetes,
}

impl From<&Cluster> for ClusterSpec {
    fn from(cluster: &Cluster) -> Self {
        Self {
            api_server: cluster.api_server.clone(),
            cluster_kind: ClusterKind::Kubernetes,
            cluster_type: cluster.shape.cluster_type(),
            components_list: cluster
                .components
                .iter()
                .map(|(slot, component)| (*slot, Some(component.clone())))
                .collect(),
            host_cluster: cluster.shape.host_cluster().cloned(),
            primary_domain: cluster.primary_domain.clone(),
            product_allowed_cluster_resources: cluster.product_allowed_cluster_resources.clone(),
            reserved_namespaces_allowed_products: cluster
                .reserved_namespaces_allowed_products
                .clone(),
            usage: cluster.shape.usage(),
            worker_type: cluster.shape.worker_type(),
        }
    }
}

impl ClusterSpec {
    pub(super) fn into_entity(
        self,
        name: EntityName,
        namespace: String,
    ) -> Result<Cluster, EntityError> {
        let shape = ClusterShape::new(
            self.cluster_type,
            self.usage,
            self.worker_type,
            self.host_cluster,
        )?;
        Ok(Cluster {
            name,
            namespace,
            api_server: self.api_server,
            shape,
            primary_domain: self.primary_domain,
            components: self
                .components_list
                .into_iter()
                .filter_map(|(slot, component)| Some((slot, component?)))
                .collect(),
            reserved_namespaces_allowed_products: self.reserved_namespaces_allowed_products,
            product_allowed_cluster_resources: self.product_allowed_cluster_resources,
        })
    }
}
