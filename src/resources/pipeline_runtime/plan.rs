//! How the plan for a pipeline runtime goes beyond its schema. It calls no server except where a reference changes.

use nautes_model::layout::ManifestPath;
use nautes_model::reference::{EntityReference, ProductReference};
use nautes_model::{EntityName, ProductId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::Planning;
use terraform_plugin::value::{Convert as _, Known, Path, Tf, Value};

use super::checks::check_attributes;
use super::manifest;
use super::model::PipelineRuntimeModel;
use super::read::object_id;
use super::references::Meanings;
use super::resource::PipelineRuntimeResource;
use crate::resources::planned_reference::{self, Meaning};
use crate::resources::runtime_manifest::check_default_namespace;

/// Adjusts what the schema plans.
pub(super) async fn modify(
    planning: &mut Planning<'_, PipelineRuntimeResource>,
) -> Result<(), Diagnostics> {
    check_planned(planning)?;
    match planning.prior.clone() {
        Some(prior) => {
            plan_references(planning, &prior).await?;
            plan_update(planning, &prior);
        }
        None => plan_creation(planning)?,
    }
    Ok(())
}

/// Checks what the attributes say by themselves, as far as all of them are known.
fn check_planned(planning: &Planning<'_, PipelineRuntimeResource>) -> Result<(), Diagnostics> {
    let Some((model, product)) = with_placeholders(planning.planned.to_value()) else {
        return Ok(());
    };
    let meanings = Meanings::placeholders(&model);
    let Ok(entity) = manifest::entity(&model, product, &meanings, None) else {
        // An id of another product is named when it is resolved.
        return Ok(());
    };
    let nautes_reconciles = planning
        .client
        .is_some_and(|client| client.settings().nautes_reconciles());
    let found = check_attributes(&model, &entity, nautes_reconciles);
    if found.has_error() {
        Err(found)
    } else {
        Ok(())
    }
}

/// Returns the planned attributes with placeholders for references that are not known yet; `None` if something else is
/// not known.
fn with_placeholders(mut planned: Value) -> Option<(PipelineRuntimeModel, ProductId)> {
    let Value::Object(attributes) = &mut planned else {
        return None;
    };
    let product = match attributes
        .get("product")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .parse()
    {
        Ok(ProductReference::Id(product)) => product,
        Ok(ProductReference::Name(_)) | Err(_) => ProductId::new(0),
    };
    let references = [
        "project",
        "pipeline_source",
        "destination",
        "event_sources",
        "credentials",
        "additional_resources",
    ];
    if attributes.get("product").is_some_and(Value::is_unknown) {
        attributes.insert("product".to_owned(), Value::string(product.to_string()));
    }
    for name in references {
        attributes.get_mut(name).map(fill_unknown);
    }
    let model = PipelineRuntimeModel::from_value(&planned, &Path::root()).ok()?;
    Some((model, product))
}

fn fill_unknown(value: &mut Value) {
    match value {
        Value::Unknown => *value = Value::string("unknown"),
        Value::Map(entries) | Value::Object(entries) => entries.values_mut().for_each(fill_unknown),
        Value::List(elements) => elements.iter_mut().for_each(fill_unknown),
        _ => {}
    }
}

/// Plans references that are written differently and mean the same: they replace nothing.
async fn plan_references(
    planning: &mut Planning<'_, PipelineRuntimeResource>,
    prior: &PipelineRuntimeModel,
) -> Result<(), Diagnostics> {
    let Some(client) = planning.client else {
        return Ok(());
    };
    let id = prior.entity_id()?;
    let object = object_id(id.product, &id.name);
    client.holders().record_kept(&object, &planning.private)?;
    let common = &mut planning.planned.common;
    let reference = &prior.common.product;
    let meaning =
        planned_reference::product(client, id.product, reference, &common.product).await?;
    if meaning == Meaning::Unchanged {
        common.product = Known(prior.common.product.clone());
    }
    common.keep_manifest_path(&prior.common);
    if meaning != Meaning::AnotherObject {
        planning.allow_in_place_update(&Path::to("product"));
    }
    let same = |written: &str, kept: &str| {
        let name = |text: &str| {
            let reference = text.parse::<EntityReference>().ok()?;
            reference.name_in(id.product).ok().cloned()
        };
        name(written).is_some() && name(written) == name(kept)
    };
    let is_same_project = match &planning.planned.project {
        Known(written) => {
            let is_same = same(written, &prior.project);
            if is_same {
                planning.planned.project = Known(prior.project.clone());
            }
            is_same
        }
        Tf::Unknown | Tf::Null => true,
    };
    if is_same_project {
        planning.allow_in_place_update(&Path::to("project"));
    }
    let is_same = match &mut planning.planned.destination {
        Known(destination) => match &destination.environment {
            Known(written) => {
                let kept = &prior.destination.environment;
                let is_same = same(written, kept);
                if is_same {
                    destination.environment = Known(kept.clone());
                }
                is_same
            }
            // It is expected to mean the same; otherwise the apply fails before it writes anything.
            Tf::Unknown | Tf::Null => true,
        },
        Tf::Unknown | Tf::Null => true,
    };
    if is_same {
        planning.allow_in_place_update(&Path::to("destination").attribute("environment"));
        planning.allow_in_place_update(&Path::to("destination"));
    }
    Ok(())
}

/// Plans what an update makes of the computed attributes.
fn plan_update(planning: &mut Planning<'_, PipelineRuntimeResource>, prior: &PipelineRuntimeModel) {
    if !planning.replacement_paths().is_empty() {
        return;
    }
    plan_account(planning);
    let is_repaired = prior.common.drift.known().is_some();
    let planned = &mut planning.planned;
    let sources = planned.event_sources.to_value();
    let is_same =
        sources.is_wholly_known() && sources == Known(prior.event_sources.clone()).to_value();
    if !is_same || is_repaired {
        planned.webhooks = Tf::Unknown;
        planned.tekton_url = Tf::Unknown;
    }
    planned.vault_role = Tf::Unknown;
    if planned.runtime_account == prior.runtime_account {
        planned.vault_role.clone_from(&prior.vault_role);
    }
    planned.runtime_namespace = match &planned.destination {
        Known(destination) => match &destination.namespace {
            Known(written) => Known(written.clone()),
            // The default is resolved at creation and kept.
            Tf::Null if prior.destination.namespace.is_none() => prior.runtime_namespace.clone(),
            Tf::Null | Tf::Unknown => Tf::Unknown,
        },
        Tf::Null | Tf::Unknown => Tf::Unknown,
    };
    if planned.runtime_namespace != prior.runtime_namespace {
        planned.tekton_url = Tf::Unknown;
    }
}

/// Plans what a creation is known to give.
fn plan_creation(planning: &mut Planning<'_, PipelineRuntimeResource>) -> Result<(), Diagnostics> {
    plan_account(planning);
    let planned = &mut planning.planned;
    planned.common.plan_namespace();
    let Known(name) = &planned.name else {
        return Ok(());
    };
    let project = planned.project.known().and_then(|text| text.parse().ok());
    let project = project.map(|reference: EntityReference| match reference {
        EntityReference::Id(id) => id.name,
        EntityReference::Name(name) => name,
    });
    if let (Ok(name), Some(project)) = (EntityName::new(name), project) {
        let path = ManifestPath::pipeline_runtime(&project, &name);
        planned.common.manifest_path = Known(path.as_str().to_owned());
    }
    let Known(destination) = &planned.destination else {
        return Ok(());
    };
    match &destination.namespace {
        Known(written) => planned.runtime_namespace = Known(written.clone()),
        Tf::Null => {
            let reference = planned
                .common
                .product
                .known()
                .and_then(|text| text.parse().ok());
            // By its id, the product may have another name by the time of the apply.
            if let Some(ProductReference::Name(product)) = &reference {
                let last = product.rsplit('/').next().unwrap_or(product);
                check_default_namespace(last, name, "namespace")?;
            }
        }
        Tf::Unknown => {}
    }
    Ok(())
}

fn plan_account(planning: &mut Planning<'_, PipelineRuntimeResource>) {
    let planned = &mut planning.planned;
    planned.runtime_account = match &planned.account {
        Tf::Null => planned.name.clone(),
        account => account.clone(),
    };
}
