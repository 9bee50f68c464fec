//! The GitLab group of a product.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::value::{Known, Tf};

use super::model::ProductModel;
use crate::backends::gitlab::{Group, GroupChange, Project};
use crate::claim::ObjectId;
use crate::client::Client;
use crate::lookup::Products;
use crate::resources::gitlab_attribute::{VisibilityLimit, parse_visibility, planned_value};
use crate::resources::gitlab_object::{NewPath, refused, rename};
use crate::resources::same_object::Sameness;
use crate::resources::unfinished;
use crate::wait_graph::{Request, Target};

/// The type of products.
pub(super) const TYPE_NAME: &str = "nautes_product";

/// Returns the product as an object that an instance in the state holds.
pub(super) fn object_id(product: ProductId) -> ObjectId {
    ObjectId {
        type_name: TYPE_NAME,
        id: product.to_string(),
    }
}

/// Refuses a group that has the number of the product in the state and is another one.
///
/// A state of an older version does not say when the group was created; then the configuration
/// repository decides, or the path if there is none.
pub(super) fn check_same(
    state: &ProductModel,
    group: &Group,
    config_project: Option<&Project>,
) -> Result<(), Diagnostics> {
    let id = ProductId::new(group.id);
    let sameness = Sameness {
        expected: format!("the product {} ({id})", state.name),
        found: format!("the group {}", group.full_path),
        created_at: &state.created_at,
        found_created_at: &group.created_at,
    };
    sameness.check()?;
    let projects = (state.config_project_id(), config_project);
    match (state.created_at.known(), projects) {
        (None, (Some(expected), Some(found))) if expected != found.id => Err(sameness.refusal(
            &format!("with the configuration repository {expected}"),
            &format!("with the configuration repository {}", found.id),
        )),
        (None, (Some(_), None)) => match state.full_path.known() {
            Some(path) if *path != group.full_path => Err(sameness.refusal(
                &format!("with the path {path}"),
                "with another path and no configuration repository",
            )),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Checks that the configuration repository in the state was not renamed, if none is at its path.
pub(super) async fn check_not_renamed(
    products: &Products,
    state: &ProductModel,
    group: &Group,
    config_project: Option<&Project>,
) -> Result<(), Diagnostics> {
    match (config_project, state.config_project_id()) {
        (None, Some(project)) => {
            let product = ProductId::new(group.id);
            products.check_not_renamed(product, project).await
        }
        _ => Ok(()),
    }
}

/// Writes what a creation plans to its group. Makes no call if it is so already.
pub(super) async fn complete(
    client: &Client,
    request: &Request,
    group: &Group,
    planned: &ProductModel,
) -> Result<Group, Diagnostics> {
    let change = change_at_creation(group, planned);
    write(client, request, group, planned, change).await
}

/// Makes the planned changes of a group, and no others.
pub(super) async fn update(
    client: &Client,
    request: &Request,
    group: &Group,
    prior: &ProductModel,
    planned: &ProductModel,
) -> Result<Group, Diagnostics> {
    let change = planned_change(group, prior, planned);
    write(client, request, group, planned, change).await
}

/// Changes a group. A path that another product is about to give up is waited for.
async fn write(
    client: &Client,
    request: &Request,
    group: &Group,
    planned: &ProductModel,
    change: GroupChange,
) -> Result<Group, Diagnostics> {
    if change.is_empty() {
        return Ok(group.clone());
    }
    let from = Target::ProductPath(group.path.clone());
    if change.path.is_some() {
        let new = NewPath {
            name: planned.name.clone(),
            full_path: client.products()?.full_path(&planned.name),
            from,
            to: Target::ProductPath(planned.name.clone()),
        };
        return rename(client, request, group, &new, change).await;
    }
    let edited = client.gitlab()?.edit_group(group.id, &change).await;
    let edited = edited.map_err(|error| {
        refused(
            format!("update the GitLab group {}", group.full_path),
            &error,
        )
    })?;
    request.wrote(&from);
    Ok(edited)
}

/// Returns what differs between the state and what is planned; what was changed by hand meanwhile
/// stays. A mark that was found is taken off.
fn planned_change(group: &Group, prior: &ProductModel, planned: &ProductModel) -> GroupChange {
    let description = group.description.as_deref().unwrap_or_default();
    let unmarked = unfinished::without_mark(description);
    let is_marked = unmarked != description && !prior.drift.is_null();
    let visibility = planned_value(&planned.visibility, &prior.visibility);
    GroupChange {
        name: planned_value(&planned.display_name, &prior.display_name),
        path: (planned.name != prior.name).then(|| planned.name.clone()),
        description: planned_value(&planned.description, &prior.description)
            .or_else(|| is_marked.then(|| unmarked.to_owned())),
        visibility: visibility.map(|name| parse_visibility(&name)),
    }
}

/// Returns what differs between a group and what is planned for it.
fn change_at_creation(group: &Group, planned: &ProductModel) -> GroupChange {
    let changed = |wanted: &str, is: &str| (wanted != is).then(|| wanted.to_owned());
    let display_name = planned.display_name.known().unwrap_or(&group.name);
    let description = group.description.as_deref().unwrap_or_default();
    let wanted_description = match &planned.description {
        Known(wanted) => wanted.as_str(),
        Tf::Null | Tf::Unknown => unfinished::without_mark(description),
    };
    let visibility = planned.visibility.known();
    let visibility = visibility.map(|name| parse_visibility(name));
    GroupChange {
        name: changed(display_name, &group.name),
        path: changed(&planned.name, &group.path),
        description: changed(wanted_description, description),
        visibility: visibility.filter(|wanted| *wanted != group.visibility),
    }
}

/// Checks that the parent group allows the visibility of a product.
pub(super) fn check_visibility(planned: &ProductModel, parent: &Group) -> Result<(), Diagnostics> {
    let limit = VisibilityLimit {
        group: format!("The parent group {}", parent.full_path),
        owner: "the parent group's",
        part: "group",
        widest: parent.visibility,
    };
    limit.check(planned.wanted_visibility())
}
