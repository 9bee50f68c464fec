//! What the plan of a code repository's creation says about what GitLab has already.

use nautes_model::entity::Entity;
use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::Planning;
use terraform_plugin::value::{Known, Path, Tf};

use super::gitlab_project::{object_id, visibility_limit};
use super::manifest;
use super::model::CodeRepoModel;
use super::resource::CodeRepoResource;
use crate::client::Client;
use crate::planned::Object;
use crate::resources::existing::{Existing, held};
use crate::resources::gitlab_attribute::{parse_visibility, visibility_name};
use crate::resources::home::Home;
use crate::resources::unfinished;

/// Warns of an existing project and of a visibility above that of the product, as far as GitLab
/// answers: one listing for each product. Refuses to adopt what another resource of the state holds.
pub(super) async fn warn(planning: &mut Planning<'_, CodeRepoResource>) -> Result<(), Diagnostics> {
    let (Some(client), Known(reference), Known(name)) = (
        planning.client,
        &planning.planned.common.product,
        &planning.planned.name,
    ) else {
        return Ok(());
    };
    let (Ok(products), Ok(code_repos)) = (client.products(), client.code_repos()) else {
        return Ok(());
    };
    // Once changes are being applied, the creation itself finds out.
    let Some(id) = products
        .known_id(reference)
        .filter(|_| !client.wait_graph().has_begun())
    else {
        return Ok(());
    };
    let Some(Ok(Some(product))) = client.ask(products.get(id)).await else {
        return Ok(());
    };
    let planned = &planning.planned;
    let visibility = planned
        .visibility
        .known()
        .map(|name| parse_visibility(name));
    let limit = visibility_limit(&product.group);
    let above = visibility.and_then(|wanted| limit.check(wanted).err());
    let found = client.ask(code_repos.find_named(id, name)).await;
    let found = found.and_then(Result::ok).flatten();
    let holder = found.as_ref().map(|project| RepositoryId::new(project.id));
    let holder = holder.filter(|id| client.holders().is_held_by_another(&object_id(*id), None));
    if let (Some(id), Known(true), Some(project)) = (holder, &planned.adopt_existing, &found)
        && !client.planned().gives_up_its_name(Object::CodeRepo(id))
    {
        let object = format!("GitLab project {}", project.path_with_namespace);
        return Err(held(&object, &id.to_string()));
    }
    if let (Known(true), Some(project)) = (&planned.adopt_existing, &found)
        && let Some(entity) = planned_entity(client, planned, id, RepositoryId::new(project.id))
    {
        let attempt = format!("create the code repository {name}");
        let home = Home::product(client, id);
        home.check_planned_adoption(&entity, &attempt).await?;
    }
    let existing = found.and_then(|project| {
        let description = project.description.as_deref().unwrap_or_default();
        let id = RepositoryId::new(project.id);
        if holder.is_some() || unfinished::is_marked(description) {
            return None;
        }
        let object = format!("GitLab project {}", project.path_with_namespace);
        let mut existing = Existing {
            object: &object,
            id: id.to_string(),
            is_adopted: match planned.adopt_existing {
                Known(adopts) => adopts,
                Tf::Null => false,
                Tf::Unknown => return None,
            },
            changes: Vec::new(),
        };
        existing.compare("display_name", &project.name, planned.display_name.known());
        existing.compare("description", description, planned.description.known());
        let visibility = visibility_name(project.visibility);
        existing.compare("visibility", visibility, planned.visibility.known());
        let branch = project.default_branch.as_deref().unwrap_or_default();
        existing.compare("default_branch", branch, planned.default_branch.known());
        if project.archived {
            let (archived, active) = ("archived".to_owned(), "active".to_owned());
            existing.changes.push(("the project", archived, active));
        }
        Some(existing.warning())
    });
    for above in above.into_iter().flatten() {
        planning.warn_at(&Path::to("visibility"), above.summary, above.detail);
    }
    if let Some((summary, detail)) = existing {
        planning.warn_at(&Path::to("name"), summary, detail);
    }
    Ok(())
}

/// Returns the entity of the manifest that an adoption will write, if the plan knows all of it.
fn planned_entity(
    client: &Client,
    planned: &PlanOf<CodeRepoModel>,
    product: ProductId,
    id: RepositoryId,
) -> Option<Entity> {
    let mut model = CodeRepoModel::new(product.to_string());
    model.name.clone_from(planned.name.known()?);
    model.project = match &planned.project {
        Known(project) => Some(project.clone()),
        Tf::Null => None,
        Tf::Unknown => return None,
    };
    model.webhook_events = match &planned.webhook_events {
        Known(events) => {
            let events = events.0.iter().map(|event| event.known().cloned());
            Some(events.collect::<Option<_>>()?)
        }
        Tf::Null => None,
        Tf::Unknown => return None,
    };
    model.pipeline_runtime = *planned.pipeline_runtime.known()?;
    model.deployment_runtime = *planned.deployment_runtime.known()?;
    let entity = manifest::entity(client, &model, product, id).ok()?;
    Some(entity.into())
}
