//! `nautes_pipeline_runtimes`: the pipeline runtimes of a product.

use std::collections::BTreeSet;

use nautes_model::entity::Entity;
use nautes_model::reference::EntityId;
use nautes_model::{EntityName, Kind, ProductId};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use crate::resources::attribute::entity_reference;
use crate::resources::manifest::{EntityList, ListArguments, Listed};

/// The pipeline runtimes of a product.
#[derive(Model)]
pub(crate) struct PipelineRuntimeList {
    /// The arguments that every list has.
    #[tf(flatten)]
    arguments: ListArguments,
    /// A project, by id or by name. Lists only its runtimes.
    #[tf(validate(entity_reference("a project")))]
    project: Option<String>,
    /// The runtimes, sorted by name.
    pipeline_runtimes: Tf<Vec<PipelineRuntimeItem>>,
}

/// One of the runtimes.
#[derive(Model)]
pub(crate) struct PipelineRuntimeItem {
    /// Identifier: the product's id and the name, with a slash between them.
    id: Tf<String>,
    /// Name of the runtime.
    name: Tf<String>,
    /// Name of the project that it belongs to.
    project: Tf<String>,
    /// Identifier of the code repository with the pipelines.
    pipeline_source: Tf<String>,
    /// Identifiers of the code repositories whose events start pipelines.
    event_repositories: Tf<BTreeSet<String>>,
    /// Name of the environment.
    environment: Tf<String>,
    /// The namespace of the runs.
    runtime_namespace: Tf<String>,
    /// The service account of the runs.
    runtime_account: Tf<String>,
    /// Kubernetes namespace of the product's entities.
    namespace: Tf<String>,
    /// Path of the manifest in the product's configuration repository.
    manifest_path: Tf<String>,
}

impl EntityList for PipelineRuntimeList {
    const KIND: Kind = Kind::PipelineRuntime;
    const TYPE_NAME: &'static str = "nautes_pipeline_runtimes";
    const DESCRIPTION: &'static str =
        "Lists the pipeline runtimes of a product. No cluster is asked.";
    const OPTIONAL: &'static [&'static str] = &["project", "name_regex"];

    fn arguments(config: &PlanOf<Self>) -> &PlanOf<ListArguments> {
        &config.arguments
    }

    fn project(config: &PlanOf<Self>) -> Option<String> {
        config.project.known().cloned()
    }

    fn is_of_project(entity: &Entity, project: &EntityName) -> bool {
        matches!(entity, Entity::PipelineRuntime(runtime) if runtime.project == *project)
    }

    fn new(arguments: ListArguments, project: Option<String>, found: &Listed<'_>) -> Self {
        let items = found.entities.iter();
        let items = items
            .filter_map(|(entity, path)| PipelineRuntimeItem::new(found.product, entity, path));
        Self {
            arguments,
            project,
            pipeline_runtimes: Known(items.collect()),
        }
    }
}

impl PipelineRuntimeItem {
    fn new(product: ProductId, entity: &Entity, path: &str) -> Option<Self> {
        let Entity::PipelineRuntime(runtime) = entity else {
            return None;
        };
        let name = runtime.name.clone();
        let sources = runtime.event_sources.values();
        let repositories = sources.filter_map(|source| Some(source.gitlab.as_ref()?.code_repo));
        Some(Self {
            id: Known(EntityId { product, name }.to_string()),
            name: Known(runtime.name.to_string()),
            project: Known(runtime.project.to_string()),
            pipeline_source: Known(runtime.pipeline_source.to_string()),
            event_repositories: Known(repositories.map(|id| id.to_string()).collect()),
            environment: Known(runtime.destination.environment.to_string()),
            runtime_namespace: Known(runtime.effective_namespace().to_owned()),
            runtime_account: Known(runtime.effective_account().to_owned()),
            namespace: Known(product.to_string()),
            manifest_path: Known(path.to_owned()),
        })
    }
}
