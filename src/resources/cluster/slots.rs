//! The slots of a cluster's components: what each is for, and what can be chosen.

use std::collections::BTreeMap;

use nautes_model::entity::ComponentSlot;
use terraform_plugin::model::Model;
use terraform_plugin::schema::one_of;

use super::validators::{host_name, node_port, replicas};
use crate::resources::attribute::not_empty;

/// The components of a cluster, by what they are for.
#[derive(Debug, Clone, Default, PartialEq, Model)]
pub(crate) struct ComponentsModel {
    /// Continuous deployment: Argo CD.
    pub(crate) deployment: Option<DeploymentModel>,
    /// Progressive delivery: Argo Rollouts.
    pub(crate) progressive_delivery: Option<SlotModel>,
    /// Secrets from Vault: External Secrets.
    pub(crate) secret_sync: Option<SlotModel>,
    /// Ingress: Traefik.
    pub(crate) gateway: Option<GatewayModel>,
    /// Pipelines: Tekton with its dashboard.
    pub(crate) pipeline: Option<PipelineModel>,
    /// Events that start pipelines: Argo Events.
    pub(crate) event_listener: Option<EventListenerModel>,
    /// Hierarchies of namespaces: the Hierarchical Namespace Controller, which needs cert-manager and is not
    /// installed by default.
    pub(crate) multi_tenant: Option<MultiTenantModel>,
    /// The login in front of dashboards: `OAuth2` Proxy, which is installed where `oidc` is configured.
    pub(crate) oauth_proxy: Option<SlotModel>,
    /// Certificates: cert-manager, which is installed only if this slot is given.
    pub(crate) cert_management: Option<SlotModel>,
}

/// What can be chosen of every component.
#[derive(Debug, Clone, Default, PartialEq, Model)]
pub(crate) struct SlotModel {
    /// Name of the component. There is one for each slot.
    pub(crate) name: Option<String>,
    /// Its namespace. Only that of Argo CD, and of a component that is there already, can be chosen.
    pub(crate) namespace: Option<String>,
    /// Whether the provider installs it; `true` by default. With `false` the one that is there is used: its version and
    /// readiness are checked, only the provider's own keys are written, and it is neither upgraded nor removed.
    pub(crate) install: Option<bool>,
    /// Its version, such as `v3.5.1`.
    pub(crate) version: Option<String>,
    /// Where its manifest is: an address that begins with `https://`, or the absolute path of a file.
    #[tf(requires(["sha256"]))]
    pub(crate) url: Option<String>,
    /// SHA-256 of the manifest, in hexadecimal digits; required with `url`.
    pub(crate) sha256: Option<String>,
    /// A registry that has copies of all images, such as `registry.example.com/mirror`.
    pub(crate) image_registry: Option<String>,
    /// Name of the Secret with credentials for images, in the namespace of the component.
    #[tf(validate(not_empty()))]
    pub(crate) image_pull_secret: Option<String>,
    /// Whether an upgrade that drops a version of a kind may also rewrite objects of others that are stored in this
    /// version; `false` by default.
    pub(crate) migrate_foreign: Option<bool>,
    /// Settings in the manifest that have no attribute here.
    pub(crate) additions: Option<BTreeMap<String, String>>,
}

/// Argo CD.
#[derive(Debug, Clone, Default, PartialEq, Model)]
pub(crate) struct DeploymentModel {
    #[tf(flatten)]
    pub(crate) slot: SlotModel,
    /// Host of its web page; by default `argocd.<cluster>.<primary domain>`.
    #[tf(validate(host_name()))]
    pub(crate) host: Option<String>,
}

/// The gateway.
#[derive(Debug, Clone, Default, PartialEq, Model)]
pub(crate) struct GatewayModel {
    #[tf(flatten)]
    pub(crate) slot: SlotModel,
    /// How it is reached: `NodePort` (the default), or `LoadBalancer`.
    #[tf(validate(one_of(["NodePort", "LoadBalancer"])))]
    pub(crate) service_type: Option<String>,
    /// Port of the nodes for HTTPS; `30443` by default.
    #[tf(validate(node_port()))]
    pub(crate) https_node_port: Option<u64>,
    /// Port of the nodes for HTTP; `30080` by default.
    #[tf(validate(node_port()))]
    pub(crate) http_node_port: Option<u64>,
    /// Name of a Secret in the gateway's namespace with a certificate for the hosts of the cluster.
    #[tf(conflicts_with(["cluster_issuer"]), validate(not_empty()))]
    pub(crate) tls_secret: Option<String>,
    /// Name of a `ClusterIssuer` of cert-manager that issues certificates for the hosts of the cluster.
    #[tf(validate(not_empty()))]
    pub(crate) cluster_issuer: Option<String>,
    /// Name of the gateway's `IngressClass`; `traefik` by default.
    #[tf(validate(not_empty()))]
    pub(crate) ingress_class: Option<String>,
}

/// Tekton.
#[derive(Debug, Clone, Default, PartialEq, Model)]
pub(crate) struct PipelineModel {
    #[tf(flatten)]
    pub(crate) slot: SlotModel,
    /// Host of its dashboard; by default `tekton.<cluster>.<primary domain>`.
    #[tf(validate(host_name()))]
    pub(crate) host: Option<String>,
    /// The dashboard, whose versions are its own.
    pub(crate) dashboard: Option<DashboardModel>,
    /// Images of the provider's own steps of pipelines, by their names, such as copies in another registry.
    pub(crate) images: Option<BTreeMap<String, String>>,
}

/// The dashboard of Tekton.
#[derive(Debug, Clone, Default, PartialEq, Model)]
pub(crate) struct DashboardModel {
    /// Its version, such as `v0.71.0`.
    pub(crate) version: Option<String>,
    /// Where its manifest is: an address that begins with `https://`, or the absolute path of a file.
    #[tf(requires(["sha256"]))]
    pub(crate) url: Option<String>,
    /// SHA-256 of the manifest, in hexadecimal digits; required with `url`.
    pub(crate) sha256: Option<String>,
}

/// Argo Events.
#[derive(Debug, Clone, Default, PartialEq, Model)]
pub(crate) struct EventListenerModel {
    #[tf(flatten)]
    pub(crate) slot: SlotModel,
    /// Number of servers of the event bus: `1`, or `3` (the default) or more.
    #[tf(validate(replicas()))]
    pub(crate) replicas: Option<u64>,
    /// Storage class of their volumes; that of the cluster by default.
    #[tf(validate(not_empty()))]
    pub(crate) storage_class: Option<String>,
}

/// The Hierarchical Namespace Controller.
#[derive(Debug, Clone, Default, PartialEq, Model)]
pub(crate) struct MultiTenantModel {
    #[tf(flatten)]
    pub(crate) slot: SlotModel,
    /// Whether the cluster has it; `false` by default.
    pub(crate) enabled: Option<bool>,
}

impl ComponentsModel {
    /// Returns what was chosen of a slot.
    pub(super) fn slot(&self, slot: ComponentSlot) -> Option<&SlotModel> {
        match slot {
            ComponentSlot::CertManagement => self.cert_management.as_ref(),
            ComponentSlot::Deployment => self.deployment.as_ref().map(|slot| &slot.slot),
            ComponentSlot::EventListener => self.event_listener.as_ref().map(|slot| &slot.slot),
            ComponentSlot::Gateway => self.gateway.as_ref().map(|slot| &slot.slot),
            ComponentSlot::MultiTenant => self.multi_tenant.as_ref().map(|slot| &slot.slot),
            ComponentSlot::OauthProxy => self.oauth_proxy.as_ref(),
            ComponentSlot::Pipeline => self.pipeline.as_ref().map(|slot| &slot.slot),
            ComponentSlot::ProgressiveDelivery => self.progressive_delivery.as_ref(),
            ComponentSlot::SecretManagement => None,
            ComponentSlot::SecretSync => self.secret_sync.as_ref(),
        }
    }

    /// Returns whether the cluster is to have the controller of hierarchies of namespaces.
    pub(super) fn has_hierarchies(&self) -> bool {
        let slot = self.multi_tenant.as_ref();
        slot.is_some_and(|slot| slot.enabled == Some(true))
    }
}

impl SlotModel {
    /// Returns whether a component that is there already is used.
    pub(super) fn uses_existing(&self) -> bool {
        self.install == Some(false)
    }
}

impl GatewayModel {
    /// The type of its Service if none is chosen, and the other one.
    pub(super) const NODE_PORT: &'static str = "NodePort";
    pub(super) const LOAD_BALANCER: &'static str = "LoadBalancer";

    /// Returns the ports for HTTP and HTTPS at which it is reached.
    pub(super) fn ports(&self) -> (u16, u16) {
        if self.is_load_balancer() {
            return (80, 443);
        }
        let port = |chosen: Option<u64>, default| {
            let chosen = chosen.and_then(|port| u16::try_from(port).ok());
            chosen.unwrap_or(default)
        };
        (
            port(self.http_node_port, 30080),
            port(self.https_node_port, 30443),
        )
    }

    /// Returns whether the environment of the cluster gives it an address of its own.
    pub(super) fn is_load_balancer(&self) -> bool {
        self.service_type.as_deref() == Some(Self::LOAD_BALANCER)
    }

    /// Returns the name of its `IngressClass`.
    pub(super) fn class(&self) -> &str {
        self.ingress_class.as_deref().unwrap_or("traefik")
    }
}
