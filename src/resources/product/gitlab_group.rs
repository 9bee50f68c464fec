//! The GitLab group of a product.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::{Known, Path, Tf};

use super::model::ProductModel;
use crate::backends::gitlab::{Error, Group, GroupChange, Kind, Project};
use crate::claim::{Claim, ObjectId};
use crate::client::Client;
use crate::diagnostics::{Context as _, gitlab_error};
use crate::resources::gitlab_attribute::{VisibilityLimit, parse_visibility, planned_value};
use crate::resources::same_object::Sameness;
use crate::resources::unfinished;
use crate::wait_graph::{Next, Request, Target};

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

/// Puts the claim of a creation into the mark that another one has left on a group, if there is one.
pub(super) async fn take_over(
    client: &Client,
    group: Group,
    claim: &Claim,
) -> Result<Group, Diagnostics> {
    let description = group.description.as_deref().unwrap_or_default();
    let Some(description) = unfinished::take_over(description, claim) else {
        return Ok(group);
    };
    let change = GroupChange {
        description: Some(description),
        ..GroupChange::default()
    };
    let edited = client.gitlab()?.edit_group(group.id, &change).await;
    edited.map_err(|error| refused("update", &group.full_path, &error))
}

/// Refuses to finish a creation that another run has taken over. An adopted group has no mark.
pub(super) async fn check_still_ours(
    client: &Client,
    group: &Group,
    claim: &Claim,
) -> Result<(), Diagnostics> {
    let path = &group.full_path;
    if !unfinished::is_marked(group.description.as_deref().unwrap_or_default()) {
        return Ok(());
    }
    let found = client.gitlab()?.group(group.id).await;
    let found = found.with_context(|| format!("read the GitLab group {path}"))?;
    let description = found.description.as_deref().unwrap_or_default();
    unfinished::check_still_ours(description, claim, &format!("the GitLab group {path}"))
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

/// Changes a group. A path that another product is about to give up is waited for; if the change
/// fails after the group was moved aside for that, the group is moved back.
async fn write(
    client: &Client,
    request: &Request,
    group: &Group,
    planned: &ProductModel,
    change: GroupChange,
) -> Result<Group, Diagnostics> {
    let mut is_aside = false;
    let written = try_write(client, request, group, planned, change, &mut is_aside).await;
    if written.is_err() && is_aside {
        move_back(client, group).await;
    }
    written
}

async fn try_write(
    client: &Client,
    request: &Request,
    group: &Group,
    planned: &ProductModel,
    mut change: GroupChange,
    is_aside: &mut bool,
) -> Result<Group, Diagnostics> {
    let gitlab = client.gitlab()?;
    if change.is_empty() {
        return Ok(group.clone());
    }
    let path = client.products()?.full_path(&planned.name);
    let from = Target::ProductPath(group.path.clone());
    let to = Target::ProductPath(planned.name.clone());
    let mut wait = request.wait_to_move(from.clone(), to.clone());
    let mut is_last_attempt = false;
    loop {
        let error = match gitlab.edit_group(group.id, &change).await {
            Ok(edited) => {
                request.wrote(&from);
                request.wrote(&to);
                return Ok(edited);
            }
            Err(error) if *error.kind() == Kind::Taken && change.path.is_some() => error,
            Err(error) => return Err(refused("update", &path, &error)),
        };
        if is_last_attempt {
            return Err(taken(client, group, planned, &error).await);
        }
        tracing::info!(%error, "the path {path} is taken; waiting for it");
        match wait.next().await {
            Next::Retry => {}
            Next::GiveUp => is_last_attempt = true,
            Next::BreakCycle => {
                move_aside(client, group).await?;
                *is_aside = true;
                wait.moved_aside();
                change.name.get_or_insert_with(|| group.name.clone());
            }
        }
    }
}

/// Gives a group that was moved aside its path and name again.
async fn move_back(client: &Client, group: &Group) {
    let change = GroupChange {
        name: Some(group.name.clone()),
        path: Some(group.path.clone()),
        ..GroupChange::default()
    };
    let moved = match client.gitlab() {
        Ok(gitlab) => gitlab.edit_group(group.id, &change).await,
        Err(_) => return,
    };
    if let Err(error) = moved {
        let path = &group.full_path;
        tracing::warn!(%error, "could not give the GitLab group {path} its path again");
    }
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

/// Returns the error of a path that another group keeps.
async fn taken(
    client: &Client,
    group: &Group,
    planned: &ProductModel,
    error: &Error,
) -> Diagnostics {
    let (products, gitlab) = match (client.products(), client.gitlab()) {
        (Ok(products), Ok(gitlab)) => (products, gitlab),
        (Err(found), _) | (_, Err(found)) => return found,
    };
    let path = products.full_path(&planned.name);
    let holder = match gitlab.group(path.as_str()).await {
        Ok(holder) if holder.full_path == path => ProductId::new(holder.id),
        _ => return refused("update", &path, error),
    };
    let detail = format!(
        "The GitLab group {path} is {holder}. If the same plan gives {holder} another name, apply it with -parallelism=2 or more, since Terraform sent only one request at a time; or rename one of the two to a third name first. Nothing was renamed."
    );
    let summary = format!(
        "Cannot rename the product {} to {}",
        group.path, planned.name
    );
    Diagnostic::error(summary, detail)
        .at(&Path::to("name"))
        .into()
}

/// Gives a group a path and a name that no other has, so that others can take its own.
async fn move_aside(client: &Client, group: &Group) -> Result<(), Diagnostics> {
    let aside = format!("{}-is-renamed", ProductId::new(group.id));
    let change = GroupChange {
        name: Some(aside.clone()),
        path: Some(aside),
        ..GroupChange::default()
    };
    let moved = client.gitlab()?.edit_group(group.id, &change).await;
    moved
        .map(drop)
        .map_err(|error| refused("rename", &group.full_path, &error))
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

/// Returns the message of a refused creation or change of a group, on the attribute that GitLab complains about.
pub(super) fn refused(verb: &str, path: &str, error: &Error) -> Diagnostics {
    let diagnostic = gitlab_error(format!("{verb} the GitLab group {path}"), error);
    let attribute =
        error
            .field_errors()
            .iter()
            .find_map(|field_error| match field_error.field.as_deref()? {
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
