//! How the plan for a cluster goes beyond its schema. It calls no server.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{PlanKind, Planning};
use terraform_plugin::value::{Convert as _, Known, Path, Tf};

use super::addresses::{AddressInputs, Addresses, AddressesModel, Gateway};
use super::answer;
use super::components::{check_dangers, check_hosts, check_slots, known_components};
use super::credential;
use super::model::ClusterModel;
use super::read::object_id;
use super::resource::{ClusterResource, is_rotation_due};
use super::slots::SlotModel;
use super::virtual_cluster;
use super::{manifest, nautes, switch};
use crate::components::Component;
use crate::components::entry_points::primary_domain;
use crate::resources::references::entity_name;

/// Checks a configuration beyond what the schema says.
pub(super) fn validate(config: &PlanOf<ClusterModel>) -> Diagnostics {
    let mut found = virtual_cluster::check_arguments(config);
    found.extend(validate_shape(config));
    found
}

fn validate_shape(config: &PlanOf<ClusterModel>) -> Diagnostics {
    let (Known(cluster_type), Known(usage)) = (&config.cluster_type, &config.usage) else {
        return Diagnostics::default();
    };
    let (worker_type, host) = (&config.worker_type, &config.host_cluster);
    if worker_type.is_unknown() || host.is_unknown() {
        return Diagnostics::default();
    }
    let text = |argument: &Tf<String>| argument.known().cloned();
    let (worker_type, host) = (text(worker_type), text(host));
    let shape = manifest::parse_shape(cluster_type, usage, worker_type.as_deref(), host.as_deref());
    let shape = match shape {
        Ok(shape) => shape,
        Err(found) => return found,
    };
    let Some(components) = known_components(&config.components) else {
        return Diagnostics::default();
    };
    check_slots(&components, &shape)
}

/// Adjusts what the schema plans.
pub(super) fn modify(planning: &mut Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    if let (Some(client), Some(prior)) = (planning.client, &planning.prior) {
        let object = object_id(&entity_name("name", &prior.name)?);
        client.holders().record_kept(&object, &planning.private)?;
    }
    virtual_cluster::plan(planning)?;
    nautes::check(planning)?;
    answer::plan(planning)?;
    switch::plan(planning)?;
    let planned = &mut planning.planned;
    if let (Tf::Unknown, Known(api_server)) = (&planned.primary_domain, &planned.api_server) {
        planned.primary_domain = primary_domain(api_server).into();
    }
    if planning.prior.as_ref().is_some_and(is_rotation_due)
        && let Known(credential) = &mut planned.credential
    {
        credential.rotation_due = Known(false);
    }
    if planning.kind == PlanKind::Create
        && let Known(name) = &planned.name
    {
        planned.id = Known(name.clone());
    }
    refuse_dangers(planning)?;
    plan_addresses(planning)?;
    credential::plan(planning)?;
    warn_of_released_components(planning);
    Ok(())
}

/// Refuses what would give products the whole cluster, unless checks are skipped.
fn refuse_dangers(planning: &mut Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    let Some(client) = planning.client else {
        return Ok(());
    };
    let chosen = planning.planned.insecure_skip_check.known().copied();
    let is_skipped = chosen.unwrap_or(client.settings().insecure_skip_check);
    let found = check_dangers(&planning.planned);
    if is_skipped {
        for Diagnostic {
            summary,
            detail,
            path,
            ..
        } in found
        {
            planning.warn_at(&path.unwrap_or_default(), summary, detail);
        }
        return Ok(());
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(found.into_iter().collect())
}

/// Plans how the cluster is reached, where that follows from the arguments.
fn plan_addresses(planning: &mut Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    let Some(client) = planning.client else {
        return Ok(());
    };
    let planned = &planning.planned;
    let components = known_components(&planned.components);
    let is_known = match &planned.components {
        Tf::Unknown => false,
        Tf::Null => true,
        Known(components) => components.to_value().is_wholly_known(),
    };
    let (Some(components), Known(name), Known(api_server), Known(domain)) = (
        components.filter(|_| is_known),
        &planned.name,
        &planned.api_server,
        &planned.primary_domain,
    ) else {
        return Ok(());
    };
    let text = |argument: &Tf<String>| argument.known().cloned();
    let (Some(cluster_type), Some(usage)) = (text(&planned.cluster_type), text(&planned.usage))
    else {
        return Ok(());
    };
    if planned.worker_type.is_unknown() || planned.host_cluster.is_unknown() {
        return Ok(());
    }
    let (worker_type, host) = (text(&planned.worker_type), text(&planned.host_cluster));
    let shape = manifest::parse_shape(
        &cluster_type,
        &usage,
        worker_type.as_deref(),
        host.as_deref(),
    )?;
    let slot = components.gateway.as_ref();
    let is_there = slot.is_some_and(|slot| slot.slot.uses_existing());
    // Only the host of a virtual cluster, and a cluster with a gateway of its own, know its ports.
    if is_there || shape.host_cluster().is_some() {
        return Ok(());
    }
    let inputs = AddressInputs {
        name: &entity_name("name", name)?,
        api_server,
        primary_domain: Some(domain),
        shape: &shape,
        components: Some(&components),
        single_sign_on: client.settings().oidc.is_some(),
    };
    let addresses = Addresses::new(&inputs, Gateway::new(slot));
    let found = check_hosts(&addresses);
    if found.has_error() {
        return Err(found);
    }
    let known = addresses.attributes().to_value();
    let known = PlanOf::<AddressesModel>::from_value(&known, &Path::root());
    let known = known.map_err(|error| Diagnostic::bug(&error))?;
    let planned = &mut planning.planned.addresses;
    planned.entry_points.set_if_unknown(known.entry_points);
    planned
        .webhook_base_url
        .set_if_unknown(known.webhook_base_url);
    planned
        .webhook_tls_verifiable
        .set_if_unknown(known.webhook_tls_verifiable);
    planned.argocd_url.set_if_unknown(known.argocd_url);
    planned.tekton_url.set_if_unknown(known.tekton_url);
    planned
        .oauth_redirect_uris
        .set_if_unknown(known.oauth_redirect_uris);
    Ok(())
}

/// Warns of components that the provider has installed and is to leave alone from now on.
fn warn_of_released_components(planning: &mut Planning<'_, ClusterResource>) {
    let status = planning.prior.as_ref();
    let status = status.and_then(|prior| prior.component_status.known());
    let components = known_components(&planning.planned.components);
    let (Some(status), Some(components)) = (status, components) else {
        return;
    };
    let released: Vec<Component> = Component::ALL
        .into_iter()
        .filter(|component| {
            let slot = components.slot(component.slot());
            slot.is_some_and(SlotModel::uses_existing) && status.contains_key(component.name())
        })
        .collect();
    for component in released {
        let path = Path::to("components")
            .attribute(component.slot().attribute())
            .attribute("install");
        planning.warn_at(
            &path,
            format!("{component} stays in the cluster"),
            format!(
                "This provider has installed {component} and, with install = false, leaves it as it is: it is neither upgraded nor removed from now on, not even when the cluster is destroyed here."
            ),
        );
    }
}
