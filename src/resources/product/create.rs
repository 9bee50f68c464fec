//! The creation of a product's group: a new one, or one that may be taken over.
//!
//! It is marked as unfinished until the last step, so that a creation that was interrupted is
//! resumed by the next one.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::gitlab_group::{check_visibility, object_id};
use super::model::ProductModel;
use crate::backends::gitlab::{Error, Group, Kind, NewGroup};
use crate::claim::Claim;
use crate::client::Client;
use crate::diagnostics::Context as _;
use crate::resources::gitlab_object::{self, refused};
use crate::resources::unfinished;
use crate::wait_graph::{Awaited, Next, Request, Target};

/// Creates the group of a product, or takes over one that an earlier attempt left or the user
/// permits to adopt. Returns whether it is new.
pub(super) async fn create_group(
    client: &Client,
    request: &Request,
    claim: &Claim,
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
        description: unfinished::mark(planned.wanted_description(), claim),
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
            Err(error) => return Err(refused(format!("create the GitLab group {path}"), &error)),
        }
    };
    drop(wait);
    let object = object_id(ProductId::new(group.id));
    let recorded = client.holders().record_created(&object, claim);
    recorded.map_err(|found| found.at(&Path::to("name")))?;
    let group = gitlab_object::take_over(client, group, claim).await?;
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
            return Err(refused(format!("create the GitLab group {path}"), &error));
        }
        Err(failed) => return Err(failed).with_context(|| format!("read the GitLab group {path}")),
    };
    if group.is_marked_for_deletion() {
        let detail = format!(
            "The GitLab group {path} is marked for deletion and has kept its path, as groups with container images do. Restore it in GitLab, wait until it is removed, or choose another name."
        );
        return Err(exists(planned, "its path is not free", detail));
    }
    if client
        .holders()
        .is_created_here(&object_id(ProductId::new(group.id)))
    {
        return Ok(group);
    }
    let target = Target::ProductPath(planned.name.clone());
    let refused = || refused(format!("create the GitLab group {path}"), &error);
    if group.path != planned.name {
        // GitLab takes no notice of case in a path; the group of this name is another one.
        return Err(refused());
    }
    *was_contended |= request.is_contended(&target);
    if *was_contended {
        return Err(refused());
    }
    let is_marked = unfinished::is_marked(group.description.as_deref().unwrap_or_default());
    let may_adopt = planned.adopt_existing == Some(true);
    if is_marked {
        return Ok(group);
    }
    if may_adopt {
        *was_contended |= request.is_contended_soon(&target).await;
        if *was_contended {
            return Err(refused());
        }
        tracing::info!(group = %path, id = group.id, "adopted an existing GitLab group");
        return Ok(group);
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
