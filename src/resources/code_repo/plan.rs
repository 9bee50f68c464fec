//! What a plan for a code repository says beyond its schema.

use std::collections::BTreeSet;

use nautes_model::entity::webhook_event;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{PlanKind, Planning};
use terraform_plugin::value::{Known, Path, Tf};

use super::model::{AccessTokenModel, CodeRepoModel};
use super::resource::CodeRepoResource;
use super::{credentials, project, work};
use crate::provider::{Client, Reconciler};
use crate::resources::manifest::Referring;

/// Checks a configuration beyond what the schema says.
pub(super) fn validate(config: &PlanOf<CodeRepoModel>) -> Diagnostics {
    let mut found = Diagnostics::default();
    if let Known(token) = &config.access_token {
        found.extend(lifetimes(token).err());
    }
    let Known(events) = &config.webhook_events else {
        return found;
    };
    let unhandled: BTreeSet<&str> = events
        .0
        .iter()
        .filter_map(|event| event.known().map(String::as_str))
        .filter(|event| webhook_event::is_known(event) && !webhook_event::is_handled(event))
        .collect();
    if !unhandled.is_empty() {
        let list: Vec<&str> = unhandled.into_iter().collect();
        let text = format!(
            "Nothing happens when GitLab tells of {}. Pipeline runtimes handle {}.",
            list.join(", "),
            webhook_event::HANDLED.join(", ")
        );
        let warning = Diagnostic::warning("Pipeline runtimes do not handle these events", text);
        found.push(warning.at(&Path::to("webhook_events")));
    }
    found
}

fn lifetimes(token: &PlanOf<AccessTokenModel>) -> Result<(), Diagnostic> {
    let text = |text: &Tf<String>, default: &str| match text {
        Tf::Unknown => None,
        Tf::Null => Some(default.to_owned()),
        Known(text) => Some(text.clone()),
    };
    let lifetime = text(&token.lifetime, AccessTokenModel::LIFETIME);
    let rotate_before = text(&token.rotate_before, AccessTokenModel::ROTATE_BEFORE);
    let (Some(lifetime), Some(rotate_before)) = (lifetime, rotate_before) else {
        return Ok(());
    };
    credentials::terms(&lifetime, &rotate_before).map(drop)
}

/// Adjusts what the schema plans.
pub(super) async fn modify(
    planning: &mut Planning<'_, CodeRepoResource>,
) -> Result<(), Diagnostics> {
    keep_despite_another_spelling(planning).await;
    refuse_another_products_project(planning)?;
    plan_access_token(planning);
    if let (PlanKind::Update, Some(prior)) = (planning.kind, planning.prior.clone()) {
        if !planning.replacing().is_empty() {
            return guard_work(planning, &prior).await;
        }
        plan_display_name(planning, &prior);
    }
    Ok(())
}

/// Takes back the replacement for a reference that is written differently and means the same product.
async fn keep_despite_another_spelling(planning: &mut Planning<'_, CodeRepoResource>) {
    let path = Path::to("product");
    let (Some(prior), Some(client)) = (&planning.prior, planning.client) else {
        return;
    };
    let (Known(reference), Ok(product)) = (&planning.planned.product, prior.product_id()) else {
        return;
    };
    // Whether the network answers or not, a plan is made; without an answer it replaces.
    if planning.replacing().contains(&path)
        && client
            .products()
            .id_of(client, reference)
            .await
            .is_ok_and(|meant| meant == product)
    {
        planning.keep_object_despite(&path);
    }
}

fn refuse_another_products_project(
    planning: &Planning<'_, CodeRepoResource>,
) -> Result<(), Diagnostics> {
    let (Known(reference), Some(client)) = (&planning.planned.project, planning.client) else {
        return Ok(());
    };
    let product = match &planning.planned.product {
        Known(product) => product.parse().ok(),
        Tf::Null | Tf::Unknown => None,
    };
    match product {
        Some(product) if !reference.is_empty() => {
            let referring = Referring { client, product };
            referring.named("project", reference).map(drop)
        }
        _ => Ok(()),
    }
}

async fn guard_work(
    planning: &mut Planning<'_, CodeRepoResource>,
    prior: &CodeRepoModel,
) -> Result<(), Diagnostics> {
    let Some(client) = planning.client else {
        return Ok(());
    };
    let (product, id) = (prior.product_id()?, prior.repository_id()?);
    match project::read(client, product, id).await {
        Ok(Some(project)) => work::check(client, prior, &project).await,
        Ok(None) => Ok(()),
        // Planning works without GitLab; what is in the repository is judged again at apply.
        Err(_) => {
            let (summary, text) = unseen(&prior.name);
            planning.warn(summary, text);
            Ok(())
        }
    }
}

/// The warning that a planned deletion could not be judged.
pub(super) fn unseen(name: &str) -> (String, &'static str) {
    (
        format!("What the code repository {name} holds could not be looked at"),
        "GitLab could not be asked. If the repository holds work, its deletion will fail at apply.",
    )
}

/// Lets the name for people follow the name, as long as nobody made them differ.
fn plan_display_name(planning: &mut Planning<'_, CodeRepoResource>, prior: &CodeRepoModel) {
    let follows = planning.config.display_name.is_null()
        && prior.display_name.known() == Some(&prior.name)
        && planning.planned.name.known() != Some(&prior.name);
    if follows {
        planning.planned.display_name = planning.planned.name.clone();
    }
}

/// Whether a repository has an access token although the user asks for none: the operators of Nautes need it.
fn needs_token(client: &Client) -> bool {
    client.settings().reconciler == Reconciler::Nautes
}

/// Plans the token away that is not wanted any more, and another one for one that has to be replaced.
fn plan_access_token(planning: &mut Planning<'_, CodeRepoResource>) {
    let prior = planning.prior.as_ref().map(|prior| &prior.access_token);
    if planning.config.access_token.is_null() {
        let Some(client) = planning.client else {
            return;
        };
        let is_there = prior.is_some_and(|prior| !prior.is_null());
        let is_needed = needs_token(client);
        if !is_needed {
            planning.planned.access_token = Tf::Null;
        } else if !is_there {
            planning.planned.access_token = Tf::Unknown;
        }
        if is_needed != is_there {
            planning.planned.deploy_keys = Tf::Unknown;
        }
    }
    let is_due = prior
        .and_then(Tf::known)
        .is_some_and(|token| token.rotation_due == Known(true));
    if let (Known(token), true) = (&mut planning.planned.access_token, is_due) {
        token.id = Tf::Unknown;
        token.expires_at = Tf::Unknown;
        token.rotation_due = Known(false);
        planning.planned.deploy_keys = Tf::Unknown;
    }
}
