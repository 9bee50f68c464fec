//! How the plan for a deployment runtime goes beyond its schema. It calls no server except where a reference changes.

use nautes_model::EntityName;
use nautes_model::layout::ManifestPath;
use nautes_model::reference::ProductReference;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::Planning;
use terraform_plugin::value::{Convert as _, Known, Path, Tf};

use super::model::DeploymentRuntimeModel;
use super::read::object_id;
use super::resource::DeploymentRuntimeResource;
use crate::resources::planned_reference::{self, Meaning};
use crate::resources::runtime_environment;
use crate::resources::runtime_manifest::check_default_namespace;
use crate::runtime::names;

/// Adjusts what the schema plans.
pub(super) async fn modify(
    planning: &mut Planning<'_, DeploymentRuntimeResource>,
) -> Result<(), Diagnostics> {
    match planning.prior.clone() {
        Some(prior) => {
            plan_references(planning, &prior).await?;
            plan_update(planning, &prior);
        }
        None => plan_creation(planning)?,
    }
    Ok(())
}

/// Plans references that are written differently and mean the same: they replace nothing.
async fn plan_references(
    planning: &mut Planning<'_, DeploymentRuntimeResource>,
    prior: &DeploymentRuntimeModel,
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
    let path = runtime_environment::path();
    let is_same = match &mut planning.planned.destination {
        Known(destination) => match &destination.environment {
            Known(written) => {
                let meant = runtime_environment::resolve(id.product, written)?;
                let kept =
                    runtime_environment::resolve(id.product, &prior.destination.environment)?;
                if meant == kept {
                    destination.environment = Known(prior.destination.environment.clone());
                }
                meant == kept
            }
            // It is expected to mean the same; otherwise the apply fails before it writes anything.
            Tf::Unknown | Tf::Null => true,
        },
        Tf::Unknown | Tf::Null => true,
    };
    if is_same {
        planning.allow_in_place_update(&path);
        planning.allow_in_place_update(&Path::to("destination"));
    }
    Ok(())
}

/// Plans what an update makes of the namespaces and the account.
fn plan_update(
    planning: &mut Planning<'_, DeploymentRuntimeResource>,
    prior: &DeploymentRuntimeModel,
) {
    if !planning.replacement_paths().is_empty() {
        return;
    }
    plan_account(planning);
    let planned = &mut planning.planned;
    let Known(destination) = &planned.destination else {
        planned.effective_namespaces = Tf::Unknown;
        return;
    };
    let is_wholly_known = destination.namespaces.to_value().is_wholly_known();
    planned.effective_namespaces = match &destination.namespaces {
        written @ Known(_) if is_wholly_known => written.clone(),
        // The default is resolved at creation and kept.
        Tf::Null if prior.written_namespaces().is_none() => prior
            .effective_namespaces
            .clone()
            .map(|kept| kept.into_iter().map(Known).collect()),
        _ => Tf::Unknown,
    };
}

/// Plans what a creation is known to give.
fn plan_creation(
    planning: &mut Planning<'_, DeploymentRuntimeResource>,
) -> Result<(), Diagnostics> {
    plan_account(planning);
    let client = planning.client;
    let planned = &mut planning.planned;
    planned.common.plan_namespace();
    let Known(name) = &planned.name else {
        return Ok(());
    };
    if let Ok(name) = EntityName::new(name) {
        let path = ManifestPath::deployment_runtime(&name);
        planned.common.manifest_path = Known(path.as_str().to_owned());
    }
    let reference = planned
        .common
        .product
        .known()
        .and_then(|text| text.parse().ok());
    if let Some(ProductReference::Id(product)) = reference {
        let application = match client {
            Some(client) if client.settings().nautes_reconciles() => name.clone(),
            _ => names::application(product, name),
        };
        planned.application = Known(application);
    }
    let Known(destination) = &planned.destination else {
        return Ok(());
    };
    match &destination.namespaces {
        written @ Known(_) if written.to_value().is_wholly_known() => {
            planned.effective_namespaces = written.clone();
        }
        Tf::Null => {
            // By its id, the product may have another name by the time of the apply.
            if let Some(ProductReference::Name(product)) = &reference {
                let last = product.rsplit('/').next().unwrap_or(product);
                check_default_namespace(last, name, "namespaces")?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn plan_account(planning: &mut Planning<'_, DeploymentRuntimeResource>) {
    let planned = &mut planning.planned;
    planned.effective_account = match &planned.account {
        Tf::Null => planned.name.clone(),
        account => account.clone(),
    };
}
