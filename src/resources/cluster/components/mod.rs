//! The components of a cluster: which it has, and how they are installed, inspected and removed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use kubernetes_apply::apply_set::{ApplyOptions, ApplySet, DeleteOptions, LiveObjects, Parent};
use kubernetes_apply::cluster::Cluster;
use kubernetes_apply::object::Object;
use nautes_model::EntityName;
use nautes_model::entity::{ClusterShape, ComponentSlot};
use nautes_model::vault::{ClusterSecret, SecretPath, TOKEN};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::{Path, Tf};

use super::model::{ComponentModel, ComponentStatusModel, ComponentsModel};
use crate::backends::http::Limits;
use crate::backends::vault::{Expected, SecretValues};
use crate::client::Client;
use crate::clusters::{NAMESPACE, owner};
use crate::components::fetch::{Cache, fetch};
use crate::components::floor::below_floors;
use crate::components::source::{Installed, Overrides, Release};
use crate::components::{
    ArgoCd, ArgoEvents, BusReplicas, Component, GatewayService, ImageRegistry, Images,
    Installation, Presence, Settings, Sha256, TektonDashboard, Traefik, Version,
};
use crate::diagnostics::Context as _;
use crate::secret::Secret;

/// How long a component may take to work.
const READY_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// The node ports of the gateway, where none are configured.
const NODE_PORTS: (u16, u16) = (30080, 30443);

/// A component that a cluster is to have.
pub(super) struct Wanted {
    release: Release,
    images: Images,
}

/// Whether a token that is missing in Vault is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Make,
    Read,
}

/// What installs, inspects and removes the components of one cluster.
pub(super) struct Installer<'a> {
    pub(super) client: &'a Client,
    pub(super) name: &'a EntityName,
    pub(super) cluster: &'a Cluster,
}

/// Returns the components that a cluster is to have by its slots and by what is installed, in the order in which they are installed.
pub(super) fn wanted(
    slots: Option<&ComponentsModel>,
    status: Option<&BTreeMap<String, ComponentStatusModel>>,
    shape: &ClusterShape,
) -> Result<Vec<Wanted>, Diagnostics> {
    let mut found = Vec::new();
    for component in Component::ALL {
        let slot = slots.and_then(|slots| slots.slot(component.slot()));
        let is_wanted = match component.presence(shape) {
            Presence::Default => slot.is_none_or(|slot| slot.install != Some(false)),
            Presence::OnRequest => slot.is_some_and(|slot| slot.install != Some(false)),
            Presence::WithSingleSignOn | Presence::OnHost | Presence::Never => false,
        };
        if !is_wanted {
            continue;
        }
        let installed = status.and_then(|status| status.get(component.name()));
        found.push(Wanted::new(component, slot, installed)?);
    }
    Ok(found)
}

impl Wanted {
    fn new(
        component: Component,
        slot: Option<&ComponentModel>,
        installed: Option<&ComponentStatusModel>,
    ) -> Result<Self, Diagnostics> {
        let path = Path::to("components").attribute(component.slot().attribute());
        let at = |found: Diagnostics| found.at(&path);
        // The dashboard of Tekton shares the slot of the pipelines, whose version is another one.
        let slot = slot.filter(|_| component != Component::TektonDashboard);
        let overrides = Overrides {
            version: slot.and_then(|slot| slot.version.as_deref()),
            url: slot.and_then(|slot| slot.url.as_deref()),
            sha256: slot.and_then(|slot| slot.sha256.as_deref()),
            namespace: slot.and_then(|slot| slot.namespace.as_deref()),
        };
        let installed = installed.and_then(|status| {
            Some(Installed {
                version: Version::parse(status.version.known()?).ok()?,
                sha256: status
                    .sha256
                    .known()
                    .and_then(|text| Sha256::parse(text).ok()),
            })
        });
        let release = Release::resolve(component, overrides, installed.as_ref());
        let release = release
            .with_context(|| format!("install {component}"))
            .map_err(at)?;
        let registry = slot.and_then(|slot| slot.image_registry.as_deref());
        let registry = registry.map(ImageRegistry::parse).transpose();
        let images = Images {
            registry: registry.context("use the mirror of images").map_err(at)?,
            pull_secret: slot.and_then(|slot| slot.image_pull_secret.clone()),
        };
        Ok(Self { release, images })
    }

    /// Returns the name of the component.
    pub(super) fn name(&self) -> &'static str {
        self.release.component.name()
    }

    /// Returns the warnings about a version with known security problems.
    pub(super) fn warnings(&self) -> Vec<(String, String)> {
        let Release {
            component, version, ..
        } = &self.release;
        let floors = below_floors(*component, version);
        let texts = floors.iter().map(|floor| {
            (
                format!("{component} {version} has a known security problem"),
                format!("{floor}."),
            )
        });
        texts.collect()
    }
}

impl Installer<'_> {
    fn set(&self, component: &str) -> Result<ApplySet<'_>, Diagnostics> {
        let parent = Parent {
            namespace: NAMESPACE.to_owned(),
            name: format!("nautes-component-{component}"),
        };
        Ok(ApplySet::new(
            self.cluster,
            owner().context("name objects")?,
            parent,
        ))
    }

    /// Installs components one after the other, each when the one before works, and removes those that are
    /// no longer wanted. `status` is kept up to date also if it fails.
    pub(super) async fn install(
        &self,
        wanted: &[Wanted],
        status: &mut BTreeMap<String, ComponentStatusModel>,
    ) -> Result<(), Diagnostics> {
        for Wanted { release, images } in wanted {
            let component = release.component;
            let attempt = format!("install {component} in the cluster {}", self.name);
            let (installation, objects, sha256) =
                self.objects(release, images, Token::Make, &attempt).await?;
            let count = objects.len();
            let set = self.set(component.name())?;
            let options = ApplyOptions {
                default_namespace: Some(release.namespace.clone()),
                ..ApplyOptions::default()
            };
            let applied = set.apply(objects, &options).await.context(&attempt)?;
            let proof = installation.proof();
            let references = applied.references();
            let ready = set.wait_until_ready(&references, &proof.rules, READY_TIMEOUT);
            ready.await.context(&attempt)?;
            let made = self
                .cluster
                .wait_until_ready(&proof.made, "", &proof.rules, READY_TIMEOUT);
            made.await.context(&attempt)?;
            tracing::info!(%component, version = %release.version, objects = count, cluster = %self.name, "installed a component");
            let installed = ComponentStatusModel {
                version: Tf::Known(release.version.to_string()),
                sha256: sha256.map(|sha256| sha256.to_string()).into(),
                objects: Tf::Known(u64::try_from(count).unwrap_or(u64::MAX)),
            };
            status.insert(component.name().to_owned(), installed);
        }
        self.remove_others(wanted, status).await
    }

    /// Removes the components that are installed and no longer wanted.
    async fn remove_others(
        &self,
        wanted: &[Wanted],
        status: &mut BTreeMap<String, ComponentStatusModel>,
    ) -> Result<(), Diagnostics> {
        let is_wanted = |name: &str| {
            let mut names = wanted.iter().map(|wanted| wanted.release.component.name());
            names.any(|wanted| wanted == name)
        };
        for component in Component::ALL.into_iter().rev() {
            let name = component.name();
            if status.contains_key(name) && !is_wanted(name) {
                self.remove(component).await?;
                status.remove(name);
            }
        }
        Ok(())
    }

    /// Removes a component, and returns what stays and why.
    pub(super) async fn remove(&self, component: Component) -> Result<Vec<String>, Diagnostics> {
        let attempt = format!("remove {component} from the cluster {}", self.name);
        let deleted = self
            .set(component.name())?
            .delete(&DeleteOptions::default())
            .await;
        let deleted = deleted.context(&attempt)?;
        Ok(deleted.kept.iter().map(ToString::to_string).collect())
    }

    /// Describes what differs between the components and how they were installed.
    pub(super) async fn drift(
        &self,
        wanted: &[Wanted],
        live: &LiveObjects<'_>,
    ) -> Result<Vec<String>, Diagnostics> {
        let mut drift = Vec::new();
        for Wanted { release, images } in wanted {
            let attempt = format!("inspect {} in the cluster {}", release.component, self.name);
            let (_, objects, _) = self.objects(release, images, Token::Read, &attempt).await?;
            let set = self.set(release.component.name())?;
            let found = set.drift(objects, Some(&release.namespace), live).await;
            drift.extend(found.context(&attempt)?.iter().map(ToString::to_string));
        }
        Ok(drift)
    }

    async fn objects(
        &self,
        release: &Release,
        images: &Images,
        token: Token,
        attempt: &str,
    ) -> Result<(Installation, Vec<Object>, Option<Sha256>), Diagnostics> {
        let cache = cache_folder().map(Cache::new);
        let manifest = fetch(release, cache.as_ref(), &Limits::default()).await;
        let manifest = manifest.context(attempt)?;
        let installation = Installation {
            settings: self.settings(release, token).await?,
            version: release.version.clone(),
            images: images.clone(),
        };
        let text = manifest.as_ref().map(|manifest| manifest.text.as_str());
        let objects = installation.objects(text).context(attempt)?;
        Ok((
            installation,
            objects,
            manifest.map(|manifest| manifest.sha256),
        ))
    }

    async fn settings(&self, release: &Release, token: Token) -> Result<Settings, Diagnostics> {
        Ok(match release.component {
            Component::ArgoCd => Settings::ArgoCd(Box::new(ArgoCd {
                namespace: release.namespace.clone(),
                exposure: None,
                url: None,
                single_sign_on: None,
                groups_claim: "groups".to_owned(),
                known_hosts: None,
                webhook_token: self.webhook_token(token).await?,
            })),
            Component::ArgoEvents => Settings::ArgoEvents(ArgoEvents {
                replicas: BusReplicas::new(3).context("size the event bus")?,
                storage_class: None,
                bus_version: None,
                ca_pem: None,
                webhook_certificate: None,
            }),
            Component::ArgoRollouts => Settings::ArgoRollouts,
            Component::CertManager => Settings::CertManager,
            Component::ExternalSecrets => Settings::ExternalSecrets,
            Component::TektonPipelines => Settings::TektonPipelines,
            Component::TektonDashboard => Settings::TektonDashboard(TektonDashboard::Internal),
            Component::Traefik => Settings::Traefik(Traefik {
                service: GatewayService::NodePort {
                    http: NODE_PORTS.0,
                    https: NODE_PORTS.1,
                },
                ingress_class: "traefik".to_owned(),
                tls_secret: None,
                middleware_users: ["oauth2-proxy", "tekton-pipelines"]
                    .map(str::to_owned)
                    .into(),
            }),
            component @ (Component::Hnc | Component::Oauth2Proxy) => {
                let detail = format!("This version does not install {component}.");
                let path = Path::to("components").attribute(component.slot().attribute());
                return Err(
                    Diagnostic::error(format!("Cannot install {component}"), detail)
                        .at(&path)
                        .into(),
                );
            }
        })
    }

    /// The token with which GitLab calls Argo CD's webhook; empty if there is none and none is made.
    async fn webhook_token(&self, token: Token) -> Result<Secret, Diagnostics> {
        let vault = self.client.vault()?;
        let Some(path) = SecretPath::for_cluster(self.name, ClusterSecret::ArgoCdWebhook) else {
            return Err(Diagnostic::bug("the name of the cluster was checked before").into());
        };
        let stored = vault.read_secret(&path).await;
        let stored = stored.with_context(|| format!("read the secret {path}"))?;
        if let Some(stored) = stored.as_ref().and_then(|stored| stored.values.get(TOKEN)) {
            return Ok(stored.clone());
        }
        if token == Token::Read {
            return Ok(Secret::default());
        }
        let token = Secret::from(uuid::Uuid::new_v4().simple().to_string());
        let values = SecretValues::default().with(TOKEN, token.clone());
        let written = vault.write_secret(&path, &values, Expected::Absent).await;
        written.with_context(|| format!("write the secret {path}"))?;
        Ok(token)
    }
}

impl ComponentsModel {
    fn slot(&self, slot: ComponentSlot) -> Option<&ComponentModel> {
        match slot {
            ComponentSlot::CertManagement => self.cert_management.as_ref(),
            ComponentSlot::Deployment => self.deployment.as_ref(),
            ComponentSlot::EventListener => self.event_listener.as_ref(),
            ComponentSlot::Gateway => self.gateway.as_ref(),
            ComponentSlot::Pipeline => self.pipeline.as_ref(),
            ComponentSlot::ProgressiveDelivery => self.progressive_delivery.as_ref(),
            ComponentSlot::SecretSync => self.secret_sync.as_ref(),
            ComponentSlot::MultiTenant
            | ComponentSlot::OauthProxy
            | ComponentSlot::SecretManagement => None,
        }
    }
}

/// The folder for manifests that were downloaded; `None` where there is none.
fn cache_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let folder = folder.filter(|folder| folder.is_absolute()).or_else(home)?;
    Some(folder.join("terraform-provider-nautes/manifests"))
}
