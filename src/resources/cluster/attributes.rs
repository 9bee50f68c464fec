//! What data sources show of a cluster: what its manifest says, so that they need neither Vault nor the cluster.

use std::collections::{BTreeMap, BTreeSet};

use nautes_model::entity::{Cluster, Component};
use terraform_plugin::model::Model;
use terraform_plugin::value::{Known, Tf};

use super::model::{ClusterModel, ClusterResourceModel};

/// A registered cluster.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct ClusterAttributes {
    /// Identifier: the name.
    pub(super) id: Tf<String>,
    /// Name of the cluster.
    pub(super) name: Tf<String>,
    /// URL of the Kubernetes API.
    api_server: Tf<String>,
    /// `physical` or `virtual`.
    cluster_type: Tf<String>,
    /// `host` or `worker`.
    usage: Tf<String>,
    /// What a worker is for: `deployment` or `pipeline`; null for a host.
    worker_type: Tf<String>,
    /// The host of a virtual cluster; null for a physical one.
    host_cluster: Tf<String>,
    /// The domain below which components have their hosts.
    primary_domain: Tf<String>,
    /// The components, by what they are for, such as `deployment`.
    components: Tf<BTreeMap<String, RegisteredComponent>>,
    /// For each namespace of a component, the names of the products that may use it.
    reserved_namespaces_allowed_products: Tf<BTreeMap<String, BTreeSet<String>>>,
    /// For each name of a product, the cluster-scoped resources that it may create.
    product_allowed_cluster_resources: Tf<BTreeMap<String, Vec<ClusterResourceModel>>>,
    /// Path of the manifest in the tenant's repository.
    manifest_path: Tf<String>,
}

/// A component that the manifest of a cluster names.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct RegisteredComponent {
    /// Its name, such as `argocd`.
    name: Tf<String>,
    /// Its namespace.
    namespace: Tf<String>,
    /// Its host; null if it has none.
    host: Tf<String>,
    /// The node port of a gateway for HTTP; null for others.
    http_node_port: Tf<u64>,
    /// The node port of a gateway for HTTPS; null for others.
    https_node_port: Tf<u64>,
}

impl ClusterAttributes {
    pub(super) fn new(cluster: &Cluster, manifest_path: &str) -> Self {
        // The resource shows the same attributes in the same form.
        let model = ClusterModel::new(cluster, String::new(), String::new());
        let components = cluster.components.iter().map(|(slot, component)| {
            let component = RegisteredComponent::from(component);
            (slot.attribute().to_owned(), component)
        });
        Self {
            id: model.id,
            name: Known(model.name),
            api_server: Known(model.api_server),
            cluster_type: Known(model.cluster_type),
            usage: Known(model.usage),
            worker_type: model.worker_type.into(),
            host_cluster: model.host_cluster.into(),
            primary_domain: model.primary_domain,
            components: Known(components.collect()),
            reserved_namespaces_allowed_products: model.reserved_namespaces_allowed_products.into(),
            product_allowed_cluster_resources: model.product_allowed_cluster_resources.into(),
            manifest_path: Known(manifest_path.to_owned()),
        }
    }
}

impl From<&Component> for RegisteredComponent {
    fn from(component: &Component) -> Self {
        let text = |key: &str| component.additions.get(key);
        let port = |key: &str| Tf::from(text(key).and_then(|port| port.parse::<u64>().ok()));
        Self {
            name: Known(component.name.clone()),
            namespace: Known(component.namespace.clone()),
            host: text("host").cloned().into(),
            http_node_port: port("httpNodePort"),
            https_node_port: port("httpsNodePort"),
        }
    }
}
