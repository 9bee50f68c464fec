//! How the plan for a cluster goes beyond its schema. It calls no server.

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{PlanKind, Planning};
use terraform_plugin::value::{Known, Tf};

use super::manifest::{self, default_domain};
use super::model::ClusterModel;
use super::read::object_id;
use super::resource::ClusterResource;
use crate::resources::references::entity_name;

/// Checks a configuration beyond what the schema says.
pub(super) fn validate(config: &PlanOf<ClusterModel>) -> Diagnostics {
    let known = (
        config.cluster_type.known(),
        config.usage.known(),
        known_or_null(&config.worker_type),
        known_or_null(&config.host_cluster),
    );
    let (Some(cluster_type), Some(usage), Some(worker_type), Some(host)) = known else {
        return Diagnostics::default();
    };
    let shape = manifest::parse_shape(cluster_type, usage, worker_type, host);
    shape.err().unwrap_or_default()
}

/// Whether an argument is known: its value, or that it has none.
fn known_or_null(argument: &Tf<String>) -> Option<Option<&str>> {
    match argument {
        Tf::Unknown => None,
        Tf::Null => Some(None),
        Known(text) => Some(Some(text)),
    }
}

/// Adjusts what the schema plans.
pub(super) fn modify(planning: &mut Planning<'_, ClusterResource>) -> Result<(), Diagnostics> {
    if let (Some(client), Some(prior)) = (planning.client, &planning.prior) {
        let object = object_id(&entity_name("name", &prior.name)?);
        client.holders().record_kept(&object, &planning.private)?;
    }
    let planned = &mut planning.planned;
    if let (Tf::Unknown, Known(api_server)) = (&planned.primary_domain, &planned.api_server) {
        planned.primary_domain = default_domain(api_server).into();
    }
    if planning.kind == PlanKind::Create
        && let Known(name) = &planned.name
    {
        planned.id = Known(name.clone());
    }
    Ok(())
}
