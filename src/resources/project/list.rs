//! `nautes_projects`: the projects of a product.

use nautes_model::entity::Entity;
use nautes_model::reference::EntityId;
use nautes_model::{Kind, ProductId};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use crate::resources::manifest::{EntityList, ListArguments, Listed};

/// The projects of a product.
#[derive(Model)]
pub(crate) struct ProjectList {
    /// The arguments that every list has.
    #[tf(flatten)]
    arguments: ListArguments,
    /// The projects, sorted by name.
    projects: Tf<Vec<ProjectItem>>,
}

/// One of the projects.
#[derive(Model)]
pub(crate) struct ProjectItem {
    /// Identifier: the product's id and the name, with a slash between them.
    id: Tf<String>,
    /// Name of the project.
    name: Tf<String>,
    /// Programming language, for people.
    language: Tf<String>,
    /// Kubernetes namespace of the product's entities.
    namespace: Tf<String>,
    /// Path of the manifest in the product's configuration repository.
    manifest_path: Tf<String>,
}

impl EntityList for ProjectList {
    const KIND: Kind = Kind::Project;
    const TYPE_NAME: &'static str = "nautes_projects";
    const DESCRIPTION: &'static str = "Lists the projects of a product.";

    fn arguments(config: &PlanOf<Self>) -> &PlanOf<ListArguments> {
        &config.arguments
    }

    fn new(arguments: ListArguments, _: Option<String>, found: &Listed<'_>) -> Self {
        let items = found.entities.iter();
        let items =
            items.filter_map(|(entity, path)| ProjectItem::new(found.product, entity, path));
        Self {
            arguments,
            projects: Known(items.collect()),
        }
    }
}

impl ProjectItem {
    fn new(product: ProductId, entity: &Entity, path: &str) -> Option<Self> {
        let Entity::Project(project) = entity else {
            return None;
        };
        let name = project.name.clone();
        Some(Self {
            id: Known(EntityId { product, name }.to_string()),
            namespace: Known(product.to_string()),
            manifest_path: Known(path.to_owned()),
            name: Known(project.name.to_string()),
            language: Known(project.language.clone()),
        })
    }
}
