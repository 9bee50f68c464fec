//! Refreshes and imports of a pipeline runtime.

use std::sync::Arc;

use nautes_model::entity::{Entity, PipelineRuntime};
use nautes_model::reference::EntityId;
use nautes_model::{EntityKey, EntityName, Kind, ProductId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::{ImportTarget, Operation};
use terraform_plugin::value::Known;

use super::hooks::{self, KnownHooks};
use super::manifest;
use super::model::PipelineRuntimeModel;
use super::pipeline::Pipeline;
use super::references::Meanings;
use super::save::{fill_computed, fill_worker};
use crate::claim::{Claim, ObjectId};
use crate::client::Client;
use crate::lookup::WorkerError;
use crate::resources::attribute::{CommonAttributes, drift_attribute, split_import_id};
use crate::resources::home::{Found, Home, ManifestLocation, drift_of};
use crate::resources::manifest::EntityIdentity;
use crate::resources::manifest_drift;
use crate::resources::references::entity_name;
use crate::resources::runtime_manifest::{self, drift_in_worker};

/// The type of pipeline runtimes.
pub(super) const TYPE_NAME: &str = Kind::PipelineRuntime.terraform_type();

/// Returns a runtime as an object that an instance in the state holds.
pub(super) fn object_id(product: ProductId, name: &EntityName) -> ObjectId {
    ObjectId::entity(Kind::PipelineRuntime, product, name)
}

/// Reads a runtime; `None` if neither its manifest nor anything in the worker is there.
pub(super) async fn read(
    operation: &mut Operation<Client>,
    mut state: PipelineRuntimeModel,
) -> Result<Option<PipelineRuntimeModel>, Diagnostics> {
    let client = operation.client().clone();
    let EntityId { product, name } = state.entity_id()?;
    let key = EntityKey::new(Kind::PipelineRuntime, name.clone());
    let home = Home::product(&client, product).at(ManifestLocation::load(&operation.private));
    let attempt = format!("read the pipeline runtime {name}");
    let mut meanings = Meanings::load(&operation.private);
    let mut drift = Vec::new();
    let mut is_absent = false;
    match home.read(&key, &attempt).await? {
        Found::Unchanged => drift.extend(manifest_drift::load(&operation.private)),
        Found::Absent => {
            is_absent = true;
            drift.push("the manifest was deleted".to_owned());
        }
        Found::Present(present, location) => {
            if let Some(Entity::PipelineRuntime(found)) = &present.entity {
                manifest::update_from(&mut state, found, &mut meanings);
                meanings.store(operation)?;
            }
            state.common.manifest_path = Known(present.path.clone());
            drift.extend(drift_of(&present));
            manifest_drift::record(&drift, &mut operation.private)?;
            location.store(&mut operation.private)?;
        }
    }
    let object = object_id(product, &name);
    if client.settings().nautes_reconciles() {
        if is_absent {
            return Ok(None);
        }
        client
            .holders()
            .record_read(&object, &mut operation.private)?;
        state.common.drift = drift_attribute(drift);
        return Ok(Some(state));
    }
    let known = KnownHooks::load(&operation.private);
    let inspected = inspect(&client, &mut state, product, &meanings, &known, is_absent).await;
    let Some(found) = drift_in_worker(operation, inspected)? else {
        return Ok(None);
    };
    drift.extend(found);
    client
        .holders()
        .record_read(&object, &mut operation.private)?;
    state.common.drift = drift_attribute(drift);
    Ok(Some(state))
}

/// Describes what differs in the worker, in Vault and in GitLab; `None` if the runtime is gone from both the repository
/// and the worker.
async fn inspect(
    client: &Arc<Client>,
    state: &mut PipelineRuntimeModel,
    product: ProductId,
    meanings: &Meanings,
    known: &KnownHooks,
    is_absent: bool,
) -> Result<Option<Vec<String>>, WorkerError> {
    let Known(cluster) = &state.cluster else {
        return Ok(Some(vec!["nothing is in a cluster yet".to_owned()]));
    };
    let cluster = entity_name("cluster", cluster)?;
    let connection = Connection { product, cluster };
    let pipeline = connection.connect(client, state, meanings).await?;
    if is_absent && pipeline.reconciler.entry().await?.is_none() {
        return Ok(None);
    }
    let (drift, found) = pipeline.drift(known).await?;
    let hooks = pipeline.webhooks(found);
    let meaning = |text: &str| meanings.get(text).ok();
    state.webhooks = Known(hooks::attribute(state, &hooks, meaning));
    Ok(Some(drift))
}

/// Finds a runtime by its product and name; `None` if there is no manifest.
pub(super) async fn import(
    operation: &mut Operation<Client>,
    target: ImportTarget<EntityIdentity>,
) -> Result<Option<PipelineRuntimeModel>, Diagnostics> {
    let client = operation.client().clone();
    let (product, name) = match target {
        ImportTarget::Identity(identity) => (identity.product_id, identity.name),
        ImportTarget::Id(id) => split_import_id(Kind::PipelineRuntime, &id)?,
    };
    let name = entity_name("name", &name)?;
    let Some(loaded) = load(&client, product, &name).await? else {
        return Ok(None);
    };
    let mut state = loaded.state;
    let pipeline = if client.settings().nautes_reconciles() {
        None
    } else {
        let connected = loaded.connection.connect(&client, &state, &loaded.meanings);
        Some(connected.await?)
    };
    fill_worker(
        &mut state,
        pipeline.as_ref(),
        &loaded.meanings,
        &KnownHooks::default(),
    );
    loaded.meanings.store(operation)?;
    loaded.location.store(&mut operation.private)?;
    Claim::load_or_store(&mut operation.private)?;
    Ok(Some(state))
}

/// A runtime of which nothing is known but its name and the reference to its product.
pub(super) struct Loaded {
    pub(super) state: PipelineRuntimeModel,
    pub(super) meanings: Meanings,
    location: ManifestLocation,
    pub(super) connection: Connection,
}

/// Where a runtime is.
pub(super) struct Connection {
    product: ProductId,
    cluster: EntityName,
}

impl Connection {
    /// Connects to the worker of a runtime.
    pub(super) async fn connect(
        &self,
        client: &Arc<Client>,
        state: &PipelineRuntimeModel,
        meanings: &Meanings,
    ) -> Result<Pipeline, WorkerError> {
        let worker = client.worker(&self.cluster).await?;
        let namespace = state.runtime_namespace.known().cloned();
        let entity = manifest::entity(state, self.product, meanings, namespace)?;
        let facts = meanings.known_facts(client, self.product, state).await?;
        Ok(Pipeline::new(client, worker, state, entity, meanings, facts).await?)
    }
}

/// Loads a runtime from its manifest; `None` if there is none.
pub(super) async fn load(
    client: &Client,
    product: String,
    name: &EntityName,
) -> Result<Option<Loaded>, Diagnostics> {
    let found = runtime_manifest::find::<PipelineRuntime>(client, &product, name).await?;
    let Some(found) = found else { return Ok(None) };
    let mut meanings = Meanings::default();
    let common = CommonAttributes::new(product);
    let mut state = manifest::from_entity(common, &found.entity, &mut meanings);
    fill_computed(&mut state, &found.entity, &found.cluster);
    state.common.manifest_path = Known(found.path);
    state.common.drift = drift_attribute(found.drift);
    Ok(Some(Loaded {
        state,
        meanings,
        location: found.location,
        connection: Connection {
            product: found.product,
            cluster: found.cluster,
        },
    }))
}
