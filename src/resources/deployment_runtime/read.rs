//! Refreshes and imports of a deployment runtime.

use std::sync::Arc;

use nautes_model::entity::{DeploymentRuntime, Entity};
use nautes_model::reference::{CodeRepoReference, EntityId};
use nautes_model::{EntityKey, EntityName, Kind, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::{ImportTarget, Operation};
use terraform_plugin::value::Known;

use super::deployment::find_urls;
use super::manifest;
use super::model::DeploymentRuntimeModel;
use super::save::{existing_deployment, fill_computed};
use crate::claim::{Claim, ObjectId};
use crate::client::Client;
use crate::lookup::{Worker, WorkerError};
use crate::resources::attribute::{CommonAttributes, drift_attribute, split_import_id};
use crate::resources::home::{Found, Home, ManifestLocation, drift_of};
use crate::resources::manifest::EntityIdentity;
use crate::resources::manifest_drift;
use crate::resources::references::entity_name;
use crate::resources::runtime_manifest::{self, drift_in_worker};
use crate::runtime::reconcile::Reconciler;
use crate::runtime::registry::RuntimeKind;

/// The type of deployment runtimes.
pub(super) const TYPE_NAME: &str = Kind::DeploymentRuntime.terraform_type();

/// The key of the code repository in private data: what the reference in the state means.
const SOURCE: &str = "source";

/// Returns a runtime as an object that an instance in the state holds.
pub(super) fn object_id(product: ProductId, name: &EntityName) -> ObjectId {
    ObjectId::entity(Kind::DeploymentRuntime, product, name)
}

/// Reads a runtime; `None` if neither its manifest nor anything in the worker is there.
pub(super) async fn read(
    operation: &mut Operation<Client>,
    mut state: DeploymentRuntimeModel,
) -> Result<Option<DeploymentRuntimeModel>, Diagnostics> {
    let client = operation.client().clone();
    let EntityId { product, name } = state.entity_id()?;
    let key = EntityKey::new(Kind::DeploymentRuntime, name.clone());
    let home = Home::product(&client, product).at(ManifestLocation::load(&operation.private));
    let attempt = format!("read the deployment runtime {name}");
    let mut drift = Vec::new();
    let mut is_absent = false;
    match home.read(&key, &attempt).await? {
        Found::Unchanged => drift.extend(manifest_drift::load(&operation.private)),
        Found::Absent => {
            is_absent = true;
            drift.push("the manifest was deleted".to_owned());
        }
        Found::Present(present, location) => {
            if let Some(Entity::DeploymentRuntime(found)) = &present.entity {
                let kept = match operation.private.get(SOURCE) {
                    Some(kept) => Some(kept),
                    None => meant_source(&client, product, &state).await,
                };
                manifest::update_from(&mut state, found, kept);
                operation
                    .private
                    .set(SOURCE, &found.manifest_source.code_repo)
                    .map_err(Diagnostic::bug)?;
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
    let inspected = inspect(operation, &client, &state, is_absent).await;
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

/// Describes what differs in the worker and in Vault; `None` if the runtime is gone from both the repository and the
/// worker.
async fn inspect(
    operation: &Operation<Client>,
    client: &Arc<Client>,
    state: &DeploymentRuntimeModel,
    is_absent: bool,
) -> Result<Option<Vec<String>>, WorkerError> {
    let Known(cluster) = &state.cluster else {
        return Ok(Some(vec!["nothing is in a cluster yet".to_owned()]));
    };
    let cluster = entity_name("cluster", cluster)?;
    let worker = client.worker(&cluster).await?;
    let EntityId { product, name } = state.entity_id()?;
    if is_absent {
        let kind = RuntimeKind::Deployment;
        let reconciler = Reconciler::new(client, worker, product, kind, &name).await?;
        // What is in the worker is left for a destroy, or for an update that writes the manifest again.
        return Ok(reconciler.entry().await?.map(|_| Vec::new()));
    }
    let source = source(operation, client, state).await?;
    if find_urls(client, product, source).await?.is_none() {
        return Ok(Some(vec![format!(
            "GitLab has no project of {source} any more"
        )]));
    }
    let deployment = existing_deployment(client, state, worker, source).await?;
    let application = deployment.application(state)?;
    let contribution = deployment.contribution(state);
    let found = deployment
        .reconciler
        .drift(&contribution, vec![application])
        .await?;
    Ok(Some(found))
}

/// Returns the code repository that the reference in the state means.
async fn source(
    operation: &Operation<Client>,
    client: &Client,
    state: &DeploymentRuntimeModel,
) -> Result<RepositoryId, Diagnostics> {
    if let Some(kept) = operation.private.get::<RepositoryId>(SOURCE) {
        return Ok(kept);
    }
    let EntityId { product, .. } = state.entity_id()?;
    meant_source(client, product, state).await.ok_or_else(|| {
        let detail = "It is not known which code repository the runtime deploys. Apply it again.";
        Diagnostic::error("The code repository is not known", detail).into()
    })
}

/// Keeps which code repository the reference in the state means.
pub(super) fn store_source(
    operation: &mut Operation<Client>,
    source: RepositoryId,
) -> Result<(), Diagnostics> {
    let stored = operation.private.set(SOURCE, &source);
    stored.map_err(|error| Diagnostic::bug(error).into())
}

/// Returns the code repository that the reference in the state means, as far as that is known.
async fn meant_source(
    client: &Client,
    product: ProductId,
    state: &DeploymentRuntimeModel,
) -> Option<RepositoryId> {
    match state.manifest_source.code_repo.parse().ok()? {
        CodeRepoReference::Id(id) => Some(id),
        CodeRepoReference::Name(name) => {
            let repositories = client.code_repos().ok()?;
            repositories.resolve(None, product, &name).await.ok()
        }
    }
}

/// Finds a runtime by its product and name; `None` if there is no manifest.
pub(super) async fn import(
    operation: &mut Operation<Client>,
    target: ImportTarget<EntityIdentity>,
) -> Result<Option<DeploymentRuntimeModel>, Diagnostics> {
    let client = operation.client().clone();
    let (product, name) = match target {
        ImportTarget::Identity(identity) => (identity.product_id, identity.name),
        ImportTarget::Id(id) => split_import_id(Kind::DeploymentRuntime, &id)?,
    };
    let name = entity_name("name", &name)?;
    let Some((state, location, source)) = load(&client, product, &name).await? else {
        return Ok(None);
    };
    store_source(operation, source)?;
    location.store(&mut operation.private)?;
    Claim::load_or_store(&mut operation.private)?;
    Ok(Some(state))
}

/// Loads a runtime of which nothing is known but its name and the reference to its product.
pub(super) async fn load(
    client: &Client,
    product: String,
    name: &EntityName,
) -> Result<Option<(DeploymentRuntimeModel, ManifestLocation, RepositoryId)>, Diagnostics> {
    let found = runtime_manifest::find::<DeploymentRuntime>(client, &product, name).await?;
    let Some(found) = found else { return Ok(None) };
    let entity = found.entity;
    let mut state = manifest::from_entity(CommonAttributes::new(product), &entity);
    let namespaces = entity.effective_namespaces().into_iter();
    let namespaces = namespaces.map(str::to_owned).collect();
    fill_computed(
        client,
        &mut state,
        found.product,
        name,
        &found.cluster,
        namespaces,
    );
    state.common.manifest_path = Known(found.path);
    state.common.drift = drift_attribute(found.drift);
    Ok(Some((
        state,
        found.location,
        entity.manifest_source.code_repo,
    )))
}

/// Returns the worker of an existing runtime.
pub(super) async fn worker_of(
    client: &Client,
    state: &DeploymentRuntimeModel,
) -> Result<Arc<Worker>, WorkerError> {
    let cluster = state.cluster.require_known("cluster");
    let cluster = cluster.map_err(Diagnostics::from)?;
    client.worker(&entity_name("cluster", cluster)?).await
}
