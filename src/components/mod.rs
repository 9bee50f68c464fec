//! The components that a cluster needs, as data, and how each is customised.
//!
//! [`catalogue`] says what there is and which clusters have it, [`source`] which version is installed and where its
//! manifest is, [`fetch`] gets the manifest, and [`Installation::objects`] makes of it the objects that are applied.
//! [`floor`] knows versions with security problems, [`readiness`] what proves that a component works, and
//! [`entry_points`] how the gateway is reached.
//!
//! Only [`fetch`] does I/O. The provider contains no manifest of anybody: most components are downloaded, and those
//! without an install manifest are few objects that are built here, as is a virtual cluster ([`vcluster`]).

pub mod catalogue;
mod customise;
mod digest;
pub mod entry_points;
mod error;
pub mod fetch;
pub mod floor;
mod image;
mod ingress;
mod manifest;
mod namespace;
mod oauth2_proxy;
pub mod readiness;
pub mod source;
#[cfg(test)]
mod tests;
mod traefik;
pub mod vcluster;
mod version;

use kubernetes_apply::object::Object;

pub use self::catalogue::{Component, Presence};
pub use self::customise::argo_cd::{ArgoCd, ArgoCdSingleSignOn};
pub use self::customise::argo_events::{
    ArgoEvents, BusReplicas, WEBHOOK_CERTIFICATE, WebhookCertificate,
};
pub use self::customise::hnc::Hnc;
pub use self::customise::tekton::TektonDashboard;
pub use self::digest::{InvalidSha256, Sha256};
pub use self::error::ComponentError;
pub use self::image::{ImageRegistry, Images};
pub use self::ingress::{Certificate, Exposure};
pub use self::oauth2_proxy::{Dashboard, Oauth2Proxy, login_middleware};
pub use self::traefik::{GatewayService, Traefik};
pub use self::version::{InvalidVersion, Version};

use self::customise::{argo_rollouts, cert_manager, external_secrets, tekton};
use self::manifest::{Manifest, set_metadata};

/// The label of all objects of a component; its value is [`Component::name`].
pub const COMPONENT_LABEL: &str = "nautes.terraform/component";

/// A component as it is to be installed.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The component and its settings.
    pub settings: Settings,
    /// Its version.
    pub version: Version,
    /// From where its images are pulled.
    pub images: Images,
}

/// A component and its settings.
#[derive(Clone, Debug)]
pub enum Settings {
    /// Argo CD.
    ArgoCd(Box<ArgoCd>),
    /// Argo Events with its event bus.
    ArgoEvents(ArgoEvents),
    /// Argo Rollouts.
    ArgoRollouts,
    /// cert-manager.
    CertManager,
    /// External Secrets.
    ExternalSecrets,
    /// The Hierarchical Namespace Controller.
    Hnc(Hnc),
    /// `OAuth2` Proxy with the middlewares that ask it.
    Oauth2Proxy(Box<Oauth2Proxy>),
    /// Tekton Pipelines.
    TektonPipelines,
    /// The dashboard of Tekton.
    TektonDashboard(TektonDashboard),
    /// Traefik.
    Traefik(Traefik),
}

impl Settings {
    /// Returns the component.
    pub const fn component(&self) -> Component {
        match self {
            Self::ArgoCd(_) => Component::ArgoCd,
            Self::ArgoEvents(_) => Component::ArgoEvents,
            Self::ArgoRollouts => Component::ArgoRollouts,
            Self::CertManager => Component::CertManager,
            Self::ExternalSecrets => Component::ExternalSecrets,
            Self::Hnc(_) => Component::Hnc,
            Self::Oauth2Proxy(_) => Component::Oauth2Proxy,
            Self::TektonPipelines => Component::TektonPipelines,
            Self::TektonDashboard(_) => Component::TektonDashboard,
            Self::Traefik(_) => Component::Traefik,
        }
    }

    /// Returns the namespace of the component.
    pub fn namespace(&self) -> &str {
        match self {
            Self::ArgoCd(argo_cd) => &argo_cd.namespace,
            other => other.component().namespace(),
        }
    }
}

impl Installation {
    /// Builds the objects that are applied.
    ///
    /// `manifest` is the text that [`fetch`](fetch::fetch) returned for the release. The namespace of the
    /// component is among the objects, and every object carries [`COMPONENT_LABEL`].
    pub fn objects(&self, manifest: Option<&str>) -> Result<Vec<Object>, ComponentError> {
        let component = self.settings.component();
        let manifest = match (&self.settings, manifest) {
            (Settings::Oauth2Proxy(proxy), _) => {
                let objects = proxy.objects(&self.version);
                Manifest { component, objects }
            }
            (Settings::Traefik(traefik), _) => {
                let objects = traefik.objects(&self.version);
                Manifest { component, objects }
            }
            (_, Some(text)) => Manifest::parse(component, text)?,
            (_, None) => {
                let source = None;
                return Err(ComponentError::Build { component, source });
            }
        };
        self.customise(manifest)
    }

    /// Returns the keys that belong to the provider also in a component that it did not install, as objects with
    /// nothing else.
    pub fn own_keys(&self) -> Result<Vec<Object>, ComponentError> {
        let component = self.settings.component();
        let objects = match &self.settings {
            Settings::ArgoCd(argo_cd) => argo_cd.own_keys(),
            _ => Vec::new(),
        };
        Manifest { component, objects }.into_objects()
    }

    fn customise(&self, mut manifest: Manifest) -> Result<Vec<Object>, ComponentError> {
        match &self.settings {
            Settings::ArgoCd(argo_cd) => argo_cd.customise(&mut manifest),
            Settings::ArgoEvents(events) => events.customise(&mut manifest, &self.images),
            Settings::ArgoRollouts => argo_rollouts::customise(&mut manifest, &self.version),
            Settings::CertManager => cert_manager::customise(&mut manifest),
            Settings::ExternalSecrets => external_secrets::customise(&mut manifest),
            Settings::Hnc(hnc) => hnc.customise(&mut manifest),
            Settings::TektonPipelines => tekton::customise_pipelines(&mut manifest),
            Settings::TektonDashboard(dashboard) => dashboard.customise(&mut manifest),
            Settings::Oauth2Proxy(_) | Settings::Traefik(_) => Ok(()),
        }?;
        let component = self.settings.component();
        let namespace = self.settings.namespace();
        manifest.set_default_namespace(namespace);
        // Its namespace is that of the pipelines, which are there before.
        if component != Component::TektonDashboard {
            manifest.add_namespace(namespace);
        }
        self.images.apply_to(&mut manifest);
        for object in &mut manifest.objects {
            set_metadata(object, "labels", COMPONENT_LABEL, component.name());
        }
        manifest.into_objects()
    }
}
