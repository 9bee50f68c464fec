//! The creation of a product's group: a new one, or one that may be taken over.
//!
//! It is marked as unfinished until the last step, so that a creation that was interrupted is
//! resumed by the next one.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::gitlab_group::{check_visibility, refused};
use super::model::ProductModel;
use crate::backends::gitlab::{Error, Group, Kind, NewGroup};
use crate::client::Client;
use crate::diagnostics::Context as _;
use crate::resources::unfinished;
use crate::wait_graph::{Awaited, Next, Request, Target};

/// Creates the group of a product, or takes over one that an earlier attempt left or the user
/// permits to adopt. Returns whether it is new.
pub(super) async fn create_group(
    client: &Client,
    request: &Request,
    planned: &ProductModel,
) -> Result<(Group, bool), Diagnostics> {
    let products = client.products()?;
    let parent = products.parent_group().await?;
    if let Some(parent) = parent {
        check_visibility(planned, parent)?;
    }
    let path = products.full_path(&planned.name);
    let new = NewGroup {
        name: planned.wanted_display_name().to_owned(),
        path: planned.name.clone(),
        parent_id: parent.map(|parent| parent.id),
        description: unfinished::mark(planned.wanted_description()),
        visibility: planned.wanted_visibility(),
    };
    let target = Target::ProductPath(planned.name.clone());
    let mut wait = request.wait_for([Awaited::Target(target.clone())]);
    let mut was_contended = false;
    let (group, is_new) = loop {
        match client.gitlab()?.create_group(&new).await {
            Ok(group) => break (group, true),
            Err(error) if *error.kind() == Kind::Taken || error.may_have_happened() => {
                match take_over(client, request, planned, &path, &mut was_contended, error).await {
                    Ok(group) => break (group, false),
                    Err(refusal) if wait.next().await != Next::Retry => return Err(refusal),
                    Err(_) => {}
                }
            }
            Err(error) => return Err(refused("create", &path, &error)),
        }
    };
    drop(wait);
    if !products.record_created(group.id) {
        let detail = format!(
            "Another nautes_product of this configuration has made the GitLab group {path}. Two products cannot share a group; give one of them another name."
        );
        let summary = "Two products have the same name";
        return Err(Diagnostic::error(summary, detail)
            .at(&Path::to("name"))
            .into());
    }
    Ok((group, is_new))
}

/// Takes over the group that has the path already, if that is permitted; `error` is GitLab's.
///
/// If another request of this run was about to rename or delete it (`was_contended`), it is the
/// group of that one's resource, even if that request has failed.
async fn take_over(
    client: &Client,
    request: &Request,
    planned: &ProductModel,
    path: &str,
    was_contended: &mut bool,
    error: Error,
) -> Result<Group, Diagnostics> {
    let group = match client.gitlab()?.group(path).await {
        Ok(group) => group,
        Err(not_found) if not_found.is_not_found() => {
            // A sibling may have the display name, or something that the token cannot see the path.
            return Err(refused("create", path, &error));
        }
        Err(failed) => return Err(failed).with_context(|| format!("read the GitLab group {path}")),
    };
    if group.is_marked_for_deletion() {
        let detail = format!(
            "The GitLab group {path} is marked for deletion and has kept its path, as groups with container images do. Restore it in GitLab, wait until it is removed, or choose another name."
        );
        return Err(exists(planned, "its path is not free", detail));
    }
    if client.products()?.is_created_here(group.id) {
        return Ok(group);
    }
    let target = Target::ProductPath(planned.name.clone());
    let refused = || refused("create", path, &error);
    *was_contended |= request.is_contended(&target);
    if *was_contended {
        return Err(refused());
    }
    let is_marked = unfinished::is_marked(group.description.as_deref().unwrap_or_default());
    let may_adopt = planned.adopt_existing == Some(true);
    if is_marked {
        return Ok(group);
    }
    if may_adopt || is_just_created(client, planned, &group).await? {
        *was_contended |= request.is_contended_soon(&target).await;
        return if *was_contended {
            Err(refused())
        } else {
            Ok(group)
        };
    }
    let id = ProductId::new(group.id);
    let detail = format!(
        "The GitLab group {path} was not made by this resource. To manage it here, import it (terraform import <address> {id}) or set adopt_existing = true. Otherwise choose another name."
    );
    Err(exists(planned, "the GitLab group exists", detail))
}

fn exists(planned: &ProductModel, reason: &str, detail: String) -> Diagnostics {
    let summary = format!("Cannot create the product {}: {reason}", planned.name);
    Diagnostic::error(summary, detail)
        .at(&Path::to("name"))
        .into()
}

/// Whether a group is what the last step of a creation leaves that was killed after it, before the
/// state was stored.
async fn is_just_created(
    client: &Client,
    planned: &ProductModel,
    group: &Group,
) -> Result<bool, Diagnostics> {
    let equals_plan = group.name == planned.wanted_display_name()
        && group.description.as_deref().unwrap_or_default() == planned.wanted_description()
        && group.visibility == planned.wanted_visibility();
    if !equals_plan {
        return Ok(false);
    }
    let product = ProductId::new(group.id);
    let Some(project) = client.products()?.find_config_repository(group).await? else {
        return Ok(false);
    };
    let attempt = format!("read {}", project.path_with_namespace);
    let repository = client.config_repositories()?.product(product, project.id);
    let snapshot = repository.fresh_snapshot().await.context(&attempt)?;
    let branch = &client.settings().commit.branch;
    let commits = client.gitlab()?.commits(project.id, branch, 1).await;
    // The README and the kustomization.
    Ok(snapshot.tree().entities().next().is_none() && commits.context(&attempt)?.len() <= 2)
}
