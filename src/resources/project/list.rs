//! `nautes_projects`: the projects of a product.

use std::sync::Arc;

use nautes_model::entity::Entity;
use nautes_model::reference::EntityId;
use nautes_model::{Kind, ProductId};
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use crate::provider::Client;
use crate::resources::attribute::product_reference;
use crate::resources::manifest::listing::{entities, regular_expression};

/// The projects of a product.
#[derive(Model)]
pub(crate) struct ProjectList {
    /// The product, by id or by name.
    #[tf(validate(product_reference()))]
    product: String,
    /// Lists only projects whose name matches.
    #[tf(validate(regular_expression()))]
    name_regex: Option<String>,
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
}

impl ProjectItem {
    fn of(product: ProductId, entity: &Entity) -> Option<Self> {
        let Entity::Project(project) = entity else {
            return None;
        };
        let id = EntityId {
            product,
            name: project.name.clone(),
        };
        Some(Self {
            id: Known(id.to_string()),
            name: Known(project.name.to_string()),
            language: Known(project.language.clone()),
        })
    }
}

/// `nautes_projects`.
pub(crate) struct ProjectsDataSource;

impl DataSource for ProjectsDataSource {
    type Client = Client;
    type Data = ProjectList;
    const TYPE_NAME: &'static str = "nautes_projects";
    const DESCRIPTION: &'static str = "Lists the projects of a product.";
    const REQUIRED: &'static [&'static str] = &["product"];
    const OPTIONAL: &'static [&'static str] = &["name_regex"];

    async fn read(
        &self,
        client: &Arc<Client>,
        config: PlanOf<ProjectList>,
    ) -> Result<ProjectList, Diagnostics> {
        let product = config.product.expect_known("product")?;
        let name_regex = config.name_regex.into_known();
        let (id, found) = entities(client, Kind::Project, product, name_regex.as_deref()).await?;
        let items = found
            .iter()
            .filter_map(|entity| ProjectItem::of(id, entity));
        Ok(ProjectList {
            product: product.clone(),
            name_regex,
            projects: Known(items.collect()),
        })
    }
}
