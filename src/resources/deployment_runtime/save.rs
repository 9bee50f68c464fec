//! Creating and updating a deployment runtime: first the manifest, then what is in the cluster and in Vault.
//!
//! The registry in the cluster records a creation that has begun, so that the next one goes on with it.

use std::sync::Arc;

use nautes_model::entity::Entity;
use nautes_model::reference::EntityId;
use nautes_model::{EntityKey, EntityName, ProductId, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::Operation;
use terraform_plugin::value::{Known, Path, Tf};

use super::deployment::{Deployment, Waited, source_of};
use super::manifest;
use super::model::DeploymentRuntimeModel;
use super::read::{object_id, store_source};
use crate::claim::Claim;
use crate::client::Client;
use crate::config_repo::PutMode;
use crate::resources::attribute::{UNFINISHED, drift_attribute};
use crate::resources::home::{Home, ManifestLocation, took_over_warning};
use crate::resources::manifest_drift;
use crate::resources::references::{ReferenceResolver, entity_name};
use crate::resources::runtime_environment::{self, cluster_of, missing, require_same_cluster};
use crate::resources::runtime_manifest::{check_default_namespace, require_as_planned};
use crate::runtime::names;

/// Creates a runtime, or goes on with a creation that was interrupted.
pub(super) async fn create(
    operation: &mut Operation<Client>,
    mut planned: DeploymentRuntimeModel,
) -> Result<DeploymentRuntimeModel, Diagnostics> {
    let client = operation.client().clone();
    let name = entity_name("name", &planned.name)?;
    let attempt = format!("create the deployment runtime {name}");
    let request = client.wait_graph().begin([]);
    let reference = &planned.common.product;
    let product = client.products()?.locate(&request, reference).await?.id;
    let key = EntityKey::new(nautes_model::Kind::DeploymentRuntime, name.clone());
    let claim = Claim::load_or_store(&mut operation.private)?;
    let home = Home::product(&client, product).with_claim(Some(claim.clone()));
    request.may_write(home.target(key.clone()));
    let references = ReferenceResolver {
        client: &client,
        product,
        request: Some(&request),
    };
    let source = resolve_source(references, &planned).await?;
    let validation = planned.common.validation(&client);
    let nautes_reconciles = client.settings().nautes_reconciles();
    let namespaces = if nautes_reconciles {
        planned.written_namespaces().unwrap_or_default().to_vec()
    } else {
        effective_namespaces(&client, product, &planned).await?
    };
    let entity = manifest::entity(&planned, product, source, namespaces.clone())?;
    let environment = &entity.destination.environment;
    let known = home.snapshot(&attempt).await?;
    let mut cluster = known.and_then(|known| cluster_of(&known, environment));
    if cluster.is_none() {
        // Waits for an environment that is about to be created.
        let wanted = entity.clone().into();
        let snapshot = home
            .dry_run(&request, &wanted, &PutMode::Create, validation, &attempt)
            .await?;
        cluster = cluster_of(&snapshot, environment);
    }
    let cluster = cluster.ok_or_else(|| missing(product, environment))?;
    let deployment = if nautes_reconciles {
        None
    } else {
        client.require_vault().await?;
        let worker = client.worker(&cluster).await?;
        let deployment = Deployment::new(&client, worker, &entity, namespaces.clone()).await?;
        deployment.check(&planned).await?;
        if let Some((summary, detail)) = deployment.push_hook_warning(&planned) {
            operation.warn(summary, detail);
        }
        Some(deployment)
    };
    let wanted = entity.clone().into();
    let work = async {
        let mode = match &deployment {
            Some(deployment) => deployment.reconciler.creation_mode().await?,
            None => PutMode::Create,
        };
        let saved = home
            .put(&request, &wanted, mode, validation, &attempt)
            .await?;
        drop(request);
        saved.location.store(&mut operation.private)?;
        store_source(operation, source)?;
        if saved.took_over {
            let (summary, detail) = took_over_warning(&key);
            operation.warn(summary, detail);
        }
        if let Some(deployment) = &deployment
            && let Waited::NotReached { summary, detail } = deployment.reconcile(&planned).await?
        {
            operation.warn(summary, detail);
        }
        Ok(saved)
    };
    let saved = match &deployment {
        Some(deployment) => deployment.reconciler.create(Box::pin(work)).await?,
        None => work.await?,
    };
    client
        .holders()
        .record_created(&object_id(product, &name), &claim)?;
    fill_computed(&client, &mut planned, product, &name, &cluster, namespaces);
    planned.common.manifest_path = Known(saved.path);
    Ok(planned)
}

/// Updates a runtime without an interruption: what it had goes when it works with what it gets.
pub(super) async fn update(
    operation: &mut Operation<Client>,
    prior: &DeploymentRuntimeModel,
    mut planned: DeploymentRuntimeModel,
) -> Result<DeploymentRuntimeModel, Diagnostics> {
    let client = operation.client().clone();
    let EntityId { product, name } = prior.entity_id()?;
    let attempt = format!("update the deployment runtime {name}");
    let location = ManifestLocation::load(&operation.private);
    let mode = PutMode::Update(location.as_ref().map(|known| known.verified.clone()));
    let claim = Claim::load_or_store(&mut operation.private)?;
    client
        .holders()
        .record(&object_id(product, &name), &claim)?;
    let key = EntityKey::new(nautes_model::Kind::DeploymentRuntime, name.clone());
    let home = Home::product(&client, product).at(location);
    let home = home.with_claim(Some(claim));
    let request = home.begin(key.clone());
    check_environment(product, prior, &planned)?;
    let snapshot = home.snapshot(&attempt).await?;
    let references = ReferenceResolver {
        client: &client,
        product,
        request: Some(&request),
    };
    let kept = snapshot
        .as_ref()
        .and_then(|snapshot| source_of(snapshot.get(&key)?));
    let is_same = prior.manifest_source.code_repo == planned.manifest_source.code_repo;
    let source = match kept.filter(|_| is_same) {
        Some(kept) => kept,
        None => resolve_source(references, &planned).await?,
    };
    let validation = planned.common.validation(&client);
    let nautes_reconciles = client.settings().nautes_reconciles();
    let namespaces = if nautes_reconciles {
        planned.written_namespaces().unwrap_or_default().to_vec()
    } else {
        effective_namespaces(&client, product, &planned).await?
    };
    let entity = manifest::entity(&planned, product, source, namespaces.clone())?;
    let environment = &entity.destination.environment;
    let cluster = snapshot.and_then(|snapshot| cluster_of(&snapshot, environment));
    let cluster = require_same_cluster(&prior.cluster, environment, product, cluster)?;
    let deployment = if nautes_reconciles {
        None
    } else {
        client.require_vault().await?;
        let worker = client.worker(&cluster).await?;
        let deployment = Deployment::new(&client, worker, &entity, namespaces.clone()).await?;
        deployment.check(&planned).await?;
        Some(deployment)
    };
    let saved = home
        .put(&request, &Entity::from(entity), mode, validation, &attempt)
        .await?;
    drop(request);
    saved.location.store(&mut operation.private)?;
    manifest_drift::record(&[], &mut operation.private)?;
    store_source(operation, source)?;
    fill_computed(&client, &mut planned, product, &name, &cluster, namespaces);
    planned.common.manifest_path = Known(saved.path);
    if let Some(deployment) = &deployment {
        let mut unfinished = planned.clone();
        unfinished.common.drift = drift_attribute([UNFINISHED.to_owned()]);
        operation.record(&unfinished);
        deployment.reconcile(&planned).await?.require_reached()?;
    }
    Ok(planned)
}

async fn resolve_source(
    references: ReferenceResolver<'_>,
    planned: &DeploymentRuntimeModel,
) -> Result<RepositoryId, Diagnostics> {
    let path = Path::to("manifest_source").attribute("code_repo");
    let reference = &planned.manifest_source.code_repo;
    let source = references.code_repo("manifest_source", reference).await;
    source.map_err(|found| found.into_iter().map(|found| found.at(&path)).collect())
}

/// Returns the namespaces of a runtime: those that the user wrote, those that it has, or the default.
async fn effective_namespaces(
    client: &Client,
    product: ProductId,
    planned: &DeploymentRuntimeModel,
) -> Result<Vec<String>, Diagnostics> {
    if let Some(written) = planned.written_namespaces() {
        return Ok(written.to_vec());
    }
    if let Known(kept) = &planned.effective_namespaces {
        return Ok(kept.clone());
    }
    let found = client.products()?.get(product).await?;
    let group = found.as_ref().map(|found| found.group.path.as_str());
    let namespace =
        check_default_namespace(group.unwrap_or_default(), &planned.name, "namespaces")?;
    Ok(vec![namespace])
}

/// Refuses to move a runtime to another environment, which the plan did not show.
fn check_environment(
    product: ProductId,
    prior: &DeploymentRuntimeModel,
    planned: &DeploymentRuntimeModel,
) -> Result<(), Diagnostics> {
    let before = runtime_environment::resolve(product, &prior.destination.environment)?;
    let after = runtime_environment::resolve(product, &planned.destination.environment)?;
    require_as_planned(
        &runtime_environment::path(),
        "the environment",
        &before,
        &after,
    )
}

/// Sets the attributes that follow from others.
pub(super) fn fill_computed(
    client: &Client,
    model: &mut DeploymentRuntimeModel,
    product: ProductId,
    name: &EntityName,
    cluster: &EntityName,
    namespaces: Vec<String>,
) {
    let id = EntityId {
        product,
        name: name.clone(),
    };
    model.common.id = Known(id.to_string());
    model.common.namespace = Known(product.to_string());
    model.common.drift = Tf::Null;
    model.cluster = Known(cluster.to_string());
    model.effective_account = Known(model.account().to_owned());
    // Its operators call it after the runtime alone.
    let application = if client.settings().nautes_reconciles() {
        name.to_string()
    } else {
        names::application(product, name.as_str())
    };
    model.application = Known(application);
    model.effective_namespaces = Known(if namespaces.is_empty() {
        vec![name.to_string()]
    } else {
        namespaces
    });
}

/// Returns a runtime as it is in its worker.
pub(super) async fn existing_deployment(
    client: &Arc<Client>,
    state: &DeploymentRuntimeModel,
    worker: Arc<crate::lookup::Worker>,
    source: RepositoryId,
) -> Result<Deployment, Diagnostics> {
    let EntityId { product, .. } = state.entity_id()?;
    let namespaces = state.effective_namespaces.known().cloned();
    let namespaces = namespaces.unwrap_or_default();
    let entity = manifest::entity(state, product, source, namespaces.clone())?;
    Deployment::new(client, worker, &entity, namespaces).await
}
