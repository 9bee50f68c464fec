//! Getting hold of the group of a product that is to be created: a new one, or one that may be taken over.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::config_repository;
use super::model::ProductModel;
use crate::backends::gitlab::{Error, Group, Kind, NewGroup};
use crate::diagnostics::{Attempted as _, of_gitlab};
use crate::provider::Client;
use crate::resources::gitlab_attribute::VisibilityBound;
use crate::resources::unfinished;

/// The group of a product.
pub(crate) struct Claim {
    pub(crate) group: Group,
    /// Whether there can be nothing in it yet.
    pub(crate) is_new: bool,
}

/// Creates the group of a product, or takes over one that an earlier attempt left or the user permits to take over.
pub(crate) async fn claim(client: &Client, planned: &ProductModel) -> Result<Claim, Diagnostics> {
    let parent = client.parent_group().await?;
    if let Some(parent) = parent {
        check_visibility(planned, parent)?;
    }
    let path = client.product_path(&planned.name);
    let new = NewGroup {
        name: planned.wanted_display_name().to_owned(),
        path: planned.name.clone(),
        parent_id: parent.map(|parent| parent.id),
        description: unfinished::marked(planned.wanted_description()),
        visibility: planned.wanted_visibility(),
    };
    let created = client.gitlab()?.create_group(&new).await;
    let claim = match created {
        Ok(group) => Claim {
            group,
            is_new: true,
        },
        Err(error) if *error.kind() == Kind::Taken || error.may_have_happened() => Claim {
            group: take_over(client, planned, &path, error).await?,
            is_new: false,
        },
        Err(error) => return Err(refused("create", &path, &error)),
    };
    if client.products().claim(claim.group.id) {
        Ok(claim)
    } else {
        let text = format!(
            "Another nautes_product of this configuration has made the GitLab group {path}. Two products cannot share a group; give one of them another name."
        );
        Err(Diagnostic::error("Two products have the same name", text)
            .at(&Path::to("name"))
            .into())
    }
}

async fn take_over(
    client: &Client,
    planned: &ProductModel,
    path: &str,
    error: Error,
) -> Result<Group, Diagnostics> {
    let group = match client.gitlab()?.group(path).await {
        Ok(group) => group,
        Err(not_found) if not_found.is_not_found() => {
            // The display name may be taken by a sibling, or the path by what the token cannot see.
            return Err(refused("create", path, &error));
        }
        Err(failed) => return Err(failed).attempted(format!("read the GitLab group {path}")),
    };
    if group.is_marked_for_deletion() {
        let text = format!(
            "The GitLab group {path} is marked for deletion and has kept its path, as groups with container images do. Restore it in GitLab, wait until it is removed, or choose another name."
        );
        let summary = format!(
            "Cannot create the product {}: its path is not free",
            planned.name
        );
        return Err(Diagnostic::error(summary, text)
            .at(&Path::to("name"))
            .into());
    }
    let is_marked = unfinished::is_marked(group.description.as_deref().unwrap_or_default());
    let may_adopt = planned.adopt_existing == Some(true);
    if is_marked || may_adopt || is_just_created(client, planned, &group).await? {
        return Ok(group);
    }
    let id = ProductId::new(group.id);
    let text = format!(
        "The GitLab group {path} was not made by this resource. To manage it here, import it (terraform import <address> {id}) or set adopt_existing = true. Otherwise choose another name."
    );
    let summary = format!(
        "Cannot create the product {}: the GitLab group exists",
        planned.name
    );
    Err(Diagnostic::error(summary, text)
        .at(&Path::to("name"))
        .into())
}

/// Tells whether a group is what the last step of a creation leaves: killed after it, before the state was stored.
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
    let Some(project) = config_repository::find(client, group).await? else {
        return Ok(false);
    };
    let repository = client
        .config_repositories()?
        .open(ProductId::new(group.id), project.id);
    let attempt = || format!("read {}", project.path_with_namespace);
    let snapshot = repository.fresh_snapshot().await.attempted(attempt())?;
    let branch = &client.settings().commit.branch;
    let commits = client
        .gitlab()?
        .commits(project.id, branch, 1)
        .await
        .attempted(attempt())?;
    // The README and the kustomization.
    Ok(snapshot.tree().entities().next().is_none() && commits.len() <= 2)
}

/// Checks that the parent group allows the visibility of a product.
pub(crate) fn check_visibility(planned: &ProductModel, parent: &Group) -> Result<(), Diagnostics> {
    let bound = VisibilityBound {
        group: format!("The parent group {}", parent.full_path),
        owner: "the parent group's",
        part: "group",
        most: parent.visibility,
    };
    bound.check(planned.wanted_visibility())
}

/// Returns the message of a refused creation or change of a group, on the attribute that GitLab complains about.
pub(crate) fn refused(verb: &str, path: &str, error: &Error) -> Diagnostics {
    let diagnostic = of_gitlab(format!("{verb} the GitLab group {path}"), error);
    let attribute =
        error
            .complaints()
            .iter()
            .find_map(|complaint| match complaint.field.as_deref()? {
                "path" => Some("name"),
                "name" => Some("display_name"),
                "description" => Some("description"),
                "visibility_level" | "visibility" => Some("visibility"),
                _ => None,
            });
    match attribute {
        Some(attribute) => diagnostic.at(&Path::to(attribute)).into(),
        None => diagnostic.into(),
    }
}
