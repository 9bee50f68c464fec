//! How the plan for a product goes beyond its schema.

use nautes_model::name::NameRule;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::{PlanKind, Planning};
use terraform_plugin::value::{Known, Path, Tf};

use super::contents::Contents;
use super::delete::is_deleted;
use super::gitlab_group::{self, TYPE_NAME};
use super::model::ProductModel;
use super::resource::{ProductResource, product_id};
use super::{config_repository, existing};
use crate::backends::gitlab::Visibility;
use crate::claim::check_replacement;
use crate::error_chain::sentence;
use crate::planned::{Name, Object};
use crate::resources::gitlab_attribute::{
    DisplayNameRule, check_new_names, may_adopt, visibility_name,
};
use crate::resources::planned_reference::record_replaced;
use crate::resources::references::{check_top_level_path, invalid_value};
use crate::resources::replacement::Replaced;

/// Adjusts what the schema plans.
pub(super) async fn modify(
    planning: &mut Planning<'_, ProductResource>,
) -> Result<(), Diagnostics> {
    if let (Some(client), Some(prior)) = (planning.client, &planning.prior) {
        let object = gitlab_group::object_id(product_id(prior)?);
        client.holders().record_kept(&object, &planning.private)?;
    }
    if let Some(prior) = &planning.prior {
        replaced(prior)?.store(&mut planning.private)?;
    }
    if planning.prior.as_ref().is_some_and(is_deleted) {
        planning.require_replacement(Path::to("drift"));
    }
    check_names(planning)?;
    plan_config_repository(planning);
    plan_full_path(planning);
    if planning.kind == PlanKind::Create {
        let adopts = planning.planned.adopt_existing.known().copied();
        check_replacement(planning.replaced.as_ref(), adopts)?;
        check_replaced(planning).await?;
        plan_creation(planning);
    }
    // Before it is recorded that the holder of the name makes room.
    existing::warn(planning).await?;
    record(planning)
}

/// Returns what a replacement of a product is judged by.
fn replaced(prior: &ProductModel) -> Result<Replaced, Diagnostics> {
    Ok(Replaced {
        id: product_id(prior)?.to_string(),
        name: prior.name.clone(),
        product: None,
        policy: prior.deletion_policy(),
        force_destroy: prior.force_destroy,
        created_at: None,
        web_url: None,
        is_gone: is_deleted(prior),
        is_checked: false,
    })
}

/// Refuses the creation half of a replacement that would keep the path of what it replaces, or whose
/// deletion half would delete what is to be kept, or repositories that no manifest names.
async fn check_replaced(planning: &mut Planning<'_, ProductResource>) -> Result<(), Diagnostics> {
    let Some(replaced) = planning.replaced.as_ref().and_then(Replaced::load) else {
        return Ok(());
    };
    let planned = &planning.planned;
    let has_same_path = planned.name.known() == Some(&replaced.name);
    replaced.check_policy(&planned.deletion_policy, has_same_path)?;
    let is_guarded = !replaced.policy.keeps() && replaced.force_destroy != Some(true);
    let (true, Some(client)) = (is_guarded && !replaced.is_gone, planning.client) else {
        return Ok(());
    };
    let id = replaced.id.parse().map_err(Diagnostic::bug)?;
    let unmanaged = async {
        let config_project = client.products()?.config_project(id).await?;
        Contents::unmanaged(client, id, config_project).await
    };
    match unmanaged.await {
        Ok(contents) => contents.check(client, &replaced.name, replaced.force_destroy),
        // Planning works without GitLab; the contents are checked again at apply.
        Err(_) => Ok(()),
    }
}

/// Records what is planned, for the plans of what is in the product.
fn record(planning: &Planning<'_, ProductResource>) -> Result<(), Diagnostics> {
    let Some(client) = planning.client else {
        return Ok(());
    };
    let plans = client.planned();
    let name = planning.planned.name.known();
    let Some(prior) = &planning.prior else {
        let replaced = planning.replaced.as_ref();
        let parse = |id: &str| id.parse().ok().map(Object::Product);
        record_replaced(client, replaced, TYPE_NAME, parse);
        if let Some(name) = name {
            // The one that has the name now makes room for it.
            let products = client.products().ok();
            if let Some(id) = products.and_then(|products| products.known_id(name)) {
                plans.record_leaving(Object::Product(id));
            }
            plans.record_creation(Name::Product(name.clone()));
        }
        return Ok(());
    };
    let new_name = name.filter(|name| **name != prior.name);
    plans.record_change(
        Object::Product(product_id(prior)?),
        !planning.replacement_paths().is_empty(),
        new_name.map(|name| Name::Product(name.clone())),
    );
    Ok(())
}

/// Checks the names that are new. What is adopted may have names from the time of older rules.
fn check_names(planning: &Planning<'_, ProductResource>) -> Result<(), Diagnostics> {
    let (planned, prior) = (&planning.planned, planning.prior.as_ref());
    if prior.is_some() || planned.adopt_existing.known() != Some(&true) {
        let name = prior.map(|prior| Known(prior.name.clone()));
        check_new_names(
            (NameRule::ProductInParentGroup, DisplayNameRule::Group),
            (&planned.name, &planned.display_name),
            name.as_ref().zip(prior.map(|prior| &prior.display_name)),
        )?;
    }
    let at_top_level = planning
        .client
        .is_some_and(|client| client.settings().gitlab.parent_group.is_none());
    if let (true, Known(name)) = (at_top_level, &planning.planned.name) {
        let found = NameRule::Product.check(name);
        found.map_err(|error| invalid_value("name", sentence(&error)))?;
        check_top_level_path("name", name)?;
    }
    Ok(())
}

fn plan_config_repository(planning: &mut Planning<'_, ProductResource>) {
    let prior = planning.prior.as_ref();
    let known = prior.and_then(|prior| prior.config_repository.known());
    let branch = planning
        .client
        .map(|client| &client.settings().commit.branch);
    match (&planning.planned.config_repository, known) {
        // Removed from outside: an update makes it again.
        (Tf::Null, _) => planning.planned.config_repository = Tf::Unknown,
        // Renamed: only its URLs change.
        (Tf::Unknown, Some(known)) => {
            planning.planned.config_repository = Known(known.renamed());
        }
        _ => {}
    }
    let is_reset = prior.is_some_and(config_repository::has_other_branch);
    if let (true, Some(branch), Known(planned)) =
        (is_reset, branch, &mut planning.planned.config_repository)
    {
        planned.default_branch = Known(branch.clone());
    }
}

/// Plans the full path where it follows from the name: at a creation, and at a rename in the
/// provider's parent group.
fn plan_full_path(planning: &mut Planning<'_, ProductResource>) {
    let Some(products) = planning.client.and_then(|client| client.products().ok()) else {
        return;
    };
    let is_here = planning.prior.as_ref().is_none_or(|prior| {
        let full_path = products.full_path(&prior.name);
        prior
            .full_path
            .known()
            .is_some_and(|prior| *prior == full_path)
    });
    let planned = &mut planning.planned;
    if let (true, Tf::Unknown, Known(name)) = (is_here, &planned.full_path, &planned.name) {
        planned.full_path = Known(products.full_path(name));
    }
}

/// Plans what a creation makes of the arguments that are left open; an adoption keeps them as they
/// are found.
fn plan_creation(planning: &mut Planning<'_, ProductResource>) {
    let Planning {
        config, planned, ..
    } = planning;
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
