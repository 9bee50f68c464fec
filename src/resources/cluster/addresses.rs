//! How a cluster is reached from outside: its gateway, and the addresses behind it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use kubernetes_apply::cluster::{Cluster, Detail};
use kubernetes_apply::object::Kind;
use nautes_model::EntityName;
use nautes_model::entity::{ClusterShape, WorkerType};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::value::{Known, Path, Tf};
use url::Url;

use super::slots::{ComponentsModel, GatewayModel};
use super::validators::https_address;
use crate::clusters::Facts;
use crate::components::entry_points::{
    EntryPoint, SELECTOR, ServiceType, entry_points, https_url, login_host, primary_domain,
    redirect_uris, webhook_host,
};
use crate::components::{Component, Presence};
use crate::diagnostics::Context as _;
use crate::error_chain::sentence;

/// How long a name may take to be resolved, for a warning only.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(3);

/// How a cluster is reached from outside.
#[derive(Debug, Clone, Default, PartialEq, Model)]
pub(crate) struct AddressesModel {
    /// The gateways of the cluster, by the names of their Services.
    #[tf(follows(["components", "primary_domain", "api_server", "cluster_uid", "drift"]))]
    pub(crate) entry_points: Tf<BTreeMap<String, EntryPointModel>>,
    /// The address that webhooks call, without path; by default the host
    /// `webhook.<cluster>.<primary domain>` at the gateway.
    #[tf(optional, follows(["components", "primary_domain", "api_server", "cluster_uid", "drift"]), validate(https_address()))]
    pub(crate) webhook_base_url: Tf<String>,
    /// Whether the gateway shows a certificate that GitLab can verify: that of `tls_secret`, or one of
    /// `cluster_issuer`.
    #[tf(follows(["components", "cluster_uid", "drift"]))]
    pub(crate) webhook_tls_verifiable: Tf<bool>,
    /// The address of Argo CD; null for a host.
    #[tf(follows(["components", "primary_domain", "api_server", "cluster_uid", "drift"]))]
    pub(crate) argocd_url: Tf<String>,
    /// The address of Tekton's dashboard; null without single sign-on (`oidc` of the provider).
    #[tf(follows(["components", "primary_domain", "api_server", "cluster_uid", "drift"]))]
    pub(crate) tekton_url: Tf<String>,
    /// The addresses that the issuer of tokens must allow as redirect URIs of the client.
    #[tf(follows(["components", "primary_domain", "api_server", "cluster_uid", "drift"]))]
    pub(crate) oauth_redirect_uris: Tf<BTreeSet<String>>,
}

/// A gateway.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct EntryPointModel {
    /// The port for HTTP; null if there is none.
    pub(crate) http_port: Tf<u64>,
    /// The port for HTTPS; null if there is none.
    pub(crate) https_port: Tf<u64>,
    /// Whose ports they are: `NodePort` for those of the nodes, or `LoadBalancer`.
    pub(crate) service_type: Tf<String>,
}

impl AddressesModel {
    /// Sets what is unknown.
    pub(super) fn fill(&mut self, known: Self) {
        self.entry_points.set_if_unknown(known.entry_points);
        self.webhook_base_url.set_if_unknown(known.webhook_base_url);
        self.webhook_tls_verifiable
            .set_if_unknown(known.webhook_tls_verifiable);
        self.argocd_url.set_if_unknown(known.argocd_url);
        self.tekton_url.set_if_unknown(known.tekton_url);
        self.oauth_redirect_uris
            .set_if_unknown(known.oauth_redirect_uris);
    }

    /// Returns whether nothing was recorded, as after an import.
    pub(super) fn is_empty(&self) -> bool {
        self.entry_points.is_null()
    }
}

/// The gateway that serves the hosts of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Gateway {
    pub(super) entry_points: BTreeMap<String, EntryPoint>,
    /// The name of its `IngressClass`.
    pub(super) ingress_class: String,
    /// Whether GitLab can verify its certificate.
    is_verifiable: bool,
}

impl Gateway {
    /// Returns the gateway as its slot describes it.
    pub(super) fn new(slot: Option<&GatewayModel>) -> Self {
        let default = GatewayModel::default();
        let slot = slot.unwrap_or(&default);
        let (http, https) = slot.ports();
        let entry_point = EntryPoint {
            http_port: Some(http),
            https_port: Some(https),
            service_type: if slot.is_load_balancer() {
                ServiceType::LoadBalancer
            } else {
                ServiceType::NodePort
            },
        };
        let name = Component::Traefik.name().to_owned();
        Self {
            entry_points: BTreeMap::from([(name, entry_point)]),
            ingress_class: slot.class().to_owned(),
            is_verifiable: slot.tls_secret.is_some() || slot.cluster_issuer.is_some(),
        }
    }

    /// Returns the gateway of a cluster.
    ///
    /// One that somebody else has installed is found by the label of its Service; without a label it is as its slot
    /// describes it.
    pub(super) async fn load(
        cluster: &Cluster,
        slot: Option<&GatewayModel>,
    ) -> Result<Self, Diagnostics> {
        let described = Self::new(slot);
        if slot.is_none_or(|slot| !slot.slot.uses_existing()) {
            return Ok(described);
        }
        described.find(cluster).await
    }

    /// Finds the gateway of a cluster by the label of its Service; without one it stays as it is described.
    async fn find(self, cluster: &Cluster) -> Result<Self, Diagnostics> {
        let kind = Kind::new("v1", "Service");
        let services = cluster.list(&kind, None, SELECTOR, Detail::Full).await;
        let services = services.context("look for the Service of the gateway")?;
        let found = entry_points(&services).map_err(|error| {
            let path = Path::to("components").attribute("gateway");
            Diagnostic::error("The gateway cannot be reached", sentence(&error)).at(&path)
        })?;
        if found.is_empty() {
            return Ok(self);
        }
        Ok(Self {
            entry_points: found,
            ..self
        })
    }

    /// Returns the gateway of a host, which serves the hosts of its virtual clusters too.
    pub(super) fn of_host(facts: Option<Facts>) -> Self {
        let facts = facts.map(|facts| facts.components).unwrap_or_default();
        Self {
            entry_points: facts.entry_points,
            ingress_class: facts.ingress_class,
            is_verifiable: facts.webhook_tls_verifiable == Some(true),
        }
    }

    /// Returns the port for HTTPS.
    pub(super) fn https_port(&self) -> Option<u16> {
        let mut ports = self.entry_points.values();
        ports.find_map(|entry_point| entry_point.https_port)
    }
}

/// What decides on the addresses of a cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct AddressInputs<'a> {
    pub(super) name: &'a EntityName,
    pub(super) api_server: &'a str,
    pub(super) primary_domain: Option<&'a str>,
    pub(super) shape: &'a ClusterShape,
    pub(super) components: Option<&'a ComponentsModel>,
    /// Whether single sign-on is configured.
    pub(super) single_sign_on: bool,
}

/// The hosts of a cluster, and the gateway that serves them.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    pub(super) gateway: Gateway,
    /// The domain below which the default hosts are.
    pub(super) domain: String,
    /// The host of Argo CD, if it is known.
    pub(super) argocd: Option<String>,
    /// The host of Tekton's dashboard, if the cluster has one.
    pub(super) dashboard: Option<String>,
    /// The host of `OAuth2` Proxy, if the cluster has its own one with single sign-on.
    pub(super) login: Option<String>,
    /// The host that webhooks call, if the cluster is a worker.
    pub(super) webhook: Option<String>,
    single_sign_on: bool,
}

impl Addresses {
    pub(super) fn new(inputs: &AddressInputs<'_>, gateway: Gateway) -> Self {
        let AddressInputs {
            name,
            shape,
            components,
            ..
        } = *inputs;
        let name = name.as_str();
        let domain = inputs.primary_domain.map(str::to_owned);
        let domain = domain.or_else(|| primary_domain(inputs.api_server));
        let domain = domain.unwrap_or_default();
        let is_worker = shape.worker_type().is_some();
        let runs_pipelines = shape.worker_type() == Some(WorkerType::Pipeline);
        let deployment = components.and_then(|components| components.deployment.as_ref());
        let is_there = deployment.is_some_and(|slot| slot.slot.uses_existing());
        let argocd = deployment.and_then(|slot| slot.host.clone());
        // The host of one that is there already is its owner's choice.
        let argocd = argocd.or_else(|| (!is_there).then(|| format!("argocd.{name}.{domain}")));
        let pipeline = components.and_then(|components| components.pipeline.as_ref());
        let dashboard = pipeline.and_then(|slot| slot.host.clone());
        let dashboard = dashboard.unwrap_or_else(|| format!("tekton.{name}.{domain}"));
        let has_login = Component::Oauth2Proxy.presence(shape) == Presence::WithSingleSignOn;
        Self {
            gateway,
            argocd: argocd.filter(|_| is_worker),
            dashboard: runs_pipelines.then_some(dashboard),
            login: has_login.then(|| login_host(name, &domain)),
            webhook: is_worker.then(|| webhook_host(name, &domain)),
            single_sign_on: inputs.single_sign_on,
            domain,
        }
    }

    /// Returns the address of a host at the gateway.
    pub(super) fn url(&self, host: &str) -> Option<String> {
        let port = self.gateway.https_port()?;
        Some(https_url(host, port))
    }

    /// Returns all hosts, which have to differ.
    pub(super) fn hosts(&self) -> Vec<&str> {
        let hosts = [&self.argocd, &self.dashboard, &self.login, &self.webhook];
        hosts.into_iter().filter_map(Option::as_deref).collect()
    }

    /// Returns the attributes.
    pub(super) fn attributes(&self) -> AddressesModel {
        let url = |host: &Option<String>| host.as_deref().and_then(|host| self.url(host));
        let (argocd, login) = (url(&self.argocd), url(&self.login));
        let dashboard = url(&self.dashboard).filter(|_| self.single_sign_on);
        let entry_points = self.gateway.entry_points.iter();
        let entry_points = entry_points
            .map(|(name, entry_point)| (name.clone(), EntryPointModel::from(entry_point)));
        let redirections = redirect_uris(argocd.as_deref(), login.as_deref());
        AddressesModel {
            entry_points: Known(entry_points.collect()),
            webhook_base_url: url(&self.webhook).into(),
            webhook_tls_verifiable: Known(self.gateway.is_verifiable),
            argocd_url: argocd.into(),
            tekton_url: dashboard.into(),
            oauth_redirect_uris: Known(redirections.into_iter().collect()),
        }
    }
}

impl From<&EntryPoint> for EntryPointModel {
    fn from(entry_point: &EntryPoint) -> Self {
        let service_type = match entry_point.service_type {
            ServiceType::NodePort => GatewayModel::NODE_PORT,
            ServiceType::LoadBalancer => GatewayModel::LOAD_BALANCER,
        };
        Self {
            http_port: entry_point.http_port.map(u64::from).into(),
            https_port: entry_point.https_port.map(u64::from).into(),
            service_type: Known(service_type.to_owned()),
        }
    }
}

/// Returns the private address to which a URL leads; `None` if it is public or not known.
pub(super) async fn private_address(url: &str) -> Option<IpAddr> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    let port = url.port_or_known_default()?;
    let looked_up = tokio::net::lookup_host((host, port));
    let addresses = tokio::time::timeout(RESOLVE_TIMEOUT, looked_up).await;
    let addresses: Vec<IpAddr> = match addresses {
        Ok(Ok(addresses)) => addresses.map(|address| address.ip()).collect(),
        _ => Vec::new(),
    };
    let written = address_in_name(host);
    let mut addresses = addresses.into_iter().chain(written);
    addresses.find(is_private)
}

/// Returns the IPv4 address in front of `.nip.io`.
fn address_in_name(host: &str) -> Option<IpAddr> {
    let labels: Vec<&str> = host.strip_suffix(".nip.io")?.split('.').collect();
    let address = labels.get(labels.len().checked_sub(4)?..)?.join(".");
    address.parse().ok()
}

/// Whether GitLab refuses hooks to an address unless its administrator allows them.
fn is_private(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(shape: &ClusterShape, components: &ComponentsModel, sso: bool) -> AddressesModel {
        let inputs = AddressInputs {
            name: &EntityName::new("build-01").unwrap(),
            api_server: "https://10.1.1.1:6443",
            primary_domain: None,
            shape,
            components: Some(components),
            single_sign_on: sso,
        };
        let gateway = Gateway::new(components.gateway.as_ref());
        Addresses::new(&inputs, gateway).attributes()
    }

    fn text(attribute: &Tf<String>) -> Option<&str> {
        attribute.known().map(String::as_str)
    }

    #[test]
    fn the_dashboard_has_an_address_only_behind_single_sign_on() {
        let shape = ClusterShape::PhysicalWorker(WorkerType::Pipeline);
        let components = ComponentsModel::default();
        let without = addresses(&shape, &components, false);
        assert_eq!(text(&without.tekton_url), None);
        assert_eq!(
            text(&without.webhook_base_url),
            Some("https://webhook.build-01.10.1.1.1.nip.io:30443")
        );
        let with = addresses(&shape, &components, true);
        assert_eq!(
            text(&with.tekton_url),
            Some("https://tekton.build-01.10.1.1.1.nip.io:30443")
        );
        let expected = [
            "https://argocd.build-01.10.1.1.1.nip.io:30443/auth/callback",
            "https://auth.build-01.10.1.1.1.nip.io:30443/oauth2/callback",
        ];
        for addresses in [with, without] {
            let uris = addresses.oauth_redirect_uris.known().unwrap();
            assert!(uris.iter().eq(&expected), "{uris:?}");
        }
    }

    #[test]
    fn a_load_balancer_serves_the_usual_ports_and_a_host_no_workers() {
        let gateway = GatewayModel {
            service_type: Some(GatewayModel::LOAD_BALANCER.to_owned()),
            cluster_issuer: Some("letsencrypt".to_owned()),
            ..GatewayModel::default()
        };
        let components = ComponentsModel {
            gateway: Some(gateway),
            ..ComponentsModel::default()
        };
        let shape = ClusterShape::PhysicalWorker(WorkerType::Deployment);
        let worker = addresses(&shape, &components, false);
        assert_eq!(
            text(&worker.argocd_url),
            Some("https://argocd.build-01.10.1.1.1.nip.io")
        );
        assert_eq!(worker.webhook_tls_verifiable, Known(true));
        let host = addresses(&ClusterShape::Host, &components, true);
        assert_eq!(text(&host.argocd_url), None);
        assert_eq!(text(&host.webhook_base_url), None);
        assert_eq!(host.entry_points.known().map(BTreeMap::len), Some(1));
    }

    #[tokio::test]
    async fn an_address_that_gitlab_refuses_by_default_is_found() {
        for (url, expected) in [
            (
                "https://webhook.build-01.10.1.1.1.nip.io:30443",
                Some("10.1.1.1"),
            ),
            ("https://127.0.0.1:30443", Some("127.0.0.1")),
            ("https://8.8.8.8", None),
        ] {
            let found = private_address(url).await;
            assert_eq!(found, expected.map(|text| text.parse().unwrap()), "{url}");
        }
    }
}
