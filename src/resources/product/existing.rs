//! What the plan of a product's creation says about a group that exists already.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::{PlanKind, Planning};
use terraform_plugin::value::{Known, Path, Tf};

use super::gitlab_group::object_id;
use super::resource::ProductResource;
use crate::backends::gitlab::Kind;
use crate::diagnostics::gitlab_error;
use crate::planned::Object;
use crate::resources::existing::{Existing, held};
use crate::resources::gitlab_attribute::visibility_name;
use crate::resources::unfinished;

/// Warns of an existing group, as far as GitLab answers. A token that GitLab does not accept is an
/// error, and so is the adoption of what another resource of the state holds.
pub(super) async fn warn(planning: &mut Planning<'_, ProductResource>) -> Result<(), Diagnostics> {
    let (PlanKind::Create, Some(client), Known(name)) =
        (planning.kind, planning.client, &planning.planned.name)
    else {
        return Ok(());
    };
    // Once changes are being applied, the creation itself finds out.
    if client.wait_graph().has_begun() {
        return Ok(());
    }
    let path = client.products()?.full_path(name);
    let found = client.ask(client.gitlab()?.group(path.as_str())).await;
    let group = match found {
        Some(Ok(group)) if !group.is_marked_for_deletion() => group,
        Some(Err(error)) if *error.kind() == Kind::Unauthorized => {
            return Err(gitlab_error(format!("look for the GitLab group {path}"), &error).into());
        }
        _ => return Ok(()),
    };
    let id = ProductId::new(group.id);
    let is_held = client.holders().is_held_by_another(&object_id(id), None);
    let is_kept = !client.planned().gives_up_its_name(Object::Product(id));
    if is_held && is_kept && planning.planned.adopt_existing == Known(true) {
        return Err(held(&format!("GitLab group {path}"), &id.to_string()));
    }
    let description = group.description.as_deref().unwrap_or_default();
    if is_held || unfinished::is_marked(description) {
        return Ok(());
    }
    let planned = &planning.planned;
    let mut existing = Existing {
        object: &format!("GitLab group {path}"),
        id: id.to_string(),
        is_adopted: match planned.adopt_existing {
            Known(adopts) => adopts,
            Tf::Null => false,
            Tf::Unknown => return Ok(()),
        },
        changes: Vec::new(),
    };
    existing.compare("display_name", &group.name, planned.display_name.known());
    existing.compare("description", description, planned.description.known());
    let visibility = visibility_name(group.visibility);
    existing.compare("visibility", visibility, planned.visibility.known());
    let (summary, detail) = existing.warning();
    planning.warn_at(&Path::to("name"), summary, detail);
    Ok(())
}
