//! The environment of a runtime, which determines the cluster that the runtime is in.

use nautes_model::reference::EntityReference;
use nautes_model::{EntityName, ProductId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::{Path, Tf};

use super::references::entity_name;
use crate::config_repo::Snapshot;
use crate::error_chain::sentence;

/// The attribute with the reference to the environment.
pub(crate) fn path() -> Path {
    Path::to("destination").attribute("environment")
}

/// Returns the name of the environment that a reference means.
pub(crate) fn resolve(product: ProductId, reference: &str) -> Result<EntityName, Diagnostics> {
    let parsed = reference.parse::<EntityReference>();
    let name = parsed.and_then(|reference| reference.name_in(product).cloned());
    name.map_err(|error| {
        let summary = "Invalid value for destination.environment";
        let error = Diagnostic::error(summary, sentence(&error));
        error.at(&path()).into()
    })
}

/// Returns the cluster of an environment, as far as the repository has the environment.
pub(crate) fn cluster_of(snapshot: &Snapshot, environment: &EntityName) -> Option<EntityName> {
    let mut environments = snapshot.tree().environments();
    let found = environments.find(|found| found.name == *environment)?;
    Some(found.cluster.clone())
}

/// Returns the error of a runtime whose environment does not exist.
pub(crate) fn missing(product: ProductId, environment: &EntityName) -> Diagnostics {
    let detail = format!(
        "{product} has no environment {environment}, so it is not known in which cluster the runtime is. Create the nautes_environment first, or refer to it by its id."
    );
    let error = Diagnostic::error("The environment does not exist", detail);
    error.at(&path()).into()
}

/// Returns the cluster of an existing runtime; an error if its environment is in another one by now.
pub(crate) fn require_same_cluster(
    prior: &Tf<String>,
    environment: &EntityName,
    product: ProductId,
    cluster: Option<EntityName>,
) -> Result<EntityName, Diagnostics> {
    let kept = prior.known();
    let kept = kept.map(|kept| entity_name("cluster", kept)).transpose()?;
    match (kept, cluster) {
        (Some(kept), Some(cluster)) if kept != cluster => {
            let detail = format!(
                "The environment {environment} is in the cluster {cluster} by now, and the runtime in {kept}. Nothing was changed. Replace the runtime (terraform apply -replace=<address>), which removes it there and makes it here."
            );
            let error = Diagnostic::error("The environment is in another cluster", detail);
            Err(error.at(&path()).into())
        }
        (Some(cluster), _) | (None, Some(cluster)) => Ok(cluster),
        (None, None) => Err(missing(product, environment)),
    }
}
