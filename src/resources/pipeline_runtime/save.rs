//! Creating and updating a pipeline runtime: first the manifest, then what is in the cluster and in Vault, and the hooks
//! in GitLab last.
//!
//! The registry in the cluster records a creation that has begun, so that the next one goes on with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use nautes_model::entity::{Entity, PipelineRuntime};
use nautes_model::reference::EntityId;
use nautes_model::{EntityKey, EntityName, Kind, ProductId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::Operation;
use terraform_plugin::value::{Known, Path, Tf};

use super::checks::{check_attributes, check_surroundings, require_pipeline_worker};
use super::hooks::{self, KnownHooks};
use super::manifest;
use super::model::PipelineRuntimeModel;
use super::pipeline::{Pipeline, ids};
use super::read::object_id;
use super::references::Meanings;
use crate::claim::Claim;
use crate::client::Client;
use crate::config_repo::{PutMode, Snapshot};
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
    mut planned: PipelineRuntimeModel,
) -> Result<PipelineRuntimeModel, Diagnostics> {
    let client = operation.client().clone();
    let name = entity_name("name", &planned.name)?;
    let attempt = format!("create the pipeline runtime {name}");
    let request = client.wait_graph().begin([]);
    let reference = &planned.common.product;
    let product = client.products()?.locate(&request, reference).await?.id;
    let key = EntityKey::new(Kind::PipelineRuntime, name.clone());
    let claim = Claim::load_or_store(&mut operation.private)?;
    let home = Home::product(&client, product).with_claim(Some(claim.clone()));
    request.may_write(home.target(key.clone()));
    let references = ReferenceResolver {
        client: &client,
        product,
        request: Some(&request),
    };
    let meanings = Meanings::default().resolve(references, &planned).await?;
    let validation = planned.common.validation(&client);
    let namespace = effective_namespace(&client, product, &planned).await?;
    let entity = manifest::entity(&planned, product, &meanings, namespace)?;
    require_valid(&client, &planned, &entity)?;
    let wanted = entity.clone().into();
    let environment = &entity.destination.environment;
    let mut snapshot = home.snapshot(&attempt).await?;
    let is_known = |known: &Option<Arc<Snapshot>>| {
        let known = known.as_ref();
        known.is_some_and(|snapshot| cluster_of(snapshot, environment).is_some())
    };
    if !is_known(&snapshot) {
        // Waits for an environment that is about to be created.
        let found = home
            .dry_run(&request, &wanted, &PutMode::Create, validation, &attempt)
            .await?;
        snapshot = Some(found);
    }
    let cluster = snapshot
        .as_ref()
        .and_then(|snapshot| cluster_of(snapshot, environment));
    let cluster = cluster.ok_or_else(|| missing(product, environment))?;
    let pipeline = if client.settings().nautes_reconciles() {
        None
    } else {
        let pipeline = prepare(&client, &cluster, &planned, &entity, &meanings).await?;
        let checked =
            check_surroundings(&client, &pipeline, &planned, &meanings, snapshot.as_deref())
                .await?;
        for (summary, detail) in checked {
            operation.warn(summary, detail);
        }
        Some(pipeline)
    };
    let work = async {
        let mode = match &pipeline {
            Some(pipeline) => pipeline.reconciler.creation_mode().await?,
            None => PutMode::Create,
        };
        let saved = home
            .put(&request, &wanted, mode, validation, &attempt)
            .await?;
        drop(request);
        saved.location.store(&mut operation.private)?;
        meanings.store(operation)?;
        if saved.took_over {
            let (summary, detail) = took_over_warning(&key);
            operation.warn(summary, detail);
        }
        let mut known = KnownHooks::default();
        if let Some(pipeline) = &pipeline {
            let (made, warnings) = pipeline.reconcile(&known, None).await?;
            known = made;
            for (summary, detail) in warnings {
                operation.warn(summary, detail);
            }
        }
        Ok((saved, known))
    };
    let (saved, known) = match &pipeline {
        Some(pipeline) => pipeline.reconciler.create(Box::pin(work)).await?,
        None => work.await?,
    };
    known.store(operation)?;
    client
        .holders()
        .record_created(&object_id(product, &name), &claim)?;
    fill_computed(&mut planned, &entity, &cluster);
    fill_worker(&mut planned, pipeline.as_ref(), &meanings, &known);
    planned.common.manifest_path = Known(saved.path);
    Ok(planned)
}

/// Updates a runtime; what it had goes when it works with what it gets.
pub(super) async fn update(
    operation: &mut Operation<Client>,
    prior: &PipelineRuntimeModel,
    mut planned: PipelineRuntimeModel,
) -> Result<PipelineRuntimeModel, Diagnostics> {
    let client = operation.client().clone();
    let EntityId { product, name } = prior.entity_id()?;
    let attempt = format!("update the pipeline runtime {name}");
    let location = ManifestLocation::load(&operation.private);
    let mode = PutMode::Update(location.as_ref().map(|known| known.verified.clone()));
    let claim = Claim::load_or_store(&mut operation.private)?;
    client
        .holders()
        .record(&object_id(product, &name), &claim)?;
    let key = EntityKey::new(Kind::PipelineRuntime, name.clone());
    let home = Home::product(&client, product).at(location);
    let home = home.with_claim(Some(claim));
    let request = home.begin(key);
    check_kept(product, prior, &planned)?;
    let references = ReferenceResolver {
        client: &client,
        product,
        request: Some(&request),
    };
    let before = Meanings::load(&operation.private);
    let meanings = before.resolve(references, &planned).await?;
    let validation = planned.common.validation(&client);
    let namespace = effective_namespace(&client, product, &planned).await?;
    let entity = manifest::entity(&planned, product, &meanings, namespace)?;
    require_valid(&client, &planned, &entity)?;
    let snapshot = home.snapshot(&attempt).await?;
    let environment = &entity.destination.environment;
    let cluster = snapshot
        .as_ref()
        .and_then(|snapshot| cluster_of(snapshot, environment));
    let cluster = require_same_cluster(&prior.cluster, environment, product, cluster)?;
    let known = KnownHooks::load(&operation.private);
    let pipelines = if client.settings().nautes_reconciles() {
        None
    } else {
        let pipeline = prepare(&client, &cluster, &planned, &entity, &meanings).await?;
        let checked =
            check_surroundings(&client, &pipeline, &planned, &meanings, snapshot.as_deref());
        for (summary, detail) in checked.await? {
            operation.warn(summary, detail);
        }
        let old = existing(&client, &cluster, prior, product, &before).await?;
        Some((pipeline, old))
    };
    let saved = home
        .put(
            &request,
            &Entity::from(entity.clone()),
            mode,
            validation,
            &attempt,
        )
        .await?;
    drop(request);
    saved.location.store(&mut operation.private)?;
    manifest_drift::record(&[], &mut operation.private)?;
    meanings.store(operation)?;
    fill_computed(&mut planned, &entity, &cluster);
    planned.common.manifest_path = Known(saved.path);
    let mut made = known.clone();
    if let Some((pipeline, old)) = &pipelines {
        let mut unfinished = planned.clone();
        fill_worker(&mut unfinished, Some(pipeline), &meanings, &known);
        unfinished.common.drift = drift_attribute([UNFINISHED.to_owned()]);
        operation.record(&unfinished);
        let (hooks, warnings) = pipeline.reconcile(&known, Some(old)).await?;
        made = hooks;
        for (summary, detail) in warnings {
            operation.warn(summary, detail);
        }
    }
    made.store(operation)?;
    let pipeline = pipelines.as_ref().map(|(pipeline, _)| pipeline);
    fill_worker(&mut planned, pipeline, &meanings, &made);
    Ok(planned)
}

/// Connects to the worker, and looks up what the runtime needs.
async fn prepare(
    client: &Arc<Client>,
    cluster: &EntityName,
    planned: &PipelineRuntimeModel,
    entity: &PipelineRuntime,
    meanings: &Meanings,
) -> Result<Pipeline, Diagnostics> {
    client.require_vault().await?;
    let worker = client.worker(cluster).await?;
    require_pipeline_worker(&worker)?;
    let facts = meanings.facts(client, entity.product, planned).await?;
    Pipeline::new(client, worker, planned, entity.clone(), meanings, facts).await
}

/// Returns a runtime as the state has it, with the names of its objects. Nothing is known of its repositories.
pub(super) async fn existing(
    client: &Arc<Client>,
    cluster: &EntityName,
    state: &PipelineRuntimeModel,
    product: ProductId,
    meanings: &Meanings,
) -> Result<Pipeline, Diagnostics> {
    let worker = client.worker(cluster).await?;
    let namespace = state.runtime_namespace.known().cloned();
    let entity = manifest::entity(state, product, meanings, namespace)?;
    Pipeline::new(client, worker, state, entity, meanings, BTreeMap::new()).await
}

fn require_valid(
    client: &Client,
    planned: &PipelineRuntimeModel,
    entity: &PipelineRuntime,
) -> Result<(), Diagnostics> {
    let found = check_attributes(planned, entity, client.settings().nautes_reconciles());
    if found.has_error() {
        Err(found)
    } else {
        Ok(())
    }
}

/// Returns the namespace of a runtime: that which the user wrote, that which it has, or the default. Nautes fills in its
/// own default.
async fn effective_namespace(
    client: &Client,
    product: ProductId,
    planned: &PipelineRuntimeModel,
) -> Result<Option<String>, Diagnostics> {
    if let Some(written) = &planned.destination.namespace {
        return Ok(Some(written.clone()));
    }
    if client.settings().nautes_reconciles() {
        return Ok(None);
    }
    if let Known(kept) = &planned.runtime_namespace {
        return Ok(Some(kept.clone()));
    }
    let found = client.products()?.get(product).await?;
    let group = found.as_ref().map(|found| found.group.path.as_str());
    check_default_namespace(group.unwrap_or_default(), &planned.name, "namespace").map(Some)
}

/// Refuses to move a runtime to another environment or project, which the plan did not show.
fn check_kept(
    product: ProductId,
    prior: &PipelineRuntimeModel,
    planned: &PipelineRuntimeModel,
) -> Result<(), Diagnostics> {
    let name =
        |reference: &str| crate::resources::references::resolve_name(product, "project", reference);
    let compared = [
        (
            runtime_environment::path(),
            runtime_environment::resolve(product, &prior.destination.environment)?,
            runtime_environment::resolve(product, &planned.destination.environment)?,
        ),
        (
            Path::to("project"),
            name(&prior.project)?,
            name(&planned.project)?,
        ),
    ];
    for (path, before, after) in compared {
        require_as_planned(&path, &path.to_string(), &before, &after)?;
    }
    Ok(())
}

/// Sets the attributes that follow from others.
pub(super) fn fill_computed(
    model: &mut PipelineRuntimeModel,
    entity: &PipelineRuntime,
    cluster: &EntityName,
) {
    let id = EntityId {
        product: entity.product,
        name: entity.name.clone(),
    };
    model.common.id = Known(id.to_string());
    model.common.namespace = Known(entity.product.to_string());
    model.common.drift = Tf::Null;
    model.cluster = Known(cluster.to_string());
    model.runtime_account = Known(entity.effective_account().to_owned());
    model.runtime_namespace = Known(entity.effective_namespace().to_owned());
}

/// Sets the attributes that follow from what is in the worker.
pub(super) fn fill_worker(
    model: &mut PipelineRuntimeModel,
    pipeline: Option<&Pipeline>,
    meanings: &Meanings,
    known: &KnownHooks,
) {
    let Some(pipeline) = pipeline else {
        model.webhooks = Tf::Null;
        model.credential_secrets = Tf::Null;
        model.vault_role = Known(model.account().to_owned());
        model.vault_auth_mount = model.cluster.clone();
        model.tekton_url = Tf::Null;
        return;
    };
    let runtime = &pipeline.runtime;
    let hooks = pipeline.webhooks(ids(known));
    let meaning = |text: &str| meanings.get(text).ok();
    model.webhooks = Known(hooks::attribute(model, &hooks, meaning));
    model.credential_secrets = Known(pipeline.credentials().secrets(&pipeline.inputs()));
    model.vault_role = Known(names::account_role(
        runtime.product,
        runtime.effective_account(),
    ));
    let facts = &pipeline.reconciler.worker().facts;
    model.vault_auth_mount = Known(facts.name.clone());
    let namespace = runtime.effective_namespace();
    let url = facts.components.tekton_url.as_ref();
    let url = url.map(|url| {
        format!(
            "{}/#/namespaces/{namespace}/pipelineruns",
            url.trim_end_matches('/')
        )
    });
    model.tekton_url = url.into();
}
