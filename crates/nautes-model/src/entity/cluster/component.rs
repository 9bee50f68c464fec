//! The components of a cluster, and their slots.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shape::{ClusterShape, WorkerType};
use crate::entity::go_zero;

/// An installed component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Additional settings.
    #[serde(
        default,
        deserialize_with = "go_zero::null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub additions: BTreeMap<String, String>,
    /// The name, such as `argocd`.
    pub name: String,
    /// The namespace that it is installed in.
    pub namespace: String,
}

/// The purpose of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ComponentSlot {
    /// Certificates.
    CertManagement,
    /// Continuous deployment.
    Deployment,
    /// Events that start pipelines.
    EventListener,
    /// Ingress.
    Gateway,
    /// Namespaces of products.
    MultiTenant,
    /// Single sign-on for dashboards.
    OauthProxy,
    /// Pipelines.
    Pipeline,
    /// Progressive delivery.
    ProgressiveDelivery,
    /// The secret store.
    SecretManagement,
    /// Syncs secrets from the store.
    SecretSync,
}

impl ComponentSlot {
    /// All slots.
    pub const ALL: [Self; 10] = [
        Self::CertManagement,
        Self::Deployment,
        Self::EventListener,
        Self::Gateway,
        Self::MultiTenant,
        Self::OauthProxy,
        Self::Pipeline,
        Self::ProgressiveDelivery,
        Self::SecretManagement,
        Self::SecretSync,
    ];

    /// Returns the Terraform attribute of the slot.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::CertManagement => "cert_management",
            Self::Deployment => "deployment",
            Self::EventListener => "event_listener",
            Self::Gateway => "gateway",
            Self::MultiTenant => "multi_tenant",
            Self::OauthProxy => "oauth_proxy",
            Self::Pipeline => "pipeline",
            Self::ProgressiveDelivery => "progressive_delivery",
            Self::SecretManagement => "secret_management",
            Self::SecretSync => "secret_sync",
        }
    }

    /// Returns the name and the namespace of Nautes's component for this slot
    /// (`config/apps/base/third_part_components.yaml`).
    pub const fn default_component(self) -> (&'static str, &'static str) {
        match self {
            Self::CertManagement => ("cert-manager", "cert-manager"),
            Self::Deployment => ("argocd", "argocd"),
            Self::EventListener => ("argo-events", "argo-events"),
            Self::Gateway => ("traefik", "traefik"),
            Self::MultiTenant => ("hnc", "hnc-system"),
            Self::OauthProxy => ("oauth2-proxy", "oauth2-proxy"),
            Self::Pipeline => ("tekton", "tekton-pipelines"),
            Self::ProgressiveDelivery => ("argo-rollouts", "argo-rollouts"),
            Self::SecretManagement => ("vault", "vault"),
            Self::SecretSync => ("external-secrets", "external-secrets"),
        }
    }

    /// Returns the slots that are required for a shape of cluster
    /// (`config/apps/base/component_category_definition.yaml`).
    pub const fn required_for(shape: &ClusterShape) -> &'static [Self] {
        match shape {
            ClusterShape::Host => &[Self::Gateway, Self::OauthProxy, Self::SecretManagement],
            ClusterShape::VirtualWorker {
                worker_type: WorkerType::Deployment,
                ..
            } => &[
                Self::Deployment,
                Self::MultiTenant,
                Self::ProgressiveDelivery,
                Self::SecretManagement,
                Self::SecretSync,
            ],
            ClusterShape::VirtualWorker {
                worker_type: WorkerType::Pipeline,
                ..
            } => &[
                Self::Deployment,
                Self::EventListener,
                Self::Gateway,
                Self::MultiTenant,
                Self::Pipeline,
                Self::SecretManagement,
                Self::SecretSync,
            ],
            ClusterShape::PhysicalWorker(WorkerType::Deployment) => &[
                Self::Deployment,
                Self::Gateway,
                Self::MultiTenant,
                Self::ProgressiveDelivery,
                Self::SecretManagement,
                Self::SecretSync,
            ],
            ClusterShape::PhysicalWorker(WorkerType::Pipeline) => &[
                Self::Deployment,
                Self::EventListener,
                Self::Gateway,
                Self::MultiTenant,
                Self::OauthProxy,
                Self::Pipeline,
                Self::SecretManagement,
                Self::SecretSync,
            ],
        }
    }
}
