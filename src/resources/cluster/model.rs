//! The attributes of a cluster.

use std::collections::{BTreeMap, BTreeSet};

use nautes_model::entity::{Cluster, ClusterResource, ClusterType, ClusterUsage};
use nautes_model::name::NameRule;
use terraform_plugin::model::Model;
use terraform_plugin::resource::Timeouts;
use terraform_plugin::schema::one_of;
use terraform_plugin::value::{Known, Tf, WriteOnly};

use super::addresses::AddressesModel;
use super::slots::ComponentsModel;
use super::validators::{api_server, duration, node_port, version};
use crate::client::Client;
use crate::clusters::{ProductAccess, ProductResource};
use crate::config_repo::Validation;
use crate::resources::attribute::name_rule;

/// A Kubernetes cluster of the tenant: a host that carries virtual clusters, or a worker in which
/// pipelines or deployments run.
///
/// The cluster itself is not created and not deleted. Its manifest is in the tenant's repository, and
/// the credential with which it is managed in Vault.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct ClusterModel {
    /// Name of the cluster, unique in the tenant.
    #[tf(replace, validate(name_rule(NameRule::Cluster)))]
    pub(crate) name: String,
    /// URL of the Kubernetes API, with scheme and port.
    #[tf(validate(api_server()))]
    pub(crate) api_server: String,
    /// `physical`, or `virtual` for one that runs in a host.
    #[tf(replace, validate(one_of(["physical", "virtual"])))]
    pub(crate) cluster_type: String,
    /// `host`, or `worker`.
    #[tf(replace, validate(one_of(["host", "worker"])))]
    pub(crate) usage: String,
    /// What a worker is for: `deployment` or `pipeline`.
    #[tf(replace, validate(one_of(["deployment", "pipeline"])))]
    pub(crate) worker_type: Option<String>,
    /// The host of a virtual cluster, by its id, which must be a registered cluster with the usage `host`.
    #[tf(replace)]
    pub(crate) host_cluster: Option<String>,
    /// How a virtual cluster runs in its host.
    #[tf(optional, stable)]
    pub(crate) vcluster: Tf<VclusterModel>,
    /// Kubeconfig with which the cluster is managed, as YAML or in Base64. It is used when the
    /// resource is created, and again when `kubeconfig_wo_version` changes. A virtual cluster has none: its
    /// host has its credential.
    #[tf(conflicts_with(["kubeconfig_vault"]))]
    pub(crate) kubeconfig_wo: WriteOnly<String>,
    /// A number to change whenever another `kubeconfig_wo` is to be used.
    pub(crate) kubeconfig_wo_version: Option<u64>,
    /// Where the kubeconfig is in Vault, for clients without write-only arguments.
    pub(crate) kubeconfig_vault: Option<VaultReferenceModel>,
    /// The credential with which the provider works in the cluster.
    #[tf(optional, stable)]
    pub(crate) credential: Tf<CredentialModel>,
    /// The API server as Vault reaches it; `api_server` by default.
    pub(crate) vault_kubernetes_host: Option<String>,
    /// UID of the namespace `kube-system`. Another cluster that answers at `api_server` is an error; a
    /// cluster that was rebuilt is accepted by writing its new UID.
    #[tf(optional, stable)]
    pub(crate) cluster_uid: Tf<String>,
    /// The domain below which components have their hosts; by default the host of `api_server`, with
    /// `.nip.io` after an IP address.
    #[tf(optional, follows(["api_server"]))]
    pub(crate) primary_domain: Tf<String>,
    /// The components, by what they are for. A slot that is absent gets its default, and a version that is
    /// not set is chosen at creation and kept.
    pub(crate) components: Option<ComponentsModel>,
    /// For each namespace of a component, the names of the products that may use it.
    pub(crate) reserved_namespaces_allowed_products: Option<BTreeMap<String, BTreeSet<String>>>,
    /// For each name of a product, the cluster-scoped resources that it may create.
    pub(crate) product_allowed_cluster_resources:
        Option<BTreeMap<String, Vec<ClusterResourceModel>>>,
    /// Whether changes are written without checking the rules of the model; the provider's setting by
    /// default.
    pub(crate) insecure_skip_check: Option<bool>,
    /// How long operations may take.
    pub(crate) timeouts: Option<Timeouts>,
    /// Identifier: the name.
    #[tf(stable)]
    pub(crate) id: Tf<String>,
    /// Path of the manifest in the tenant's repository.
    #[tf(follows(["drift"]))]
    pub(crate) manifest_path: Tf<String>,
    /// Version of the cluster's Kubernetes.
    #[tf(follows(["cluster_uid"]))]
    pub(crate) kubernetes_version: Tf<String>,
    /// The components that the provider has installed, by their names.
    #[tf(follows(["components", "cluster_uid", "drift"]))]
    pub(crate) component_status: Tf<BTreeMap<String, ComponentStatusModel>>,
    /// How it is reached from outside.
    #[tf(flatten)]
    pub(crate) addresses: AddressesModel,
    /// What was found to differ at the last refresh and no other attribute shows; an update repairs
    /// it.
    #[tf(cleared)]
    pub(crate) drift: Tf<BTreeSet<String>>,
}

/// A component that the provider has installed.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct ComponentStatusModel {
    /// Its version.
    pub(crate) version: Tf<String>,
    /// SHA-256 of its manifest; null if the provider builds its objects.
    pub(crate) sha256: Tf<String>,
    /// How many objects it has.
    pub(crate) objects: Tf<u64>,
}

/// How a virtual cluster runs in its host.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct VclusterModel {
    /// Port of the host's nodes at which its API is served, unique in the host; the port of `api_server` by default.
    #[tf(optional, stable, validate(node_port()))]
    pub(crate) https_node_port: Tf<u64>,
    /// Version of vCluster, such as `v0.36.1`. If it is not set, it is chosen at creation and kept.
    #[tf(optional, stable, validate(version()))]
    pub(crate) version: Tf<String>,
    /// Version of Kubernetes inside, such as `v1.36.0`. If it is not set, it is chosen at creation and kept.
    #[tf(optional, stable, validate(version()))]
    pub(crate) kubernetes_version: Tf<String>,
}

/// A secret in Vault that the user keeps.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct VaultReferenceModel {
    /// Mount of the key-value engine of version 2.
    pub(crate) mount: String,
    /// Path below the mount.
    pub(crate) path: String,
    /// Key of the secret.
    #[tf(default("kubeconfig".to_owned()))]
    pub(crate) key: String,
}

/// With which credential the provider works in the cluster.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct CredentialModel {
    /// `service_account` (the default) exchanges the given kubeconfig for a service account of the
    /// provider's own; `as_given` keeps it.
    #[tf(default(CredentialModel::SERVICE_ACCOUNT.to_owned()), validate(one_of(CredentialModel::KINDS)))]
    pub(crate) kind: String,
    /// How old the token of the service account may become, such as `2160h`.
    #[tf(default(CredentialModel::ROTATE_AFTER.to_owned()), validate(duration()))]
    pub(crate) rotate_after: String,
    /// When it ends; null if it has no end.
    #[tf(follows(["kind"]))]
    pub(crate) expires_at: Tf<String>,
    /// Whether the last refresh found that the token is to be rotated, which an update does.
    #[tf(follows(["rotate_after"]))]
    pub(crate) rotation_due: Tf<bool>,
    /// Where it is in Vault: the mount and the path in it.
    #[tf(stable)]
    pub(crate) vault_path: Tf<String>,
}

impl ClusterModel {
    /// Returns a cluster of which only its manifest, its UID and its credential are known, as after an
    /// import.
    pub(crate) fn new(cluster: &Cluster, uid: String, vault_path: String) -> Self {
        let shape = &cluster.shape;
        let cluster_type = match shape.cluster_type() {
            ClusterType::Physical => "physical",
            ClusterType::Virtual => "virtual",
        };
        let usage = match shape.usage() {
            ClusterUsage::Host => "host",
            ClusterUsage::Worker => "worker",
        };
        let resources = &cluster.product_allowed_cluster_resources;
        let resources = resources.iter().map(|(product, listed)| {
            let listed = listed.iter().map(ClusterResourceModel::from);
            (product.clone(), listed.collect())
        });
        let resources: BTreeMap<_, _> = resources.collect();
        let namespaces = cluster.reserved_namespaces_allowed_products.clone();
        Self {
            name: cluster.name.to_string(),
            api_server: cluster.api_server.clone(),
            cluster_type: cluster_type.to_owned(),
            usage: usage.to_owned(),
            worker_type: shape.worker_type().map(|worker| worker.as_str().to_owned()),
            host_cluster: shape.host_cluster().map(ToString::to_string),
            vcluster: Tf::Null,
            kubeconfig_wo: WriteOnly::default(),
            kubeconfig_wo_version: None,
            kubeconfig_vault: None,
            credential: Known(CredentialModel {
                kind: CredentialModel::SERVICE_ACCOUNT.to_owned(),
                rotate_after: CredentialModel::ROTATE_AFTER.to_owned(),
                expires_at: Tf::Null,
                rotation_due: Known(false),
                vault_path: Known(vault_path),
            }),
            vault_kubernetes_host: None,
            cluster_uid: Known(uid),
            primary_domain: cluster.primary_domain.clone().into(),
            reserved_namespaces_allowed_products: Some(namespaces).filter(|them| !them.is_empty()),
            product_allowed_cluster_resources: Some(resources).filter(|them| !them.is_empty()),
            insecure_skip_check: None,
            timeouts: None,
            id: Known(cluster.name.to_string()),
            manifest_path: Tf::Null,
            kubernetes_version: Tf::Null,
            components: None,
            component_status: Known(BTreeMap::new()),
            addresses: AddressesModel::default(),
            drift: Tf::Null,
        }
    }

    /// Whether changes are validated: as the resource says, else as the provider does.
    pub(crate) fn validation(&self, client: &Client) -> Validation {
        let provider = client.settings().insecure_skip_check;
        if self.insecure_skip_check.unwrap_or(provider) {
            Validation::Skip
        } else {
            Validation::Full
        }
    }
}

impl ClusterModel {
    /// Returns what products may use besides their own.
    pub(super) fn product_access(&self) -> ProductAccess {
        let resources = self.product_allowed_cluster_resources.iter().flatten();
        let resources = resources.map(|(product, listed)| {
            let listed = listed.iter().map(|resource| ProductResource {
                group: resource.group.clone(),
                kind: resource.kind.clone(),
                name: resource.name.clone(),
            });
            (product.clone(), listed.collect())
        });
        let namespaces = self.reserved_namespaces_allowed_products.clone();
        ProductAccess {
            reserved_namespaces: namespaces.unwrap_or_default(),
            cluster_resources: resources.collect(),
        }
    }
}

impl CredentialModel {
    pub(crate) const SERVICE_ACCOUNT: &'static str = "service_account";
    pub(crate) const KINDS: [&'static str; 2] = [Self::SERVICE_ACCOUNT, "as_given"];
    pub(crate) const ROTATE_AFTER: &'static str = "2160h";
}

/// A kind of cluster-scoped resources.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct ClusterResourceModel {
    /// The kind.
    pub(crate) kind: String,
    /// The API group.
    pub(crate) group: String,
    /// The name, in which `*` stands for any characters; all of the kind without it.
    pub(crate) name: Option<String>,
}

impl From<&ClusterResource> for ClusterResourceModel {
    fn from(resource: &ClusterResource) -> Self {
        Self {
            kind: resource.kind.clone(),
            group: resource.group.clone(),
            name: None,
        }
    }
}

/// The identity of a cluster.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct ClusterIdentity {
    /// Name of the cluster.
    pub(crate) name: String,
}
