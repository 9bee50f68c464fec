//! The components: what each is for, where it comes from, and which clusters have it.

use std::fmt;

use nautes_model::entity::{ClusterShape, ComponentSlot, WorkerType};

use super::digest::Sha256;
use super::version::Version;

/// A component that can be installed in a cluster.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Component {
    /// Certificates for hosts of the gateway.
    CertManager,
    /// Hierarchies of namespaces. Its development has ended, so nothing has it by default.
    Hnc,
    /// Secrets from Vault.
    ExternalSecrets,
    /// Continuous deployment.
    ArgoCd,
    /// Ingress.
    Traefik,
    /// Single sign-on in front of the dashboard of Tekton.
    Oauth2Proxy,
    /// Pipelines.
    TektonPipelines,
    /// The dashboard of pipelines.
    TektonDashboard,
    /// Events that start pipelines.
    ArgoEvents,
    /// Progressive delivery.
    ArgoRollouts,
}

/// Whether a cluster has a component.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Presence {
    /// It has it unless the slot says otherwise.
    Default,
    /// It has it if single sign-on is configured.
    WithSingleSignOn,
    /// It has it if the slot asks for it.
    OnRequest,
    /// It uses that of its host cluster.
    OnHost,
    /// It does not have it.
    Never,
}

/// Where a component comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The install manifest of a release.
    Manifest {
        /// Its address; `{version}` stands for the version, such as `v3.5.1`.
        url: &'static str,
        /// The digest of the manifest of the default version. `None` where the tests apply objects of the
        /// same version that come from another file: then the digest of the first download is kept.
        sha256: Option<Sha256>,
    },
    /// The provider builds its few objects; only images are fetched, by the cluster.
    BuiltIn,
}

/// Parses a digest when the provider is compiled.
macro_rules! sha256 {
    ($text:literal) => {{
        const DIGEST: Sha256 = match Sha256::parse($text) {
            Ok(digest) => digest,
            Err(_) => panic!("not a SHA-256 digest"),
        };
        Some(DIGEST)
    }};
}

impl Component {
    /// All components, in the order in which they are installed.
    pub const ALL: [Self; 10] = [
        Self::CertManager,
        Self::Hnc,
        Self::ExternalSecrets,
        Self::ArgoCd,
        Self::Traefik,
        Self::Oauth2Proxy,
        Self::TektonPipelines,
        Self::TektonDashboard,
        Self::ArgoEvents,
        Self::ArgoRollouts,
    ];

    /// Returns the slot that it fills.
    pub const fn slot(self) -> ComponentSlot {
        match self {
            Self::CertManager => ComponentSlot::CertManagement,
            Self::Hnc => ComponentSlot::MultiTenant,
            Self::ExternalSecrets => ComponentSlot::SecretSync,
            Self::ArgoCd => ComponentSlot::Deployment,
            Self::Traefik => ComponentSlot::Gateway,
            Self::Oauth2Proxy => ComponentSlot::OauthProxy,
            Self::TektonPipelines | Self::TektonDashboard => ComponentSlot::Pipeline,
            Self::ArgoEvents => ComponentSlot::EventListener,
            Self::ArgoRollouts => ComponentSlot::ProgressiveDelivery,
        }
    }

    /// Returns its name in Nautes, such as `argocd`, which is also the value of the label
    /// [`COMPONENT_LABEL`](super::COMPONENT_LABEL).
    pub const fn name(self) -> &'static str {
        match self {
            Self::TektonDashboard => "tekton-dashboard",
            other => other.slot().default_component().0,
        }
    }

    /// Returns its namespace. Only Argo CD can be installed in another one.
    pub const fn namespace(self) -> &'static str {
        self.slot().default_component().1
    }

    /// Returns the version that is installed if none is chosen.
    pub fn default_version(self) -> Version {
        match self {
            Self::CertManager => Version::new(1, 21, 1),
            // The fork that is still built; a test proves that this is a version.
            Self::Hnc => Version::parse("v1.1.0-pfnet.3").unwrap_or(Version::new(1, 1, 0)),
            Self::ExternalSecrets => Version::new(2, 9, 0),
            Self::ArgoCd => Version::new(3, 5, 1),
            Self::Traefik => Version::new(3, 7, 13),
            Self::Oauth2Proxy => Version::new(7, 15, 3),
            Self::TektonPipelines => Version::new(1, 15, 0),
            Self::TektonDashboard => Version::new(0, 71, 0),
            Self::ArgoEvents => Version::new(1, 9, 11),
            Self::ArgoRollouts => Version::new(1, 9, 1),
        }
    }

    /// Returns where it comes from.
    pub const fn origin(self) -> Origin {
        let (url, sha256) = match self {
            Self::CertManager => (
                "https://github.com/cert-manager/cert-manager/releases/download/{version}/cert-manager.yaml",
                None,
            ),
            Self::Hnc => (
                "https://github.com/pfnet/hierarchical-namespaces/releases/download/{version}/default.yaml",
                None,
            ),
            Self::ExternalSecrets => (
                "https://github.com/external-secrets/external-secrets/releases/download/{version}/external-secrets.yaml",
                None,
            ),
            Self::ArgoCd => (
                "https://raw.githubusercontent.com/argoproj/argo-cd/{version}/manifests/install.yaml",
                sha256!("795a3a972224da6a7f9d32c3e946445f062b60fb46028476715affeb688236e3"),
            ),
            Self::TektonPipelines => (
                "https://infra.tekton.dev/tekton-releases/pipeline/previous/{version}/release.yaml",
                None,
            ),
            Self::TektonDashboard => (
                "https://infra.tekton.dev/tekton-releases/dashboard/previous/{version}/release.yaml",
                None,
            ),
            Self::ArgoEvents => (
                "https://github.com/argoproj/argo-events/releases/download/{version}/install.yaml",
                sha256!("affaae84d8d5e5c967048815d8331b7a0b66bc0ae81f81bc47c7e0b2281ebc86"),
            ),
            Self::ArgoRollouts => (
                "https://github.com/argoproj/argo-rollouts/releases/download/{version}/install.yaml",
                None,
            ),
            Self::Traefik | Self::Oauth2Proxy => return Origin::BuiltIn,
        };
        Origin::Manifest { url, sha256 }
    }

    /// Returns whether clusters of a shape have it.
    pub const fn presence(self, shape: &ClusterShape) -> Presence {
        let worker_type = shape.worker_type();
        let is_worker = worker_type.is_some();
        let is_virtual = shape.host_cluster().is_some();
        let runs_pipelines = matches!(worker_type, Some(WorkerType::Pipeline));
        let runs_deployments = matches!(worker_type, Some(WorkerType::Deployment));
        match self {
            Self::CertManager => Presence::OnRequest,
            Self::Hnc if is_worker => Presence::OnRequest,
            Self::ExternalSecrets | Self::ArgoCd if is_worker => Presence::Default,
            Self::Traefik if !is_virtual => Presence::Default,
            Self::Oauth2Proxy if !is_virtual && !runs_deployments => Presence::WithSingleSignOn,
            Self::Traefik | Self::Oauth2Proxy if runs_pipelines => Presence::OnHost,
            Self::TektonPipelines | Self::TektonDashboard | Self::ArgoEvents if runs_pipelines => {
                Presence::Default
            }
            Self::ArgoRollouts if runs_deployments => Presence::Default,
            _ => Presence::Never,
        }
    }
}

/// As its project writes it.
impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CertManager => "cert-manager",
            Self::Hnc => "Hierarchical Namespace Controller",
            Self::ExternalSecrets => "External Secrets",
            Self::ArgoCd => "Argo CD",
            Self::Traefik => "Traefik",
            Self::Oauth2Proxy => "OAuth2 Proxy",
            Self::TektonPipelines => "Tekton Pipelines",
            Self::TektonDashboard => "Tekton Dashboard",
            Self::ArgoEvents => "Argo Events",
            Self::ArgoRollouts => "Argo Rollouts",
        })
    }
}

#[cfg(test)]
mod tests {
    use nautes_model::EntityName;

    use super::*;

    fn shapes() -> [ClusterShape; 5] {
        let virtual_worker = |worker_type| ClusterShape::VirtualWorker {
            worker_type,
            host_cluster: EntityName::new("host-a").unwrap(),
        };
        [
            ClusterShape::Host,
            virtual_worker(WorkerType::Deployment),
            virtual_worker(WorkerType::Pipeline),
            ClusterShape::PhysicalWorker(WorkerType::Deployment),
            ClusterShape::PhysicalWorker(WorkerType::Pipeline),
        ]
    }

    #[test]
    fn each_shape_of_cluster_has_its_components() {
        use Presence::{Default, Never, OnHost, OnRequest, WithSingleSignOn};
        let table = [
            (
                Component::ExternalSecrets,
                [Never, Default, Default, Default, Default],
            ),
            (
                Component::ArgoCd,
                [Never, Default, Default, Default, Default],
            ),
            (
                Component::ArgoRollouts,
                [Never, Default, Never, Default, Never],
            ),
            (
                Component::Traefik,
                [Default, Never, OnHost, Default, Default],
            ),
            (
                Component::TektonPipelines,
                [Never, Never, Default, Never, Default],
            ),
            (
                Component::TektonDashboard,
                [Never, Never, Default, Never, Default],
            ),
            (
                Component::ArgoEvents,
                [Never, Never, Default, Never, Default],
            ),
            (
                Component::Oauth2Proxy,
                [WithSingleSignOn, Never, OnHost, Never, WithSingleSignOn],
            ),
            (
                Component::Hnc,
                [Never, OnRequest, OnRequest, OnRequest, OnRequest],
            ),
            (Component::CertManager, [OnRequest; 5]),
        ];
        assert_eq!(table.len(), Component::ALL.len());
        for (component, expected) in table {
            let found = shapes().map(|shape| component.presence(&shape));
            assert_eq!(found, expected, "{component}");
        }
    }

    /// Returns the components that must work before this one is installed, if the cluster has them.
    fn needed_before(component: Component) -> &'static [Component] {
        match component {
            Component::CertManager => &[],
            Component::Hnc
            | Component::ExternalSecrets
            | Component::ArgoCd
            | Component::Traefik
            | Component::ArgoRollouts => &[Component::CertManager],
            Component::Oauth2Proxy => &[Component::Traefik],
            Component::TektonPipelines => &[Component::CertManager, Component::Oauth2Proxy],
            Component::TektonDashboard => &[Component::TektonPipelines],
            Component::ArgoEvents => &[Component::CertManager, Component::TektonPipelines],
        }
    }

    #[test]
    fn a_component_is_installed_after_what_it_needs() {
        for (index, component) in Component::ALL.iter().enumerate() {
            for needed in needed_before(*component) {
                assert!(Component::ALL[..index].contains(needed), "{component}");
            }
        }
    }

    #[test]
    fn a_default_component_has_a_slot_that_nautes_knows_for_the_shape() {
        for shape in shapes() {
            let slots = ComponentSlot::required_for(&shape);
            for component in Component::ALL {
                if component.presence(&shape) == Presence::Default {
                    assert!(
                        slots.contains(&component.slot()),
                        "{component} of {shape:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn hierarchies_of_namespaces_come_from_the_fork() {
        assert_eq!(
            Component::Hnc.default_version().to_string(),
            "v1.1.0-pfnet.3"
        );
    }

    #[test]
    fn manifests_come_from_addresses_with_a_version() {
        for component in Component::ALL {
            if let Origin::Manifest { url, .. } = component.origin() {
                assert!(
                    url.starts_with("https://") && url.contains("/{version}/"),
                    "{url}"
                );
            }
        }
    }
}
