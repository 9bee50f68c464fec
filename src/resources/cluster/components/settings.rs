//! The settings of each component, from the slots, the provider's settings and the addresses of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use kubernetes_apply::cluster::{ApiError, Detail, DiscoveryError};
use kubernetes_apply::object::Kind;
use nautes_model::EntityName;
use nautes_model::entity::{ComponentSlot, Entity, WorkerType};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use url::Url;

use super::super::addresses::Addresses;
use super::super::slots::GatewayModel;
use super::{Installer, refusal};
use crate::client::OidcSettings;
use crate::components::source::Release;
use crate::components::{
    ArgoCd, ArgoCdSingleSignOn, ArgoEvents, BusReplicas, Certificate, Component, Dashboard,
    Exposure, GatewayService, Hnc, Oauth2Proxy, Settings, TektonDashboard, Traefik,
    WebhookCertificate, login_middleware,
};
use crate::diagnostics::Context as _;
use crate::resources::home::Home;
use crate::secret::{ExposeSecret as _, Secret};

/// What several components are set up with.
pub(super) struct Context<'a> {
    pub(super) addresses: &'a Addresses,
    /// The namespaces of all components.
    pub(super) namespaces: &'a BTreeSet<String>,
    /// The token with which GitLab calls Argo CD.
    pub(super) webhook_token: &'a Secret,
    /// The virtual clusters with pipelines that the cluster hosts, with the hosts of their dashboards.
    pub(super) virtual_pipelines: &'a BTreeMap<EntityName, String>,
}

/// The claim in tokens that lists the groups of a user, where single sign-on is not configured.
const GROUPS_CLAIM: &str = "groups";

impl Installer<'_> {
    fn oidc(&self) -> Option<&OidcSettings> {
        self.client.settings().oidc.as_ref()
    }

    fn gateway(&self) -> GatewayModel {
        let components = self.model.components.as_ref();
        let slot = components.and_then(|components| components.gateway.clone());
        slot.unwrap_or_default()
    }

    /// Returns how a host is reached through the gateway.
    fn exposure(&self, host: &str, addresses: &Addresses) -> Exposure {
        Exposure {
            host: host.to_owned(),
            ingress_class: addresses.gateway.ingress_class.clone(),
            certificate: self
                .gateway()
                .cluster_issuer
                .map_or(Certificate::Gateway, Certificate::Issuer),
        }
    }

    /// Returns the settings of a component that is installed.
    pub(super) async fn settings(
        &self,
        release: &Release,
        context: &Context<'_>,
    ) -> Result<Settings, Diagnostics> {
        Ok(match release.component {
            Component::ArgoCd => Settings::ArgoCd(Box::new(self.argo_cd(release, context))),
            Component::ArgoEvents => Settings::ArgoEvents(self.argo_events(context).await?),
            Component::ArgoRollouts => Settings::ArgoRollouts,
            Component::CertManager => Settings::CertManager,
            Component::ExternalSecrets => Settings::ExternalSecrets,
            Component::Hnc => Settings::Hnc(Hnc {
                excluded_namespaces: context.namespaces.clone(),
            }),
            Component::Oauth2Proxy => Settings::Oauth2Proxy(Box::new(self.oauth2_proxy(context)?)),
            Component::TektonPipelines => Settings::TektonPipelines,
            Component::TektonDashboard => Settings::TektonDashboard(self.dashboard(context)),
            Component::Traefik => Settings::Traefik(self.traefik(context)),
        })
    }

    /// Returns the settings of an Argo CD that is there already, of which only the provider's own keys count.
    pub(super) fn existing_argo_cd(&self, namespace: &str, webhook_token: &Secret) -> ArgoCd {
        let claim = self.oidc().map_or(GROUPS_CLAIM, |oidc| &oidc.groups_claim);
        ArgoCd {
            namespace: namespace.to_owned(),
            exposure: None,
            url: None,
            single_sign_on: None,
            groups_claim: claim.to_owned(),
            known_hosts: None,
            webhook_token: webhook_token.clone(),
        }
    }

    fn argo_cd(&self, release: &Release, context: &Context<'_>) -> ArgoCd {
        let host = context.addresses.argocd.as_deref();
        let single_sign_on = self.oidc().map(|oidc| ArgoCdSingleSignOn {
            issuer: oidc.issuer.clone(),
            client_id: oidc.client_id.clone(),
            client_secret: oidc.client_secret.clone(),
            ca_pem: oidc.ca_pem.clone(),
        });
        ArgoCd {
            exposure: host.map(|host| self.exposure(host, context.addresses)),
            url: host.and_then(|host| context.addresses.url(host)),
            single_sign_on,
            known_hosts: self.client.settings().gitlab.ssh_known_hosts.clone(),
            ..self.existing_argo_cd(&release.namespace, context.webhook_token)
        }
    }

    async fn argo_events(&self, context: &Context<'_>) -> Result<ArgoEvents, Diagnostics> {
        let components = self.model.components.as_ref();
        let slot = components.and_then(|components| components.event_listener.as_ref());
        let replicas = slot.and_then(|slot| slot.replicas);
        let replicas = replicas.map(|replicas| BusReplicas::new(replicas.cast_signed()));
        let replicas = replicas
            .transpose()
            .map_err(|error| refusal(Component::ArgoEvents, &error))?;
        let host = self.webhook_host(context.addresses);
        let certificate = self.gateway().cluster_issuer.zip(host);
        let certificate = certificate.map(|(issuer, host)| WebhookCertificate { issuer, host });
        Ok(ArgoEvents {
            replicas: replicas.unwrap_or_default(),
            storage_class: slot.and_then(|slot| slot.storage_class.clone()),
            bus_version: self.bus_version().await?,
            ca_pem: self.client.settings().gitlab.ca_pem.clone(),
            webhook_certificate: certificate,
        })
    }

    /// Returns the host that webhooks call.
    pub(super) fn webhook_host(&self, addresses: &Addresses) -> Option<String> {
        let chosen = self.model.addresses.webhook_base_url.known();
        let chosen = chosen.and_then(|url| Url::parse(url).ok());
        let chosen = chosen.and_then(|url| url.host_str().map(str::to_owned));
        chosen.or_else(|| addresses.webhook.clone())
    }

    /// Returns the version of the event bus, which an upgrade of Argo Events does not change.
    async fn bus_version(&self) -> Result<Option<String>, Diagnostics> {
        let kind = Kind::new("argoproj.io/v1alpha1", "EventBus");
        let namespace = Component::ArgoEvents.namespace();
        let found = self
            .cluster
            .find(&kind, Some(namespace), "default", Detail::Full)
            .await;
        let found = match found {
            Err(ApiError::Discovery(DiscoveryError::NotServed { .. })) => None,
            found => found.context("read the event bus of Argo Events")?,
        };
        let version = found
            .as_ref()
            .and_then(|bus| bus.text("/spec/jetstream/version"));
        Ok(version.map(str::to_owned))
    }

    fn traefik(&self, context: &Context<'_>) -> Traefik {
        let gateway = self.gateway();
        let (http, https) = gateway.ports();
        Traefik {
            service: if gateway.is_load_balancer() {
                GatewayService::LoadBalancer
            } else {
                GatewayService::NodePort { http, https }
            },
            ingress_class: gateway.class().to_owned(),
            tls_secret: gateway.tls_secret,
            middleware_users: [Component::Oauth2Proxy, Component::TektonDashboard]
                .map(|component| component.namespace().to_owned())
                .into_iter()
                // Ingresses of a virtual cluster are in a namespace of its name.
                .chain(context.virtual_pipelines.keys().map(ToString::to_string))
                .collect(),
        }
    }

    fn dashboard(&self, context: &Context<'_>) -> TektonDashboard {
        match (self.oidc(), context.addresses.dashboard.as_deref()) {
            (Some(_), Some(host)) => TektonDashboard::SingleSignOn {
                exposure: self.exposure(host, context.addresses),
                middleware: login_middleware(self.name.as_str()),
            },
            _ => TektonDashboard::Internal,
        }
    }

    /// Returns the virtual clusters with pipelines that the cluster hosts, with the hosts of their dashboards. They are in
    /// the tenant's repository.
    pub(super) async fn virtual_pipelines(
        &self,
    ) -> Result<BTreeMap<EntityName, String>, Diagnostics> {
        if self.model.usage != "host" || self.oidc().is_none() {
            return Ok(BTreeMap::new());
        }
        let attempt = format!("look for the virtual clusters of {}", self.name);
        let snapshot = Home::tenant(self.client).snapshot(&attempt).await?;
        let entities = snapshot
            .iter()
            .flat_map(|snapshot| snapshot.tree().entities());
        let pipelines = entities.filter_map(|entity| match entity {
            Entity::Cluster(cluster)
                if cluster.shape.host_cluster() == Some(self.name)
                    && cluster.shape.worker_type() == Some(WorkerType::Pipeline) =>
            {
                let slot = cluster.components.get(&ComponentSlot::Pipeline)?;
                let host = slot.additions.get("host")?.clone();
                Some((cluster.name.clone(), host))
            }
            _ => None,
        });
        Ok(pipelines.collect())
    }

    fn oauth2_proxy(&self, context: &Context<'_>) -> Result<Oauth2Proxy, Diagnostics> {
        let addresses = context.addresses;
        let parts = self.oidc().zip(addresses.login.as_deref());
        let parts = parts.zip(addresses.gateway.https_port());
        let Some(((oidc, host), https_port)) = parts else {
            let detail = "OAuth2 Proxy needs single sign-on and a gateway that serves HTTPS.";
            return Err(Diagnostic::bug(detail).into());
        };
        let dashboard = addresses.dashboard.as_deref();
        let own = dashboard.map(|host| (self.name, host, false));
        let hosted = context.virtual_pipelines.iter();
        let hosted = hosted.map(|(cluster, host)| (cluster, host.as_str(), true));
        let dashboards = own
            .into_iter()
            .chain(hosted)
            .map(|(cluster, host, is_virtual)| Dashboard {
                cluster: cluster.to_string(),
                is_virtual,
                exposure: self.exposure(host, addresses),
            });
        let mut scopes = vec!["openid", "profile", "email"];
        scopes.extend((oidc.groups_claim == GROUPS_CLAIM).then_some(GROUPS_CLAIM));
        let url = addresses.url(host).unwrap_or_default();
        Ok(Oauth2Proxy {
            issuer: oidc.issuer.clone(),
            client_id: oidc.client_id.clone(),
            client_secret: oidc.client_secret.clone(),
            cookie_secret: self.cookie_secret(oidc),
            ca_pem: oidc.ca_pem.clone(),
            scopes: scopes.into_iter().map(str::to_owned).collect(),
            exposure: self.exposure(host, addresses),
            redirect_url: format!("{url}/oauth2/callback"),
            domain: addresses.domain.clone(),
            https_port,
            dashboards: dashboards.collect(),
        })
    }

    /// Derives the secret of cookies from that of the client, so that it stays the same without being kept anywhere.
    fn cookie_secret(&self, oidc: &OidcSettings) -> Secret {
        let key = oidc.client_secret.expose_secret().as_bytes();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        let purpose = format!("cookies of OAuth2 Proxy in the cluster {}", self.name);
        let tag = ring::hmac::sign(&key, purpose.as_bytes());
        let digits = tag.as_ref().iter().map(|byte| format!("{byte:02x}"));
        // The proxy takes 16, 24 or 32 characters.
        Secret::from(digits.take(16).collect::<String>())
    }
}
