//! The manifest of a deployment runtime.

use std::collections::BTreeSet;

use nautes_model::entity::{self, DeploymentDestination, ManifestSource};
use nautes_model::{EntityName, ProductId, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::value::{Known, Tf};

use super::model::{DeploymentRuntimeModel, DestinationModel, ManifestSourceModel};
use crate::resources::attribute::CommonAttributes;
use crate::resources::references::{entity_name, name_in, resolve_name};
use crate::resources::runtime_environment;

/// Returns the entity that the attributes describe. `namespaces` is empty where the manifest leaves them open.
pub(super) fn entity(
    model: &DeploymentRuntimeModel,
    product: ProductId,
    source: RepositoryId,
    namespaces: Vec<String>,
) -> Result<entity::DeploymentRuntime, Diagnostics> {
    let projects = model.projects.iter().flatten();
    let projects = projects.map(|reference| resolve_name(product, "projects", reference));
    Ok(entity::DeploymentRuntime {
        product,
        name: entity_name("name", &model.name)?,
        projects: projects.collect::<Result<_, _>>()?,
        manifest_source: ManifestSource {
            code_repo: source,
            target_revision: model.manifest_source.target_revision.clone(),
            path: model.manifest_source.path.clone(),
        },
        destination: DeploymentDestination {
            environment: runtime_environment::resolve(product, &model.destination.environment)?,
            namespaces,
        },
        account: model.account.clone(),
    })
}

/// Takes over the fields of a manifest, in the form that the user wrote where that means the same. `source` is the code
/// repository that the state means.
pub(super) fn update_from(
    model: &mut DeploymentRuntimeModel,
    found: &entity::DeploymentRuntime,
    source: Option<RepositoryId>,
) {
    let projects = model.projects.iter().flatten();
    let names: BTreeSet<&str> = projects.map(|reference| name_in(reference)).collect();
    if names != found.projects.iter().map(EntityName::as_str).collect() {
        model.projects = written(&found.projects);
    }
    let manifests = &found.manifest_source;
    if source != Some(manifests.code_repo) {
        model.manifest_source.code_repo = manifests.code_repo.to_string();
    }
    let written = &mut model.manifest_source;
    written
        .target_revision
        .clone_from(&manifests.target_revision);
    written.path.clone_from(&manifests.path);
    let destination = &found.destination;
    if name_in(&model.destination.environment) != destination.environment.as_str() {
        model.destination.environment = destination.environment.to_string();
    }
    let is_effective = model.effective_namespaces.known() == Some(&destination.namespaces);
    if !is_effective && !destination.namespaces.is_empty() {
        model.destination.namespaces = Some(destination.namespaces.clone());
    }
    let account = found
        .account
        .as_deref()
        .filter(|account| !account.is_empty());
    if model.account.as_deref() != account {
        model.account = account.map(str::to_owned);
        model.effective_account = Known(model.account().to_owned());
    }
}

/// Returns the attributes of a manifest, with the defaults of those that it does not have.
pub(super) fn from_entity(
    common: CommonAttributes,
    found: &entity::DeploymentRuntime,
) -> DeploymentRuntimeModel {
    let namespaces = found.effective_namespaces().into_iter().map(str::to_owned);
    DeploymentRuntimeModel {
        name: found.name.to_string(),
        projects: written(&found.projects),
        manifest_source: ManifestSourceModel {
            code_repo: found.manifest_source.code_repo.to_string(),
            target_revision: found.manifest_source.target_revision.clone(),
            path: found.manifest_source.path.clone(),
        },
        destination: DestinationModel {
            environment: found.destination.environment.to_string(),
            namespaces: Some(found.destination.namespaces.clone())
                .filter(|namespaces| !namespaces.is_empty()),
        },
        account: found.account.clone().filter(|account| !account.is_empty()),
        sync: None,
        push_hook: true,
        wait_for: "none".to_owned(),
        cascade: true,
        common,
        effective_namespaces: Known(namespaces.collect()),
        effective_account: Known(found.effective_account().to_owned()),
        cluster: Tf::Null,
        application: Tf::Null,
    }
}

fn written(projects: &BTreeSet<EntityName>) -> Option<BTreeSet<String>> {
    let names: BTreeSet<String> = projects.iter().map(ToString::to_string).collect();
    Some(names).filter(|names| !names.is_empty())
}
