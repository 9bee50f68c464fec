//! The deletion of a product: first its group, which GitLab keeps for a while, and at last what was
//! made for it in Vault, which cannot be restored.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;

use super::contents::Contents;
use super::model::ProductModel;
use super::resource::locate;
use super::{credentials, deletion, gitlab_group, operators};
use crate::backends::gitlab::{AccessLevel, Group, Project};
use crate::claim::{Claim, Deletion};
use crate::client::Client;
use crate::diagnostics::Context as _;
use crate::lookup::config_repository::NAME;
use crate::resources::attribute::drift_attribute;
use crate::resources::deletion_policy::DeletionPolicy;
use crate::resources::replacement::{Replaced, check_deletion};
use crate::resources::same_object::was_restored;
use crate::wait_graph::Target;

/// How the drift begins of a product whose GitLab group was deleted by hand.
const DELETED: &str = "the GitLab group was deleted";

/// Deletes a product; what is gone already is deleted already.
pub(super) async fn delete(
    operation: &mut Operation<Client>,
    state: &ProductModel,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let products = client.products()?;
    let id = locate(products, state)?;
    let path = Target::ProductPath(state.name.clone());
    let request = client.wait_graph().begin([path.clone()]);
    // After the request has begun: a creation that comes later finds the path contended.
    let object = gitlab_group::object_id(id);
    let claim = Claim::load(&operation.private);
    let judged = client.holders().judge_deletion(&object, claim.as_ref())?;
    if judged == Deletion::OfAnother {
        return Ok(());
    }
    let replaced = Replaced::take(&mut operation.private);
    let group = match products.read_group(id).await? {
        Some(group) => Some(group),
        None => products.marked_group(id).await?,
    };
    let Some(group) = group else {
        client.holders().release(&object);
        return Ok(());
    };
    let config_project = products.find_config_repository(&group).await?;
    gitlab_group::check_same(state, &group, config_project.as_ref())?;
    gitlab_group::check_not_renamed(products, state, &group, config_project.as_ref()).await?;
    if is_deleted(state) && !group.is_marked_for_deletion() {
        return Err(was_restored(&format!(
            "The GitLab group {}",
            group.full_path
        )));
    }
    if operation.is_replacement() && !group.is_marked_for_deletion() {
        check_deletion(&state.name, state.deletion_policy(), replaced.as_ref())?;
    }
    match state.deletion_policy() {
        _ if group.is_marked_for_deletion() => {
            let contents = Contents::find(&client, id, config_project.as_ref()).await?;
            check_secrets(operation, state, config_project.as_ref(), &contents).await?;
            remove_secrets(operation, state, config_project.as_ref(), &contents).await?;
        }
        DeletionPolicy::Abandon => abandon(operation, state, config_project.as_ref()).await?,
        DeletionPolicy::Delete | DeletionPolicy::Archive => {
            delete_group(operation, state, &group, config_project.as_ref()).await?;
        }
    }
    client.holders().release(&object);
    request.wrote(&path);
    Ok(())
}

async fn delete_group(
    operation: &mut Operation<Client>,
    state: &ProductModel,
    group: &Group,
    config_project: Option<&Project>,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    if state.force_destroy != Some(true) && config_project.is_none() {
        return Err(unknown_contents(&state.name, group));
    }
    let mut contents = Contents::find(&client, ProductId::new(group.id), config_project).await?;
    if state.force_destroy != Some(true) {
        contents = contents
            .with_files_of_people(&client, config_project)
            .await?;
    }
    contents.check(&client, &state.name, state.force_destroy)?;
    check_role(operation, state, group).await?;
    check_secrets(operation, state, config_project, &contents).await?;
    let at_once = state.permanently_remove == Some(true);
    let pending = deletion::delete(&client, group, at_once).await?;
    if let Some(pending) = pending {
        let summary = format!("GitLab keeps the product {} for a while", state.name);
        operation.warn(summary, pending.detail(&group.full_path));
    }
    remove_secrets(operation, state, config_project, &contents).await
}

/// Returns the error of a product whose manifests cannot be read, so that nothing tells what it holds.
fn unknown_contents(name: &str, group: &Group) -> Diagnostics {
    let detail = format!(
        "GitLab does not show the project {}/{NAME} to the owner of the provider argument gitlab.token, so neither the manifests of the product nor whether GitLab shows all of its repositories is known. Nothing was changed. If that project was deleted, apply the nautes_product, which makes it again, and destroy the product then. To destroy the product with everything in it, set force_destroy = true and apply that before destroying.",
        group.full_path
    );
    let summary = format!("The contents of the product {name} are not known");
    Diagnostic::error(summary, detail).into()
}

/// Checks that the secrets and policies that go with a product are its own and can be removed, before
/// anything is.
async fn check_secrets(
    operation: &Operation<Client>,
    state: &ProductModel,
    config_project: Option<&Project>,
    contents: &Contents,
) -> Result<(), Diagnostics> {
    let client = operation.client();
    credentials::check_removable(client, contents).await?;
    let id = state.config_project_id();
    operators::check_removable(client, &operation.private, id, config_project).await
}

pub(super) async fn check_role(
    operation: &mut Operation<Client>,
    state: &ProductModel,
    group: &Group,
) -> Result<(), Diagnostics> {
    let attempt = format!("delete the product {}", state.name);
    let client = operation.client().clone();
    let unknown = client
        .products()?
        .require_group_role(group, AccessLevel::OWNER, &attempt);
    if let Some((summary, detail)) = unknown.await? {
        operation.warn(summary, detail);
    }
    Ok(())
}

/// Takes away what was made for a product and leaves its group, and its configuration repository as
/// long as that holds a manifest.
async fn abandon(
    operation: &mut Operation<Client>,
    state: &ProductModel,
    config_project: Option<&Project>,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let Some(project) = config_project else {
        return operators::remove(&client, &operation.private, config_project).await;
    };
    let id = ProductId::new(project.namespace.id);
    let path = &project.path_with_namespace;
    let contents = Contents::find(&client, id, Some(project)).await?;
    let contents = contents.with_files_of_people(&client, config_project);
    let is_in_use = contents.await?.is_in_use();
    if !is_in_use {
        let attempt = format!("delete the GitLab project {path}");
        let unknown =
            client
                .products()?
                .require_project_role(project, AccessLevel::OWNER, &attempt);
        if let Some((summary, detail)) = unknown.await? {
            operation.warn(summary, detail);
        }
    }
    operators::remove(&client, &operation.private, config_project).await?;
    if is_in_use {
        operation.warn(
            format!("The GitLab project {path} is kept"),
            format!("It still holds manifests, or files or branches of others, so it stays with the group of the product {}. Delete it by hand if nothing needs them.", state.name),
        );
        return Ok(());
    }
    let deleted = client.gitlab()?.delete_project(project.id).await;
    client.products()?.forget(id);
    deleted.with_context(|| format!("delete the GitLab project {path}"))
}

/// Removes the secrets and policies of repositories that go with the product, and of its operators.
async fn remove_secrets(
    operation: &mut Operation<Client>,
    state: &ProductModel,
    config_project: Option<&Project>,
    contents: &Contents,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let id = state.config_project_id();
    operators::remove_from_vault(&client, &operation.private, id, config_project).await?;
    credentials::remove(operation, &state.name, contents).await
}

/// Whether the last refresh found that the GitLab group was deleted.
pub(super) fn is_deleted(state: &ProductModel) -> bool {
    let mut drift = state.drift.known().into_iter().flatten();
    drift.any(|found| found.starts_with(DELETED))
}

/// Reads a product whose group is gone. It stays in the state as long as secrets of its repositories
/// are left and GitLab still tells which they are, so that a destroy or a replacement removes them.
pub(super) async fn read_deleted(
    client: &Client,
    mut state: ProductModel,
    id: ProductId,
) -> Result<Option<ProductModel>, Diagnostics> {
    if !client.settings().vault.is_configured() {
        return Ok(None);
    }
    let Some(group) = client.products()?.marked_group(id).await? else {
        return Ok(None);
    };
    gitlab_group::check_same(&state, &group, None)?;
    let left = credentials::left_by(client, id).await?;
    if left.is_empty() {
        return Ok(None);
    }
    let ids: Vec<String> = left.iter().map(ToString::to_string).collect();
    state.drift = drift_attribute([format!(
        "{DELETED}, and secrets in Vault are left of {}; where prevent_destroy forbids the replacement, use terraform state rm",
        ids.join(", ")
    )]);
    Ok(Some(state))
}
