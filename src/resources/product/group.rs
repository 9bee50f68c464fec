//! The GitLab group of a product.

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::value::{Known, Tf};

use super::claim::refused;
use super::model::ProductModel;
use crate::backends::gitlab::{Group, GroupChange, NameOrId};
use crate::diagnostics::Attempted as _;
use crate::provider::Client;
use crate::resources::unfinished;

/// Reads a group; `None` if it is gone, which a 404 alone does not prove.
pub(crate) async fn read_group(
    client: &Client,
    group: impl Into<NameOrId<'_>>,
) -> Result<Option<Group>, Diagnostics> {
    let group = group.into();
    let attempt = format!("read the GitLab group {group}");
    let gitlab = client.gitlab()?;
    match gitlab.group(group).await {
        Ok(group) if group.is_marked_for_deletion() => Ok(None),
        Ok(group) => Ok(Some(group)),
        Err(error) if error.is_not_found() => {
            let parent = client.parent_group().await?.map(|parent| parent.id);
            gitlab.confirm_gone(parent).await.attempted(attempt)?;
            Ok(None)
        }
        Err(error) => Err(error).attempted(attempt),
    }
}

/// Brings a group to what is planned, without a call if it is so already.
pub(crate) async fn write_group(
    client: &Client,
    group: &Group,
    planned: &ProductModel,
) -> Result<Group, Diagnostics> {
    let changed = |wanted: &str, is: &str| (wanted != is).then(|| wanted.to_owned());
    let display_name = planned.display_name.known().unwrap_or(&group.name);
    let description = group.description.as_deref().unwrap_or_default();
    let wanted_description = match &planned.description {
        Known(wanted) => wanted.as_str(),
        Tf::Null | Tf::Unknown => unfinished::without_mark(description),
    };
    let change = GroupChange {
        name: changed(display_name, &group.name),
        path: changed(&planned.name, &group.path),
        description: changed(wanted_description, description),
        visibility: (planned.wanted_visibility() != group.visibility)
            .then(|| planned.wanted_visibility()),
    };
    if change.is_empty() {
        return Ok(group.clone());
    }
    let path = client.product_path(&planned.name);
    client
        .gitlab()?
        .edit_group(group.id, &change)
        .await
        .map_err(|error| refused("update", &path, &error))
}
