//! How the plan for a cluster goes beyond its schema. It calls no server.

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{PlanKind, Planning};
use terraform_plugin::value::{Known, Tf};

use super::manifest;
use super::model::ClusterModel;
use super::read::object_id;
use super::resource::{ClusterResource, is_rotation_due};
use super::virtual_cluster;
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
    shape.err().unwrap_or_default()
}

/// Adjusts what the schema plans.
pub(super) fn modify(planning: &mut Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    if let (Some(client), Some(prior)) = (planning.client, &planning.prior) {
        let object = object_id(&entity_name("name", &prior.name)?);
        client.holders().record_kept(&object, &planning.private)?;
    }
    virtual_cluster::plan(planning)?;
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
    Ok(())
}
