//! `nautes_environments`: the environments of a product.

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

/// The environments of a product.
#[derive(Model)]
pub(crate) struct EnvironmentList {
    /// The product, by id or by name.
    #[tf(validate(product_reference()))]
    product: String,
    /// Lists only environments whose name matches.
    #[tf(validate(regular_expression()))]
    name_regex: Option<String>,
    /// The environments, sorted by name.
    environments: Tf<Vec<EnvironmentItem>>,
}

/// One of the environments.
#[derive(Model)]
pub(crate) struct EnvironmentItem {
    /// Identifier: the product's id and the name, with a slash between them.
    id: Tf<String>,
    /// Name of the environment.
    name: Tf<String>,
    /// Cluster in which the environment's runtimes live.
    cluster: Tf<String>,
    /// What the environment is for.
    env_type: Tf<String>,
}

impl EnvironmentItem {
    fn of(product: ProductId, entity: &Entity) -> Option<Self> {
        let Entity::Environment(environment) = entity else {
            return None;
        };
        let id = EntityId {
            product,
            name: environment.name.clone(),
        };
        Some(Self {
            id: Known(id.to_string()),
            name: Known(environment.name.to_string()),
            cluster: Known(environment.cluster.to_string()),
            env_type: Known(environment.env_type.clone()),
        })
    }
}

/// `nautes_environments`.
pub(crate) struct EnvironmentsDataSource;

impl DataSource for EnvironmentsDataSource {
    type Client = Client;
    type Data = EnvironmentList;
    const TYPE_NAME: &'static str = "nautes_environments";
    const DESCRIPTION: &'static str = "Lists the environments of a product.";
    const REQUIRED: &'static [&'static str] = &["product"];
    const OPTIONAL: &'static [&'static str] = &["name_regex"];

    async fn read(
        &self,
        client: &Arc<Client>,
        config: PlanOf<EnvironmentList>,
    ) -> Result<EnvironmentList, Diagnostics> {
        let product = config.product.expect_known("product")?;
        let name_regex = config.name_regex.into_known();
        let (id, found) =
            entities(client, Kind::Environment, product, name_regex.as_deref()).await?;
        let items = found
            .iter()
            .filter_map(|entity| EnvironmentItem::of(id, entity));
        Ok(EnvironmentList {
            product: product.clone(),
            name_regex,
            environments: Known(items.collect()),
        })
    }
}
