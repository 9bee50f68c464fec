//! What proves that a component works.
//!
//! The rules for workloads, definitions and webhooks are those of [`kubernetes_apply::readiness`]. Here is what they do
//! not know: the conditions of some custom resources, and objects that a component makes itself.

use kubernetes_apply::object::{GroupKind, Kind, Object, ObjectRef};
use kubernetes_apply::readiness::{Rules, require_conditions};

use super::catalogue::Component;
use super::customise::argo_events;
use super::version::Version;
use super::{Installation, Settings};

/// What has to be waited for after the objects of a component were applied.
#[derive(Debug)]
pub struct Proof {
    /// How the objects are judged.
    pub rules: Rules,
    /// Objects that the component makes, which are not among those that were applied.
    pub made: Vec<(Kind, ObjectRef)>,
}

impl Installation {
    /// Returns what proves that the component works.
    pub fn proof(&self) -> Proof {
        let namespace = self.settings.namespace();
        let made = match &self.settings {
            Settings::ArgoCd(_) => vec![namespaced(
                "argoproj.io/v1alpha1",
                "AppProject",
                namespace,
                "default",
            )],
            Settings::ArgoEvents(_) => vec![namespaced(
                "apps/v1",
                "StatefulSet",
                namespace,
                argo_events::BUS_STATEFUL_SET,
            )],
            _ => Vec::new(),
        };
        let rules = Rules::default()
            .with(
                GroupKind::new("argoproj.io", "EventBus"),
                require_conditions(&["Configured", "Deployed"]),
            )
            .with(
                GroupKind::new("cert-manager.io", "Certificate"),
                require_conditions(&["Ready"]),
            )
            .with(
                GroupKind::new("cert-manager.io", "Issuer"),
                require_conditions(&["Ready"]),
            );
        Proof { rules, made }
    }
}

impl Component {
    /// Returns the workloads without which the component does not work, to check one that somebody else has
    /// installed.
    pub fn workloads(self, namespace: &str) -> Vec<(Kind, ObjectRef)> {
        let deployments: &[&str] = match self {
            Self::CertManager => &[
                "cert-manager",
                "cert-manager-cainjector",
                "cert-manager-webhook",
            ],
            Self::Hnc => &["hnc-controller-manager"],
            Self::ExternalSecrets => &[
                "external-secrets",
                "external-secrets-cert-controller",
                "external-secrets-webhook",
            ],
            Self::ArgoCd => &[
                "argocd-server",
                "argocd-repo-server",
                "argocd-redis",
                "argocd-applicationset-controller",
            ],
            Self::Traefik => &["traefik"],
            Self::Oauth2Proxy => &["oauth2-proxy"],
            Self::TektonPipelines => &["tekton-pipelines-controller", "tekton-pipelines-webhook"],
            Self::TektonDashboard => &["tekton-dashboard"],
            Self::ArgoEvents => &["controller-manager"],
            Self::ArgoRollouts => &["argo-rollouts"],
        };
        let mut workloads: Vec<_> = deployments
            .iter()
            .map(|name| namespaced("apps/v1", "Deployment", namespace, name))
            .collect();
        if self == Self::ArgoCd {
            let controller = "argocd-application-controller";
            workloads.push(namespaced("apps/v1", "StatefulSet", namespace, controller));
        }
        workloads
    }

    /// Returns the objects that the component makes for itself, which nobody misses when it is removed.
    pub fn own_objects(self, namespace: &str) -> Vec<ObjectRef> {
        let secret = |name: &str| ObjectRef::namespaced("", "Secret", namespace, name);
        match self {
            Self::ArgoCd => vec![
                ObjectRef::namespaced("argoproj.io", "AppProject", namespace, "default"),
                secret("argocd-initial-admin-secret"),
                secret("argocd-redis"),
            ],
            Self::CertManager => vec![secret("cert-manager-webhook-ca")],
            Self::Hnc => vec![
                ObjectRef::cluster("hnc.x-k8s.io", "HNCConfiguration", "config"),
                secret("hnc-webhook-server-cert"),
            ],
            _ => Vec::new(),
        }
    }

    /// Returns the versions of kinds that the provider uses, which a component that somebody else has installed has
    /// to serve.
    pub fn used_kinds(self) -> Vec<Kind> {
        let (api_version, kinds): (&str, &[&str]) = match self {
            Self::CertManager => ("cert-manager.io/v1", &["Certificate"]),
            Self::Hnc => ("hnc.x-k8s.io/v1alpha2", &["HierarchyConfiguration"]),
            Self::ExternalSecrets => ("external-secrets.io/v1", &["ExternalSecret", "SecretStore"]),
            Self::ArgoCd => ("argoproj.io/v1alpha1", &["AppProject", "Application"]),
            Self::Traefik => ("traefik.io/v1alpha1", &["Middleware", "TLSStore"]),
            Self::TektonPipelines => ("tekton.dev/v1", &["PipelineRun", "TaskRun"]),
            Self::ArgoEvents => (
                "argoproj.io/v1alpha1",
                &["EventBus", "EventSource", "Sensor"],
            ),
            Self::ArgoRollouts => ("argoproj.io/v1alpha1", &["Rollout"]),
            Self::Oauth2Proxy | Self::TektonDashboard => ("", &[]),
        };
        let kinds = kinds.iter();
        kinds.map(|kind| Kind::new(api_version, kind)).collect()
    }
}

/// Returns the version of a component that somebody else has installed, from the image of one of its workloads; `None`
/// if its tag is not a version.
pub fn version_of(workload: &Object) -> Option<Version> {
    let image = workload.text("/spec/template/spec/containers/0/image")?;
    let without_digest = image.split_once('@').map_or(image, |(image, _)| image);
    let (_, tag) = without_digest.rsplit_once(':')?;
    Version::parse(tag).ok()
}

fn namespaced(api_version: &str, kind: &str, namespace: &str, name: &str) -> (Kind, ObjectRef) {
    let kind = Kind::new(api_version, kind);
    let object = ObjectRef {
        kind: kind.group_kind(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    };
    (kind, object)
}
