//! `nautes_code_repo_bindings`: the list of a product's bindings.

use std::collections::BTreeSet;

use nautes_model::entity::Entity;
use nautes_model::reference::EntityId;
use nautes_model::{EntityName, Kind, ProductId};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use crate::resources::attribute::entity_reference;
use crate::resources::manifest::{EntityList, ListArguments, Listed};

/// The bindings of a product's code repositories.
#[derive(Model)]
pub(crate) struct CodeRepoBindingList {
    /// The arguments that every list has.
    #[tf(flatten)]
    arguments: ListArguments,
    /// A project, by id or by name. Lists only the bindings that open a repository to it, including
    /// those that open one to the whole product.
    #[tf(validate(entity_reference("a project")))]
    project: Option<String>,
    /// The bindings, sorted by name.
    code_repo_bindings: Tf<Vec<CodeRepoBindingItem>>,
}

/// One of the bindings.
#[derive(Model)]
pub(crate) struct CodeRepoBindingItem {
    /// Identifier: the product's id and the name, with a slash between them.
    id: Tf<String>,
    /// Name of the binding.
    name: Tf<String>,
    /// Identifier of the code repository that is opened.
    code_repo: Tf<String>,
    /// Names of the projects that may use the repository; empty if the whole product may.
    projects: Tf<BTreeSet<String>>,
    /// What is permitted: `readonly` (clone) or `readwrite` (clone and push).
    permissions: Tf<String>,
    /// Kubernetes namespace of the product's entities.
    namespace: Tf<String>,
    /// Path of the manifest in the product's configuration repository.
    manifest_path: Tf<String>,
}

impl EntityList for CodeRepoBindingList {
    const KIND: Kind = Kind::CodeRepoBinding;
    const TYPE_NAME: &'static str = "nautes_code_repo_bindings";
    const DESCRIPTION: &'static str = "Lists the bindings of a product's code repositories.";
    const OPTIONAL: &'static [&'static str] = &["project", "name_regex"];

    fn arguments(config: &PlanOf<Self>) -> &PlanOf<ListArguments> {
        &config.arguments
    }

    fn project(config: &PlanOf<Self>) -> Option<String> {
        config.project.known().cloned()
    }

    fn is_of_project(entity: &Entity, project: &EntityName) -> bool {
        matches!(entity, Entity::CodeRepoBinding(binding) if binding.covers(project))
    }

    fn new(arguments: ListArguments, project: Option<String>, found: &Listed<'_>) -> Self {
        let items = found.entities.iter();
        let items = items
            .filter_map(|(entity, path)| CodeRepoBindingItem::new(found.product, entity, path));
        Self {
            arguments,
            project,
            code_repo_bindings: Known(items.collect()),
        }
    }
}

impl CodeRepoBindingItem {
    fn new(product: ProductId, entity: &Entity, path: &str) -> Option<Self> {
        let Entity::CodeRepoBinding(binding) = entity else {
            return None;
        };
        let name = binding.name.clone();
        let projects = binding.projects.iter().map(ToString::to_string);
        Some(Self {
            id: Known(EntityId { product, name }.to_string()),
            namespace: Known(product.to_string()),
            manifest_path: Known(path.to_owned()),
            name: Known(binding.name.to_string()),
            code_repo: Known(binding.code_repo.to_string()),
            projects: Known(projects.collect()),
            permissions: Known(binding.permissions.as_str().to_owned()),
        })
    }
}
