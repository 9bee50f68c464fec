//! The change of a cluster's manifest: validated before anything is made, and committed at the end.

use nautes_model::EntityName;
use nautes_model::entity::{ClusterShape, Entity};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::Operation;

use super::manifest;
use super::model::ClusterModel;
use super::read::object_id;
use crate::claim::Claim;
use crate::client::Client;
use crate::config_repo::{PutMode, Validation};
use crate::resources::home::{Home, ManifestLocation, took_over_warning};
use crate::resources::manifest_drift;
use crate::wait_graph::Request;

/// A change of a cluster's manifest that is about to be committed.
pub(super) struct ManifestChange<'a> {
    client: &'a Client,
    home: Home<'a>,
    request: Request,
    entity: Entity,
    mode: PutMode,
    validation: Validation,
    attempt: String,
    claim: Claim,
    name: EntityName,
    pub(super) shape: ClusterShape,
}

impl<'a> ManifestChange<'a> {
    /// Begins the change, and validates it if the cluster is new.
    pub(super) async fn begin(
        operation: &mut Operation<Client>,
        client: &'a Client,
        name: &EntityName,
        prior: Option<&ClusterModel>,
        planned: &ClusterModel,
    ) -> Result<Self, Diagnostics> {
        let verb = if prior.is_some() { "update" } else { "create" };
        let claim = Claim::load_or_store(&mut operation.private)?;
        let cluster = manifest::entity(planned)?;
        let shape = cluster.shape.clone();
        let entity = Entity::from(cluster);
        let location = ManifestLocation::load(&operation.private);
        let mode = match prior {
            None => PutMode::Create,
            Some(_) => PutMode::Update(location.as_ref().map(|known| known.verified.clone())),
        };
        let home = Home::tenant(client)
            .at(location)
            .with_claim(Some(claim.clone()));
        let change = Self {
            client,
            request: home.begin(entity.key()),
            home,
            entity,
            mode,
            validation: planned.validation(client),
            attempt: format!("{verb} the cluster {name}"),
            claim,
            name: name.clone(),
            shape,
        };
        if prior.is_some() {
            let object = object_id(name);
            client.holders().record(&object, &change.claim)?;
        } else {
            let Self {
                home,
                request,
                entity,
                mode,
                validation,
                attempt,
                ..
            } = &change;
            home.dry_run(request, entity, mode, *validation, attempt)
                .await?;
        }
        Ok(change)
    }

    /// What is attempted, which completes the sentence "cannot …".
    pub(super) fn attempt(&self) -> &str {
        &self.attempt
    }

    /// Commits the change, and returns the path of the manifest.
    pub(super) async fn commit(
        self,
        operation: &mut Operation<Client>,
    ) -> Result<String, Diagnostics> {
        let is_new = self.mode == PutMode::Create;
        let saved = self
            .home
            .put(
                &self.request,
                &self.entity,
                self.mode,
                self.validation,
                &self.attempt,
            )
            .await?;
        drop(self.request);
        saved.location.store(&mut operation.private)?;
        manifest_drift::record(&[], &mut operation.private)?;
        if saved.took_over {
            let (summary, detail) = took_over_warning(&self.entity.key());
            operation.warn(summary, detail);
        }
        if is_new {
            let object = object_id(&self.name);
            self.client.holders().record_created(&object, &self.claim)?;
        }
        Ok(saved.path)
    }
}

/// Deletes the manifest of a cluster, which is refused while something refers to the cluster.
pub(super) async fn delete_manifest(
    operation: &Operation<Client>,
    state: &ClusterModel,
    claim: Option<Claim>,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let client = operation.client();
    let key = Entity::from(manifest::entity(state)?).key();
    let home = Home::tenant(client)
        .at(ManifestLocation::load(&operation.private))
        .with_claim(claim);
    let request = home.begin(key.clone());
    home.delete(&request, &key, state.validation(client), attempt)
        .await?;
    Ok(())
}
