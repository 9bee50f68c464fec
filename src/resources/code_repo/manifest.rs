//! The manifest of a code repository.

use std::collections::BTreeSet;

use nautes_model::entity::CodeRepo;
use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;

use super::model::CodeRepoModel;
use crate::client::Client;
use crate::resources::references::{name_in, resolve_name};

/// The entity that the attributes describe.
pub(super) fn entity(
    client: &Client,
    model: &CodeRepoModel,
    product: ProductId,
    id: RepositoryId,
) -> Result<CodeRepo, Diagnostics> {
    let project = model.owning_project();
    Ok(CodeRepo {
        product,
        id,
        repo_name: model.name.clone(),
        code_repo_provider: client.settings().code_repo_provider.clone(),
        project: project
            .map(|reference| resolve_name(product, "project", reference))
            .transpose()?,
        deployment_runtime: model.deployment_runtime,
        pipeline_runtime: model.pipeline_runtime,
        webhook_events: model.webhook_events.clone(),
        url: None,
    })
}

/// Takes over the fields of a manifest that have an attribute, in the form that the user wrote, and
/// describes what else differs from the manifest that would be written.
pub(super) fn update_from(
    client: &Client,
    model: &mut CodeRepoModel,
    product: ProductId,
    found: &CodeRepo,
) -> BTreeSet<String> {
    let named = model.owning_project().map(name_in);
    if named != found.project.as_deref() {
        model.project = found.project.as_ref().map(ToString::to_string);
    }
    let events = found.webhook_events.clone().unwrap_or_default();
    if model.webhook_events.clone().unwrap_or_default() != events {
        model.webhook_events = Some(events).filter(|events| !events.is_empty());
    }
    model.pipeline_runtime = found.pipeline_runtime;
    model.deployment_runtime = found.deployment_runtime;

    let provider = &client.settings().code_repo_provider;
    let mut differences = BTreeSet::new();
    let mut compare = |field: &str, is: &str, wanted: &str| {
        if is != wanted {
            differences.insert(format!("manifest: {field} is {is:?} and not {wanted:?}"));
        }
    };
    compare("repoName", &found.repo_name, &model.name);
    compare("codeRepoProvider", &found.code_repo_provider, provider);
    compare("url", found.url.as_deref().unwrap_or_default(), "");
    compare("product", &found.product.to_string(), &product.to_string());
    differences
}
