//! How the plan for a code repository goes beyond its schema.

use std::collections::BTreeSet;

use nautes_model::entity::webhook_event;
use nautes_model::name::NameRule;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{PlanKind, Planning};
use terraform_plugin::value::{Known, Path, Tf};

use super::model::{AccessTokenModel, CodeRepoModel};
use super::resource::CodeRepoResource;
use super::{contents, credentials, gitlab_project, inspect};
use crate::claim::check_replacement;
use crate::client::{Client, Reconciler};
use crate::resources::deletion_policy::{self, check_arguments};
use crate::resources::gitlab_attribute::{DisplayNameRule, Planned, check_new_names};
use crate::resources::references::resolve_name;

/// Checks a configuration beyond what the schema says.
pub(super) fn validate(config: &PlanOf<CodeRepoModel>) -> Diagnostics {
    let mut found = check_arguments(&config.deletion_policy, &config.permanently_remove);
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
            "Nothing happens when GitLab reports {}. Pipeline runtimes handle {}.",
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
    credentials::token_policy(&lifetime, &rotate_before).map(drop)
}

/// Adjusts what the schema plans.
pub(super) async fn modify(
    planning: &mut Planning<'_, CodeRepoResource>,
) -> Result<(), Diagnostics> {
    if let (Some(client), Some(prior)) = (planning.client, &planning.prior) {
        let object = gitlab_project::object_id(prior.repository_id()?);
        client.holders().record_kept(&object, &planning.private)?;
    }
    let adopts = planning.planned.adopt_existing.known().copied();
    if planning.kind == PlanKind::Create {
        check_replacement(planning.replaced.as_ref(), adopts)?;
    }
    if planning.prior.is_some() || adopts != Some(true) {
        check_names(planning)?;
    }
    keep_unchanged_reference(planning).await;
    refuse_another_products_project(planning)?;
    plan_access_token(planning);
    if planning.prior.as_ref().is_some_and(inspect::is_deleted) {
        planning.require_replacement(Path::to("drift"));
    }
    if let (PlanKind::Update, Some(prior)) = (planning.kind, planning.prior.clone()) {
        if !planning.replacement_paths().is_empty() {
            let policy = &planning.planned.deletion_policy;
            deletion_policy::check_replacement(prior.deletion_policy(), policy)?;
            return check_contents(planning, &prior).await;
        }
        plan_display_name(planning, &prior);
    }
    Ok(())
}

fn check_names(planning: &Planning<'_, CodeRepoResource>) -> Result<(), Diagnostics> {
    let (planned, prior) = (&planning.planned, planning.prior.as_ref());
    let name = Planned {
        planned: &planned.name,
        prior: prior.map(|prior| prior.name.as_str()),
    };
    let display_name = Planned {
        planned: &planned.display_name,
        prior: prior.and_then(|prior| prior.display_name.known().map(String::as_str)),
    };
    check_new_names(
        (NameRule::CodeRepo, name),
        (DisplayNameRule::Project, display_name),
    )
}

/// Plans no replacement for a reference that is written differently and means the same product.
async fn keep_unchanged_reference(planning: &mut Planning<'_, CodeRepoResource>) {
    let path = Path::to("product");
    let (Some(prior), Some(client)) = (&planning.prior, planning.client) else {
        return;
    };
    let (Known(reference), Ok(product)) = (&planning.planned.common.product, prior.product_id())
    else {
        return;
    };
    // Without an answer from GitLab it is a replacement.
    if planning.replacement_paths().contains(&path)
        && let Ok(products) = client.products()
        && products.resolve(reference).await == Ok(product)
    {
        planning.allow_in_place_update(&path);
    }
}

fn refuse_another_products_project(
    planning: &Planning<'_, CodeRepoResource>,
) -> Result<(), Diagnostics> {
    let Known(reference) = &planning.planned.project else {
        return Ok(());
    };
    let product = match &planning.planned.common.product {
        Known(product) => product.parse().ok(),
        Tf::Null | Tf::Unknown => None,
    };
    match product {
        Some(product) if !reference.is_empty() => {
            resolve_name(product, "project", reference).map(drop)
        }
        _ => Ok(()),
    }
}

async fn check_contents(
    planning: &mut Planning<'_, CodeRepoResource>,
    prior: &CodeRepoModel,
) -> Result<(), Diagnostics> {
    let Some(client) = planning.client else {
        return Ok(());
    };
    match gitlab_project::read(client, prior).await {
        Ok(Some(project)) => contents::check(client, prior, &project).await,
        Ok(None) => Ok(()),
        // Planning works without GitLab; the contents are checked again at apply.
        Err(_) => {
            let (summary, detail) = unchecked_contents(&prior.name);
            planning.warn(summary, detail);
            Ok(())
        }
    }
}

/// Returns the warning that the contents could not be checked.
pub(super) fn unchecked_contents(name: &str) -> (String, &'static str) {
    (
        format!("The contents of the code repository {name} could not be checked"),
        "GitLab did not answer. If the repository holds work, its deletion will fail at apply.",
    )
}

/// Lets the display name follow the name as long as both are the same.
fn plan_display_name(planning: &mut Planning<'_, CodeRepoResource>, prior: &CodeRepoModel) {
    let follows = planning.config.display_name.is_null()
        && prior.display_name.known() == Some(&prior.name)
        && planning.planned.name.known() != Some(&prior.name);
    if follows {
        planning.planned.display_name = planning.planned.name.clone();
    }
}

/// Whether a repository has an access token even if the user asks for none: Nautes's operators need it.
fn needs_token(client: &Client) -> bool {
    client.settings().reconciler == Reconciler::Nautes
}

/// Plans the removal of a token that is no longer wanted, and a new one where rotation is due.
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
