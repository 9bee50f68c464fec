//! How the plan for a code repository goes beyond its schema.

use std::collections::BTreeSet;

use nautes_model::entity::webhook_event;
use nautes_model::name::NameRule;
use nautes_model::{EntityKey, Kind, ProductId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{PlanKind, Planning};
use terraform_plugin::value::{Known, Path, Tf};

use super::model::{AccessTokenModel, CodeRepoModel};
use super::resource::CodeRepoResource;
use super::{contents, credentials, existing, gitlab_project, inspect};
use crate::backends::gitlab::Visibility;
use crate::claim::check_replacement;
use crate::client::{Client, Reconciler};
use crate::planned::{Name, Object};
use crate::resources::deletion_policy::check_arguments;
use crate::resources::gitlab_attribute::{
    DisplayNameRule, check_new_names, may_adopt, visibility_name,
};
use crate::resources::home::Home;
use crate::resources::planned_reference::{self, Meaning, record_replaced};
use crate::resources::references::resolve_name;
use crate::resources::replacement::Replaced;

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
        Box::pin(check_replaced(planning)).await?;
    }
    if planning.prior.is_some() || adopts != Some(true) {
        check_names(planning)?;
    }
    plan_references(planning).await?;
    refuse_another_products_project(planning)?;
    plan_credentials(planning);
    if planning.prior.as_ref().is_some_and(inspect::is_deleted) {
        planning.require_replacement(Path::to("drift"));
    }
    record(planning)?;
    plan_urls(planning)?;
    if let (PlanKind::Update, Some(prior)) = (planning.kind, planning.prior.clone()) {
        let is_replaced = !planning.replacement_paths().is_empty();
        replaced(&prior, is_replaced)?.store(&mut planning.private)?;
        if is_replaced {
            let policy = &planning.planned.deletion_policy;
            prior.deletion_policy().check_replacement(policy)?;
            warn_of_replacement(planning, &prior).await?;
            return Box::pin(check_contents(planning, &prior)).await;
        }
        plan_display_name(planning, &prior);
    }
    if planning.kind == PlanKind::Create {
        plan_creation(planning);
        Box::pin(existing::warn(planning)).await?;
    }
    Ok(())
}

/// Returns what a replacement of a repository is judged by.
fn replaced(prior: &CodeRepoModel, is_checked: bool) -> Result<Replaced, Diagnostics> {
    let product = prior.product_id()?.to_string();
    Ok(Replaced {
        id: prior.repository_id()?.to_string(),
        name: prior.name.clone(),
        product: Some((prior.common.product.clone(), product)),
        policy: prior.deletion_policy(),
        force_destroy: prior.force_destroy,
        created_at: prior.created_at.known().cloned(),
        web_url: prior.web_url.known().cloned(),
        is_gone: inspect::is_deleted(prior),
        is_checked,
    })
}

/// Refuses the creation half of a replacement that would keep the path of what it replaces, or whose
/// deletion half would delete what is to be kept, or work.
async fn check_replaced(planning: &mut Planning<'_, CodeRepoResource>) -> Result<(), Diagnostics> {
    let Some(replaced) = planning.replaced.as_ref().and_then(Replaced::load) else {
        return Ok(());
    };
    let planned = &planning.planned;
    let has_same_path =
        planned.name.known() == Some(&replaced.name) && has_same_product(planning, &replaced);
    replaced.check_policy(&planned.deletion_policy, has_same_path)?;
    if replaced.is_checked || replaced.policy.keeps() {
        return Ok(());
    }
    let Some((reference, product)) = replaced.product else {
        return Ok(());
    };
    let mut prior = CodeRepoModel::new(reference);
    prior.name = replaced.name;
    prior.common.id = Known(replaced.id);
    prior.common.namespace = Known(product);
    prior.force_destroy = replaced.force_destroy;
    prior.created_at = replaced.created_at.into();
    prior.web_url = replaced.web_url.into();
    check_contents(planning, &prior).await
}

/// Whether the planned repository is in the product of the one that it replaces, as far as that is
/// known.
fn has_same_product(planning: &Planning<'_, CodeRepoResource>, replaced: &Replaced) -> bool {
    let Some((reference, id)) = &replaced.product else {
        return false;
    };
    let product = id.parse::<ProductId>().ok();
    match &planning.planned.common.product {
        Known(planned) => {
            let products = planning.client.and_then(|client| client.products().ok());
            let known = products.and_then(|products| products.known_id(planned));
            planned == reference || known.is_some() && known == product
        }
        Tf::Null | Tf::Unknown => product
            .zip(planning.client)
            .is_some_and(|(id, client)| !client.planned().is_leaving(Object::Product(id))),
    }
}

fn check_names(planning: &Planning<'_, CodeRepoResource>) -> Result<(), Diagnostics> {
    let planned = &planning.planned;
    let prior = planning.prior.as_ref();
    let name = prior.map(|prior| Known(prior.name.clone()));
    check_new_names(
        (NameRule::CodeRepo, DisplayNameRule::Project),
        (&planned.name, &planned.display_name),
        name.as_ref().zip(prior.map(|prior| &prior.display_name)),
    )
}

/// Records what is planned, for the plans of what refers to the repository.
fn record(planning: &Planning<'_, CodeRepoResource>) -> Result<(), Diagnostics> {
    let Some(client) = planning.client else {
        return Ok(());
    };
    let plans = client.planned();
    let name = planning.planned.name.known();
    let Some(prior) = &planning.prior else {
        let replaced = planning.replaced.as_ref();
        let parse = |id: &str| id.parse().ok().map(Object::CodeRepo);
        record_replaced(client, replaced, Kind::CodeRepo.terraform_type(), parse);
        let reference = planning.planned.common.product.known();
        let reference = reference.zip(client.products().ok());
        let product = reference.and_then(|(reference, products)| products.known_id(reference));
        if let (Some(product), Some(name)) = (product, name) {
            plans.record_creation(Name::CodeRepo(product, name.clone()));
        }
        return Ok(());
    };
    let product = prior.product_id()?;
    let new_name = name.filter(|name| **name != prior.name);
    plans.record_change(
        Object::CodeRepo(prior.repository_id()?),
        !planning.replacement_paths().is_empty(),
        new_name.map(|name| Name::CodeRepo(product, name.clone())),
    );
    Ok(())
}

/// Plans new URLs where the product gets another name in the same plan. A product that is referred
/// to by its former name is not known to be renamed first.
fn plan_urls(planning: &mut Planning<'_, CodeRepoResource>) -> Result<(), Diagnostics> {
    let (Some(prior), Some(client)) = (&planning.prior, planning.client) else {
        return Ok(());
    };
    let product = prior.product_id()?;
    let Some(Name::Product(renamed)) = client.planned().new_name(Object::Product(product)) else {
        return Ok(());
    };
    let planned = &mut planning.planned;
    let comes_after = match &planned.common.product {
        Known(reference) => *reference == renamed || *reference == product.to_string(),
        Tf::Null | Tf::Unknown => true,
    };
    if comes_after {
        planned.web_url = Tf::Unknown;
        planned.http_url = Tf::Unknown;
        planned.ssh_url = Tf::Unknown;
    }
    Ok(())
}

/// Plans what a creation makes of the arguments that are left open; an adoption keeps them as they
/// are found.
fn plan_creation(planning: &mut Planning<'_, CodeRepoResource>) {
    let Planning {
        config, planned, ..
    } = planning;
    planned.common.plan_namespace();
    if may_adopt(&planned.adopt_existing) {
        return;
    }
    if config.display_name.is_null() {
        planned.display_name = planned.name.clone();
    }
    if config.description.is_null() {
        planned.description = Known(String::new());
    }
    if config.visibility.is_null() {
        planned.visibility = Known(visibility_name(Visibility::Private).to_owned());
    }
}

/// Plans references that are written differently and mean the same: they change nothing, and
/// replace nothing.
async fn plan_references(planning: &mut Planning<'_, CodeRepoResource>) -> Result<(), Diagnostics> {
    let (Some(prior), Some(client)) = (&planning.prior, planning.client) else {
        return Ok(());
    };
    let (product, kept) = (prior.product_id()?, &prior.common.product);
    let planned = &mut planning.planned;
    let meaning =
        planned_reference::product(client, product, kept, &planned.common.product).await?;
    if meaning == Meaning::Unchanged {
        planned.common.product = Known(kept.clone());
    }
    planned.common.keep_manifest_path(&prior.common);
    if let (Some(kept), Known(written)) = (prior.owning_project(), &planned.project) {
        let name = |reference| resolve_name(product, "project", reference).ok();
        if name(written).is_some() && name(written) == name(kept) {
            planned.project = Known(kept.to_owned());
        }
    }
    if meaning != Meaning::AnotherObject {
        planning.allow_in_place_update(&Path::to("product"));
    }
    Ok(())
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

/// Warns of what refers to a repository that is replaced, and of one that moves.
async fn warn_of_replacement(
    planning: &mut Planning<'_, CodeRepoResource>,
    prior: &CodeRepoModel,
) -> Result<(), Diagnostics> {
    let Some(client) = planning.client else {
        return Ok(());
    };
    let (product, id) = (prior.product_id()?, prior.repository_id()?);
    if planning.replacement_paths().contains(&Path::to("product")) {
        let object = format!("code repository {} ({id})", prior.name);
        let (summary, detail) = planned_reference::moves_warning(&object, product);
        planning.warn(summary, detail);
    }
    let home = Home::product(client, product);
    let key = EntityKey::new(Kind::CodeRepo, id.into());
    let warning = Box::pin(home.planned_replacement_warning(&key)).await;
    if let Some((summary, detail)) = warning {
        planning.warn(summary, detail);
    }
    Ok(())
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

/// Plans which keys and which token are made anew: those that the last refresh found to be at
/// fault, and a token that is to be rotated.
fn plan_credentials(planning: &mut Planning<'_, CodeRepoResource>) {
    if planning.config.access_token.is_null() {
        let Some(client) = planning.client else {
            return;
        };
        if !needs_token(client) {
            planning.planned.access_token = Tf::Null;
        }
    }
    let Some(prior) = &planning.prior else {
        return;
    };
    let Ok(id) = prior.repository_id() else {
        return;
    };
    let drift: BTreeSet<&str> = prior
        .common
        .drift
        .known()
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let planned = &mut planning.planned;
    if let Known(keys) = &prior.deploy_keys {
        planned.deploy_keys = Known(credentials::planned_keys(keys, id, &drift));
    }
    let due = prior.access_token.known();
    let is_due = due.is_some_and(|token| token.rotation_due == Known(true));
    if let Known(token) = &mut planned.access_token
        && (is_due || credentials::names_token(&drift, id))
    {
        token.id = Tf::Unknown;
        token.expires_at = Tf::Unknown;
        token.rotation_due = Known(false);
    }
}
