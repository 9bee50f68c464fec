//! What both kinds of runtimes do with their manifests.

use nautes_model::entity::{DeploymentRuntime, Entity, PipelineRuntime};
use nautes_model::name::default_namespace;
use nautes_model::{EntityKey, EntityName, Kind, ProductId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;
use terraform_plugin::value::Path;

use super::home::{Found, Home, ManifestLocation, drift_of};
use super::runtime_environment::cluster_of;
use crate::client::Client;
use crate::error_chain::sentence;
use crate::lookup::WorkerError;

/// An entity that is a runtime.
pub(crate) trait RuntimeEntity: Clone {
    /// Its kind.
    const KIND: Kind;

    /// Returns the runtime that an entity is; `None` if it is of another kind.
    fn from_entity(entity: &Entity) -> Option<&Self>;

    /// The environment, which determines the cluster.
    fn environment(&self) -> &EntityName;
}

impl RuntimeEntity for DeploymentRuntime {
    const KIND: Kind = Kind::DeploymentRuntime;

    fn from_entity(entity: &Entity) -> Option<&Self> {
        match entity {
            Entity::DeploymentRuntime(runtime) => Some(runtime),
            _ => None,
        }
    }

    fn environment(&self) -> &EntityName {
        &self.destination.environment
    }
}

impl RuntimeEntity for PipelineRuntime {
    const KIND: Kind = Kind::PipelineRuntime;

    fn from_entity(entity: &Entity) -> Option<&Self> {
        match entity {
            Entity::PipelineRuntime(runtime) => Some(runtime),
            _ => None,
        }
    }

    fn environment(&self) -> &EntityName {
        &self.destination.environment
    }
}

/// A runtime as its manifest has it.
pub(crate) struct FoundRuntime<E> {
    pub(crate) product: ProductId,
    pub(crate) entity: E,
    /// The path of the manifest.
    pub(crate) path: String,
    /// What is wrong with the manifest.
    pub(crate) drift: Vec<String>,
    pub(crate) location: ManifestLocation,
    /// The cluster of its environment.
    pub(crate) cluster: EntityName,
}

/// Finds a runtime of which nothing is known but its name and the reference to its product; `None` if it has no manifest.
pub(crate) async fn find<E: RuntimeEntity>(
    client: &Client,
    product: &str,
    name: &EntityName,
) -> Result<Option<FoundRuntime<E>>, Diagnostics> {
    let product = client.products()?.resolve(product).await?;
    let key = EntityKey::new(E::KIND, name.clone());
    let attempt = format!("read the {key}");
    let home = Home::product(client, product);
    let Found::Present(present, location) = home.read(&key, &attempt).await? else {
        return Ok(None);
    };
    let failed = |detail| Diagnostic::error(format!("Cannot {attempt}"), detail);
    let drift = drift_of(&present);
    let Some(entity) = present.entity.as_ref().and_then(E::from_entity) else {
        let reasons = drift.join("; ");
        return Err(failed(format!("Its manifest cannot be read: {reasons}.")).into());
    };
    let environment = entity.environment();
    let snapshot = home.snapshot(&attempt).await?;
    let cluster = snapshot.and_then(|snapshot| cluster_of(&snapshot, environment));
    let cluster = cluster.ok_or_else(|| {
        failed(format!(
            "Its environment {environment} does not exist, so it is not known in which cluster it is."
        ))
    })?;
    Ok(Some(FoundRuntime {
        product,
        entity: entity.clone(),
        path: present.path.clone(),
        drift,
        location,
        cluster,
    }))
}

/// Returns what differs in a worker, or `None` if nothing of the runtime is left; a worker that gives no answer is a
/// warning, and says nothing.
pub(crate) fn drift_in_worker(
    operation: &mut Operation<Client>,
    inspected: Result<Option<Vec<String>>, WorkerError>,
) -> Result<Option<Vec<String>>, Diagnostics> {
    match inspected {
        Ok(found) => Ok(found),
        Err(WorkerError::Unreachable { name, error }) => {
            let (summary, detail) = WorkerError::unreachable_warning(&name, &error);
            operation.warn(summary, detail);
            Ok(Some(Vec::new()))
        }
        Err(WorkerError::Failed(found)) => Err(found),
    }
}

/// Returns the default namespace of a runtime; if it cannot be one, an error that asks for `destination.<attribute>`.
pub(crate) fn check_default_namespace(
    product: &str,
    name: &str,
    attribute: &str,
) -> Result<String, Diagnostics> {
    default_namespace(product, name).map_err(|error| {
        let detail = format!(
            "Without it, the namespace would be called after the product and the runtime: {} Set destination.{attribute}.",
            sentence(&error)
        );
        let error = Diagnostic::error("A namespace is needed", detail);
        error.at(&Path::to("destination").attribute(attribute)).into()
    })
}

/// Refuses an update after which a reference would mean something else, which the plan did not show. `what` is its
/// subject.
pub(crate) fn require_as_planned(
    path: &Path,
    what: &str,
    before: &EntityName,
    after: &EntityName,
) -> Result<(), Diagnostics> {
    if before == after {
        return Ok(());
    }
    let detail = format!(
        "When this was planned, {what} was expected to be {before} as before. It is {after}. Nothing was changed; plan again."
    );
    Err(Diagnostic::error("The plan is out of date", detail)
        .at(path)
        .into())
}
