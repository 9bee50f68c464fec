//! `nautes_deployment_runtimes`: the deployment runtimes of a product.

use std::collections::BTreeSet;

use nautes_model::entity::Entity;
use nautes_model::reference::EntityId;
use nautes_model::{EntityName, Kind, ProductId};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use crate::resources::attribute::entity_reference;
use crate::resources::manifest::{EntityList, ListArguments, Listed};

/// The deployment runtimes of a product.
#[derive(Model)]
pub(crate) struct DeploymentRuntimeList {
    /// The arguments that every list has.
    #[tf(flatten)]
    arguments: ListArguments,
    /// A project, by id or by name. Lists only the runtimes that deploy it.
    #[tf(validate(entity_reference("a project")))]
    project: Option<String>,
    /// The runtimes, sorted by name.
    deployment_runtimes: Tf<Vec<DeploymentRuntimeItem>>,
}

/// One of the runtimes.
#[derive(Model)]
pub(crate) struct DeploymentRuntimeItem {
    /// Identifier: the product's id and the name, with a slash between them.
    id: Tf<String>,
    /// Name of the runtime.
    name: Tf<String>,
    /// Names of the projects that it deploys.
    projects: Tf<BTreeSet<String>>,
    /// Identifier of the code repository with the manifests.
    code_repo: Tf<String>,
    /// The branch, tag or commit.
    target_revision: Tf<String>,
    /// The folder in the repository.
    path: Tf<String>,
    /// Name of the environment.
    environment: Tf<String>,
    /// The namespaces.
    effective_namespaces: Tf<Vec<String>>,
    /// The service account.
    effective_account: Tf<String>,
    /// Kubernetes namespace of the product's entities.
    namespace: Tf<String>,
    /// Path of the manifest in the product's configuration repository.
    manifest_path: Tf<String>,
}

impl EntityList for DeploymentRuntimeList {
    const KIND: Kind = Kind::DeploymentRuntime;
    const TYPE_NAME: &'static str = "nautes_deployment_runtimes";
    const DESCRIPTION: &'static str =
        "Lists the deployment runtimes of a product. No cluster is asked.";
    const OPTIONAL: &'static [&'static str] = &["project", "name_regex"];

    fn arguments(config: &PlanOf<Self>) -> &PlanOf<ListArguments> {
        &config.arguments
    }

    fn project(config: &PlanOf<Self>) -> Option<String> {
        config.project.known().cloned()
    }

    fn is_of_project(entity: &Entity, project: &EntityName) -> bool {
        matches!(entity, Entity::DeploymentRuntime(runtime) if runtime.projects.contains(project))
    }

    fn new(arguments: ListArguments, project: Option<String>, found: &Listed<'_>) -> Self {
        let items = found.entities.iter();
        let items = items
            .filter_map(|(entity, path)| DeploymentRuntimeItem::new(found.product, entity, path));
        Self {
            arguments,
            project,
            deployment_runtimes: Known(items.collect()),
        }
    }
}

impl DeploymentRuntimeItem {
    fn new(product: ProductId, entity: &Entity, path: &str) -> Option<Self> {
        let Entity::DeploymentRuntime(runtime) = entity else {
            return None;
        };
        let name = runtime.name.clone();
        let projects = runtime.projects.iter().map(ToString::to_string);
        let namespaces = runtime.effective_namespaces().into_iter();
        let source = &runtime.manifest_source;
        Some(Self {
            id: Known(EntityId { product, name }.to_string()),
            name: Known(runtime.name.to_string()),
            projects: Known(projects.collect()),
            code_repo: Known(source.code_repo.to_string()),
            target_revision: Known(source.target_revision.clone()),
            path: Known(source.path.clone()),
            environment: Known(runtime.destination.environment.to_string()),
            effective_namespaces: Known(namespaces.map(str::to_owned).collect()),
            effective_account: Known(runtime.effective_account().to_owned()),
            namespace: Known(product.to_string()),
            manifest_path: Known(path.to_owned()),
        })
    }
}
