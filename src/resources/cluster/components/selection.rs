//! Which components a cluster is to have, and where their manifests come from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures_util::future::join_all;
use nautes_model::entity::{ClusterShape, ComponentSlot};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::value::Path;

use super::super::addresses::{AddressesModel, Gateway};
use super::super::model::ComponentStatusModel;
use super::super::slots::{ComponentsModel, SlotModel};
use super::existing::Existing;
use crate::client::Client;
use crate::clusters::{ComponentFact, ComponentFacts};
use crate::components::fetch::{Cache, Manifest, fetch};
use crate::components::floor::below_floors;
use crate::components::source::{Installed, Overrides, Release};
use crate::components::{
    Component, ComponentError, ImageRegistry, Images, Presence, Sha256, Version,
};
use crate::diagnostics::Explain as _;

/// The components that a cluster is to have, in the order in which they are installed.
#[derive(Debug, Default)]
pub(in super::super) struct Selection {
    /// Those that the provider installs.
    pub(in super::super) installed: Vec<Wanted>,
    /// Those that are there already.
    pub(super) existing: Vec<Existing>,
}

/// A component that the provider installs.
#[derive(Debug)]
pub(in super::super) struct Wanted {
    pub(super) release: Release,
    pub(super) images: Images,
    pub(super) migrate_foreign: bool,
}

/// The manifests of a selection.
pub(in super::super) struct Manifests(pub(super) Vec<Option<Manifest>>);

impl Manifests {
    /// Fetches the manifests of the components that are installed, and checks their digests.
    pub(in super::super) async fn fetch(
        client: &Client,
        selection: &Selection,
    ) -> Result<Self, Diagnostics> {
        let fetched = fetch_all(client, selection).await;
        let mut manifests = Vec::new();
        let mut found = Diagnostics::default();
        for (wanted, manifest) in selection.installed.iter().zip(fetched) {
            match manifest {
                Ok(manifest) => manifests.push(manifest),
                Err(error) => found.extend(refusal(wanted.release.component, &error)),
            }
        }
        if found.has_error() {
            return Err(found);
        }
        Ok(Self(manifests))
    }
}

pub(super) async fn fetch_all(
    client: &Client,
    selection: &Selection,
) -> Vec<Result<Option<Manifest>, ComponentError>> {
    let cache = cache_folder().map(Cache::new);
    let downloads = selection
        .installed
        .iter()
        .map(|wanted| fetch(&wanted.release, cache.as_ref(), client.downloader()));
    join_all(downloads).await
}

impl Selection {
    /// Selects the components of a cluster by its slots and by what is installed.
    pub(in super::super) fn new(
        components: Option<&ComponentsModel>,
        status: Option<&BTreeMap<String, ComponentStatusModel>>,
        shape: &ClusterShape,
        single_sign_on: bool,
    ) -> Result<Self, Diagnostics> {
        let mut selection = Self::default();
        let mut found = Diagnostics::default();
        for component in Component::ALL {
            let slot = components.and_then(|components| components.slot(component.slot()));
            let is_there = slot.is_some_and(SlotModel::uses_existing);
            let is_selected = match (component, component.presence(shape)) {
                (_, Presence::Default) => true,
                (_, Presence::WithSingleSignOn) => single_sign_on,
                (Component::Hnc, Presence::OnRequest) => {
                    components.is_some_and(ComponentsModel::has_hierarchies)
                }
                (_, Presence::OnRequest) => slot.is_some(),
                (_, Presence::OnHost | Presence::Never) => false,
            };
            if !is_selected {
                continue;
            }
            if is_there {
                selection.existing.push(Existing::new(component, slot));
                continue;
            }
            let installed = status.and_then(|status| status.get(component.name()));
            match Wanted::new(component, components, installed) {
                Ok(wanted) => selection.installed.push(wanted),
                Err(refused) => found.extend(refused),
            }
        }
        if found.has_error() {
            return Err(found);
        }
        Ok(selection)
    }

    /// Returns the warnings about versions with known security problems.
    pub(in super::super) fn warnings(&self) -> Vec<(String, String)> {
        let releases = self.installed.iter().map(|wanted| &wanted.release);
        let warnings =
            releases.flat_map(|release| floor_warnings(release.component, &release.version));
        warnings.collect()
    }

    pub(super) fn has_argo_cd(&self) -> bool {
        let installed = self.installed.iter().map(|wanted| wanted.release.component);
        let mut all = installed.chain(self.existing.iter().map(|existing| existing.component));
        all.any(|component| component == Component::ArgoCd)
    }

    /// Returns the namespaces of all components.
    pub(super) fn namespaces(&self) -> BTreeSet<String> {
        let installed = self
            .installed
            .iter()
            .map(|wanted| &wanted.release.namespace);
        let existing = self.existing.iter().map(|existing| &existing.namespace);
        installed.chain(existing).cloned().collect()
    }

    /// Returns what runtimes need to know of the components and of the addresses of a cluster.
    pub(in super::super) fn facts(
        &self,
        chosen: Option<&ComponentsModel>,
        gateway: &Gateway,
        addresses: &AddressesModel,
    ) -> ComponentFacts {
        let installed = self.installed.iter().map(|wanted| {
            let release = &wanted.release;
            let version = Some(release.version.to_string());
            (release.component, &release.namespace, version)
        });
        let existing = self.existing.iter();
        let existing = existing.map(|existing| (existing.component, &existing.namespace, None));
        let components = installed
            .chain(existing)
            .map(|(component, namespace, version)| {
                let namespace = namespace.clone();
                let fact = ComponentFact { namespace, version };
                (component.name().to_owned(), fact)
            });
        let pipeline = chosen.and_then(|components| components.pipeline.as_ref());
        ComponentFacts {
            components: components.collect(),
            entry_points: gateway.entry_points.clone(),
            ingress_class: gateway.ingress_class.clone(),
            webhook_base_url: addresses.webhook_base_url.known().cloned(),
            webhook_tls_verifiable: addresses.webhook_tls_verifiable.known().copied(),
            argocd_url: addresses.argocd_url.known().cloned(),
            tekton_url: addresses.tekton_url.known().cloned(),
            step_images: pipeline
                .and_then(|slot| slot.images.clone())
                .unwrap_or_default(),
        }
    }
}

impl Wanted {
    fn new(
        component: Component,
        components: Option<&ComponentsModel>,
        installed: Option<&ComponentStatusModel>,
    ) -> Result<Self, Diagnostics> {
        let at = |error: ComponentError| refusal(component, &error);
        let slot = components.and_then(|components| components.slot(component.slot()));
        let installed = installed.and_then(|status| {
            Some(Installed {
                version: Version::parse(status.version.known()?).ok()?,
                sha256: status
                    .sha256
                    .known()
                    .and_then(|text| Sha256::parse(text).ok()),
            })
        });
        let overrides = overrides(component, components);
        let release = Release::resolve(component, overrides, installed.as_ref()).map_err(at)?;
        let registry = slot.and_then(|slot| slot.image_registry.as_deref());
        let registry = registry.map(ImageRegistry::parse).transpose().map_err(at)?;
        let images = Images {
            registry,
            pull_secret: slot.and_then(|slot| slot.image_pull_secret.clone()),
        };
        Ok(Self {
            release,
            images,
            migrate_foreign: slot.is_some_and(|slot| slot.migrate_foreign == Some(true)),
        })
    }

    /// Returns the name of the component.
    pub(in super::super) fn name(&self) -> &'static str {
        self.release.component.name()
    }
}

/// Returns what was chosen of a component's release.
pub(super) fn overrides(
    component: Component,
    components: Option<&ComponentsModel>,
) -> Overrides<'_> {
    let pipeline = components.and_then(|components| components.pipeline.as_ref());
    if component == Component::TektonDashboard {
        let dashboard = pipeline.and_then(|slot| slot.dashboard.as_ref());
        return Overrides {
            version: dashboard.and_then(|dashboard| dashboard.version.as_deref()),
            url: dashboard.and_then(|dashboard| dashboard.url.as_deref()),
            sha256: dashboard.and_then(|dashboard| dashboard.sha256.as_deref()),
            namespace: None,
        };
    }
    let slot = components.and_then(|components| components.slot(component.slot()));
    Overrides {
        version: slot.and_then(|slot| slot.version.as_deref()),
        url: slot.and_then(|slot| slot.url.as_deref()),
        sha256: slot.and_then(|slot| slot.sha256.as_deref()),
        namespace: slot.and_then(|slot| slot.namespace.as_deref()),
    }
}

/// Returns the attribute with what was chosen of a component.
fn path_of(component: Component) -> Path {
    let slot = slot_path(component.slot());
    match component {
        Component::TektonDashboard => slot.attribute("dashboard"),
        _ => slot,
    }
}

pub(super) fn slot_path(slot: ComponentSlot) -> Path {
    Path::to("components").attribute(slot.attribute())
}

/// Returns the error of a component that cannot be installed as chosen, on the attribute at fault.
pub(super) fn refusal(component: Component, error: &ComponentError) -> Diagnostics {
    let slot = path_of(component);
    let path = error
        .attribute()
        .map_or_else(|| slot.clone(), |name| slot.attribute(name));
    error.explain(&format!("install {component}")).at(&path)
}

/// Returns the warnings about a version with known security problems.
pub(super) fn floor_warnings(component: Component, version: &Version) -> Vec<(String, String)> {
    let floors = below_floors(component, version);
    let warnings = floors.iter().map(|floor| {
        (
            format!("{component} {version} has a known security problem"),
            format!("{floor}."),
        )
    });
    warnings.collect()
}

/// The folder for manifests that were downloaded; `None` where there is none.
fn cache_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let folder = folder.filter(|folder| folder.is_absolute()).or_else(home)?;
    Some(folder.join("terraform-provider-nautes/manifests"))
}
