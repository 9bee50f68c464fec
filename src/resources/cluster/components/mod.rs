//! The components of a cluster: which it has, and how they are installed, inspected and removed.
//!
//! Everything that may be refused is refused by [`Installer::prepare`] and [`Installer::check`], which write nothing.

mod certificate;
mod existing;
mod removal;
mod selection;
mod settings;
mod validation;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kubernetes_apply::apply::ApplyFailure;
use kubernetes_apply::apply_set::{ApplyOptions, ApplySet, ApplySetError, LiveObjects, Parent};
use kubernetes_apply::cluster::{ApiError, Cluster, DiscoveryError};
use kubernetes_apply::object::{GroupKind, Object};
use kubernetes_apply::order::defined_kind;
use kubernetes_apply::stored_versions::{MigrationError, MigrationFailure, MigrationOptions};
use nautes_model::EntityName;
use nautes_model::entity::ClusterShape;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Tf;

pub(super) use self::selection::{Manifests, Selection, Wanted};
pub(super) use self::validation::{check_dangers, check_hosts, check_slots, known_components};

use self::existing::Existing;
use self::removal::{Unwanted, left_behind};
use self::selection::{fetch_all, floor_warnings, overrides, refusal, slot_path};
use super::addresses::{AddressInputs, Addresses, Gateway};
use super::model::{ClusterModel, ComponentStatusModel};
use super::namespaces::without_foreign_namespaces;
use super::stored::ClusterSecrets;
use super::virtual_cluster::Host;
use crate::client::Client;
use crate::clusters::{NAMESPACE, PRODUCT_LABEL, owner};
use crate::components::fetch::Manifest;
use crate::components::source::Release;
use crate::components::{Component, ComponentError, Installation, Sha256};
use crate::diagnostics::Context as _;
use crate::error_chain::{error_chain, sentence};
use crate::secret::Secret;

/// How long a component may take to work.
const READY_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// How long a call may take that deletes one object.
const GONE_TIMEOUT: Duration = Duration::from_secs(60);

/// Components of which is known that nothing stands in their way as far as that can be known without writing.
pub(super) struct Preparation {
    components: Vec<Prepared>,
    existing: Vec<(Existing, Option<Installation>)>,
    /// The token with which GitLab calls Argo CD, if Vault does not have it yet.
    new_webhook_token: Option<Secret>,
}

/// A component with the objects that are applied.
struct Prepared {
    release: Release,
    installation: Installation,
    objects: Vec<Object>,
    sha256: Option<Sha256>,
    options: ApplyOptions,
}

impl Preparation {
    /// Returns the components that the provider installs.
    fn installed(&self) -> impl Iterator<Item = Component> {
        let components = self.components.iter();
        components.map(|prepared| prepared.release.component)
    }

    fn has_argo_cd(&self) -> bool {
        let existing = self.existing.iter().map(|(existing, _)| existing.component);
        let mut components = self.installed().chain(existing);
        components.any(|component| component == Component::ArgoCd)
    }
}

/// What installs, inspects and removes the components of one cluster.
pub(super) struct Installer<'a> {
    pub(super) client: &'a Client,
    pub(super) name: &'a EntityName,
    pub(super) cluster: &'a Cluster,
    pub(super) model: &'a ClusterModel,
}

impl Installer<'_> {
    fn set(&self, component: Component) -> Result<ApplySet<'_>, Diagnostics> {
        let parent = Parent {
            namespace: NAMESPACE.to_owned(),
            name: format!("nautes-component-{}", component.name()),
        };
        Ok(ApplySet::new(
            self.cluster,
            owner().context("name objects")?,
            parent,
        ))
    }

    /// Returns how the cluster is reached.
    pub(super) async fn addresses(&self, shape: &ClusterShape) -> Result<Addresses, Diagnostics> {
        let components = self.model.components.as_ref();
        let slot = components.and_then(|components| components.gateway.as_ref());
        let gateway = match shape.host_cluster() {
            None => Gateway::load(self.cluster, slot).await?,
            Some(host) => {
                let host = Host::connect(self.client, host).await?;
                Gateway::of_host(host.facts().await?)
            }
        };
        let inputs = AddressInputs {
            name: self.name,
            api_server: &self.model.api_server,
            primary_domain: self.model.primary_domain.known().map(String::as_str),
            shape,
            components,
            single_sign_on: self.client.settings().oidc.is_some(),
        };
        Ok(Addresses::new(&inputs, gateway))
    }

    /// Builds all objects of the components that are installed, from their manifests. Nothing is written.
    pub(super) async fn prepare(
        &self,
        selection: Selection,
        Manifests(manifests): Manifests,
        addresses: &Addresses,
    ) -> Result<Preparation, Diagnostics> {
        let namespaces = selection.namespaces();
        let (token, new_webhook_token) = if selection.has_argo_cd() {
            self.webhook_token().await?
        } else {
            (Secret::default(), None)
        };
        let context = settings::Context {
            addresses,
            namespaces: &namespaces,
            webhook_token: &token,
            virtual_pipelines: &self.virtual_pipelines().await?,
        };
        let mut components = Vec::new();
        let mut found = Diagnostics::default();
        for (wanted, manifest) in selection.installed.into_iter().zip(manifests) {
            match self.build(wanted, manifest, &context).await {
                Ok(prepared) => components.push(prepared),
                Err(refused) => found.extend(refused),
            }
        }
        if found.has_error() {
            return Err(found);
        }
        let existing = selection.existing.into_iter().map(|existing| {
            let installation = existing.installation(self, &context);
            (existing, installation)
        });
        Ok(Preparation {
            components,
            existing: existing.collect(),
            new_webhook_token,
        })
    }

    async fn build(
        &self,
        wanted: Wanted,
        manifest: Option<Manifest>,
        context: &settings::Context<'_>,
    ) -> Result<Prepared, Diagnostics> {
        let Wanted {
            release,
            images,
            migrate_foreign,
        } = wanted;
        let component = release.component;
        let installation = Installation {
            settings: self.settings(&release, context).await?,
            version: release.version.clone(),
            images,
        };
        let text = manifest.as_ref().map(|manifest| manifest.text.as_str());
        let objects = installation.objects(text);
        let objects = objects.map_err(|error| refusal(component, &error))?;
        let options = ApplyOptions {
            default_namespace: Some(release.namespace.clone()),
            migration: MigrationOptions {
                namespace_label: Some(PRODUCT_LABEL.to_owned()),
                foreign: migrate_foreign,
            },
            ..ApplyOptions::default()
        };
        Ok(Prepared {
            release,
            installation,
            objects,
            sha256: manifest.map(|manifest| manifest.sha256),
            options,
        })
    }

    /// Looks up the objects of all components, and checks those components that are there already, and those that are
    /// to be removed or moved. `status` is what the state says of them. Nothing is written.
    ///
    /// Returns warnings.
    pub(super) async fn check(
        &self,
        preparation: &Preparation,
        status: Option<&BTreeMap<String, ComponentStatusModel>>,
    ) -> Result<Vec<(String, String)>, Diagnostics> {
        let mut warnings = Vec::new();
        let mut found = Diagnostics::default();
        let is_installed = |component: Component| {
            status.is_some_and(|status| status.contains_key(component.name()))
        };
        let unwanted = self.unwanted(preparation, is_installed).await?;
        let removed: BTreeSet<Component> = unwanted
            .into_iter()
            .filter(|(_, fate)| *fate == Unwanted::Remove)
            .map(|(component, _)| component)
            .collect();
        for component in &removed {
            let checked = self.require_removable(*component).await;
            found.extend(checked.err().unwrap_or_default());
        }
        let all = preparation.components.iter();
        let defined: BTreeSet<GroupKind> = all
            .flat_map(|prepared| prepared.objects.iter().filter_map(defined_kind))
            .collect();
        for prepared in &preparation.components {
            let component = prepared.release.component;
            let attempt = format!("install {component} in the cluster {}", self.name);
            let objects = self.without_pending(&prepared.objects, &defined).await;
            let objects = objects.context(&attempt)?;
            let objects = without_foreign_namespaces(self.cluster, objects, &attempt).await?;
            let set = self.set(component)?;
            if let Err(error) = set.check(objects, &prepared.options).await {
                found.extend(self.explain_refusal(component, &error, &attempt));
            }
            let namespace = &prepared.release.namespace;
            let checked = self.require_movable(component, namespace).await;
            found.extend(checked.err().unwrap_or_default());
        }
        for (existing, installation) in &preparation.existing {
            if removed.contains(&existing.component) {
                warnings.push(self.begun_and_removed(existing.component));
                continue;
            }
            match existing.check(self, installation.as_ref()).await {
                Ok(more) => warnings.extend(more),
                Err(refused) => found.extend(refused),
            }
        }
        if found.has_error() {
            return Err(found);
        }
        Ok(warnings)
    }

    /// Returns the warning about a component that is to be used as it is, and of which there is only a part that an
    /// interrupted run has made.
    fn begun_and_removed(&self, component: Component) -> (String, String) {
        (
            format!("What was begun of {component} is removed"),
            format!(
                "A run that was interrupted has begun to install {component} in the cluster {}. With install = false in {} the provider installs none, so it removes what that run has made. What needs {component} does not work until somebody else installs it.",
                self.name,
                slot_path(component.slot())
            ),
        )
    }

    /// Leaves out the objects of kinds that another component will define: there is none of them yet.
    async fn without_pending(
        &self,
        objects: &[Object],
        defined: &BTreeSet<GroupKind>,
    ) -> Result<Vec<Object>, ApiError> {
        let own: BTreeSet<GroupKind> = objects.iter().filter_map(defined_kind).collect();
        let mut kept = Vec::new();
        for object in objects {
            let kind = &object.reference().kind;
            let is_pending = defined.contains(kind)
                && !own.contains(kind)
                && match self.cluster.resource(&object.kind()).await {
                    Ok(_) => false,
                    Err(DiscoveryError::NotServed { .. }) => true,
                    Err(error) => return Err(error.into()),
                };
            if !is_pending {
                kept.push(object.clone());
            }
        }
        Ok(kept)
    }

    /// Explains why a component cannot be installed, with the way out.
    fn explain_refusal(
        &self,
        component: Component,
        error: &ApplySetError,
        attempt: &str,
    ) -> Diagnostics {
        let path = slot_path(component.slot());
        match error {
            ApplySetError::Objects(errors)
                if errors
                    .iter()
                    .any(|error| matches!(error.reason, ApplyFailure::Foreign(_))) =>
            {
                let objects = errors.iter().map(|error| {
                    let reason = match &error.reason {
                        ApplyFailure::Foreign(foreign) => error_chain(foreign),
                        other => error_chain(other),
                    };
                    format!("\n  - {}: {reason}", error.object)
                });
                let detail = format!(
                    "Objects of {component} exist in the cluster {}, and nothing shows that this provider made them:{}\n\nNothing was changed. To use what is there, set install = false in {path}: it is then neither upgraded nor removed. Otherwise remove these objects first.",
                    self.name,
                    objects.collect::<String>()
                );
                let summary = format!("Cannot {attempt}: it is there already");
                Diagnostic::error(summary, detail).at(&path).into()
            }
            ApplySetError::StoredVersions(migration) => {
                Self::explain_migration(component, migration, attempt)
            }
            other => {
                let detail = format!("{} Nothing was changed.", sentence(other));
                Diagnostic::error(format!("Cannot {attempt}"), detail)
                    .at(&path)
                    .into()
            }
        }
    }

    fn explain_migration(
        component: Component,
        error: &MigrationError,
        attempt: &str,
    ) -> Diagnostics {
        let path = slot_path(component.slot());
        let way_out = match error.reason {
            MigrationFailure::Foreign { .. } => format!(
                "Nothing was changed. The argument that allows it is migrate_foreign = true in {path}; it runs the webhooks of others."
            ),
            _ => "Nothing was changed. Mend the cause, then apply again.".to_owned(),
        };
        let detail = format!("{} {way_out}", sentence(error));
        Diagnostic::error(format!("Cannot {attempt}"), detail)
            .at(&path)
            .into()
    }

    /// Installs components one after the other, each when the one before works, and removes those that are no longer
    /// wanted. `status` and `warnings` are kept up to date also if it fails.
    pub(super) async fn install(
        &self,
        preparation: Preparation,
        status: &mut BTreeMap<String, ComponentStatusModel>,
        warnings: &mut Vec<(String, String)>,
    ) -> Result<(), Diagnostics> {
        let is_installed = |component: Component| status.contains_key(component.name());
        let unwanted = self.unwanted(&preparation, is_installed).await?;
        if preparation.has_argo_cd() {
            let secrets = ClusterSecrets::new(self.client, self.name)?;
            let token = preparation.new_webhook_token.clone();
            secrets.webhook().ensure(token, &self.uid().await?).await?;
        }
        let mut selected = BTreeSet::new();
        for prepared in preparation.components {
            let component = prepared.release.component;
            selected.insert(component);
            let installed = self.install_one(prepared, warnings).await?;
            status.insert(component.name().to_owned(), installed);
        }
        for (component, fate) in unwanted {
            match fate {
                Unwanted::Release => self.release(component).await?,
                Unwanted::Remove => warnings.extend(self.remove(component).await?),
            }
            status.remove(component.name());
        }
        status.retain(|name, _| {
            let mut selected = selected.iter();
            selected.any(|component| component.name() == name)
        });
        for (existing, installation) in &preparation.existing {
            existing.write_own_keys(self, installation.as_ref()).await?;
        }
        Ok(())
    }

    async fn install_one(
        &self,
        prepared: Prepared,
        warnings: &mut Vec<(String, String)>,
    ) -> Result<ComponentStatusModel, Diagnostics> {
        let Prepared {
            release,
            installation,
            objects,
            sha256,
            mut options,
        } = prepared;
        let component = release.component;
        for namespace in self.left_namespaces(component, &release.namespace).await? {
            options
                .expendable
                .extend(left_behind(component, &namespace));
        }
        let attempt = format!("install {component} in the cluster {}", self.name);
        let objects = without_foreign_namespaces(self.cluster, objects, &attempt).await?;
        let count = objects.len();
        let set = self.set(component)?;
        let applied = set.apply(objects, &options).await.context(&attempt)?;
        let proof = installation.proof();
        warnings.extend(self.warnings_of_kept(component, applied.kept()));
        let references = applied.references();
        let ready = set.wait_until_ready(&references, &proof.rules, READY_TIMEOUT);
        ready.await.context(&attempt)?;
        let made = self
            .cluster
            .wait_until_ready(&proof.made, "", &proof.rules, READY_TIMEOUT);
        made.await.context(&attempt)?;
        tracing::info!(%component, version = %release.version, objects = count, cluster = %self.name, "installed a component");
        Ok(ComponentStatusModel {
            version: Tf::Known(release.version.to_string()),
            sha256: sha256.map(|sha256| sha256.to_string()).into(),
            objects: Tf::Known(u64::try_from(count).unwrap_or(u64::MAX)),
        })
    }

    /// Describes what differs between the components and how they were installed.
    ///
    /// A component whose manifest cannot be downloaded now is not compared: a warning says so.
    pub(super) async fn drift(
        &self,
        mut selection: Selection,
        addresses: &Addresses,
        live: &LiveObjects<'_>,
        warnings: &mut Vec<(String, String)>,
    ) -> Result<Vec<String>, Diagnostics> {
        let manifests = fetch_all(self.client, &selection).await;
        let mut available = Vec::new();
        let mut wanted = Vec::new();
        for (next, manifest) in selection.installed.into_iter().zip(manifests) {
            let component = next.release.component;
            match manifest {
                Ok(manifest) => {
                    wanted.push(next);
                    available.push(manifest);
                }
                Err(error @ ComponentError::Download { .. }) => {
                    let summary = format!("{component} was not compared with what was installed");
                    warnings.push((summary, sentence(&error)));
                }
                Err(error) => return Err(refusal(component, &error)),
            }
        }
        selection.installed = wanted;
        let preparation = self
            .prepare(selection, Manifests(available), addresses)
            .await?;
        let mut drift = Vec::new();
        for prepared in preparation.components {
            let component = prepared.release.component;
            let attempt = format!("inspect {component} in the cluster {}", self.name);
            let set = self.set(component)?;
            let namespace = prepared.options.default_namespace.as_deref();
            let objects = prepared.objects;
            let objects = without_foreign_namespaces(self.cluster, objects, &attempt).await?;
            let found = set.drift(objects, namespace, live).await;
            drift.extend(found.context(&attempt)?.iter().map(ToString::to_string));
        }
        for (existing, installation) in &preparation.existing {
            drift.extend(existing.drift(self, installation.as_ref()).await?);
        }
        Ok(drift)
    }

    /// Returns the token with which GitLab calls Argo CD's webhook, and again if Vault does not have it yet.
    async fn webhook_token(&self) -> Result<(Secret, Option<Secret>), Diagnostics> {
        let secrets = ClusterSecrets::new(self.client, self.name)?;
        if let Some(stored) = secrets.webhook().read().await? {
            return Ok((stored, None));
        }
        let token = Secret::from(uuid::Uuid::new_v4().simple().to_string());
        Ok((token.clone(), Some(token)))
    }

    async fn uid(&self) -> Result<String, Diagnostics> {
        let uid = self.cluster.uid().await;
        uid.with_context(|| format!("ask the cluster {} for its UID", self.name))
    }
}
