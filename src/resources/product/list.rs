//! `nautes_products`: the products that the token can see.

use nautes_model::ProductId;
use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use super::model::ConfigRepositoryModel;
use crate::client::Client;
use crate::diagnostics::Context as _;
use crate::resources::attribute::{compile_name_regex, regular_expression};

/// The products below the provider's parent group, or at the top level without one.
#[derive(Model)]
pub(crate) struct ProductList {
    /// Lists only products whose name matches.
    #[tf(validate(regular_expression()))]
    name_regex: Option<String>,
    /// The products, sorted by name.
    products: Tf<Vec<ProductItem>>,
}

/// One of the products.
#[derive(Model)]
pub(crate) struct ProductItem {
    /// Identifier: `product-` and the numeric ID of the GitLab group.
    id: Tf<String>,
    /// Name of the product.
    name: Tf<String>,
    /// Numeric ID of the GitLab group.
    group_id: Tf<u64>,
    /// Path of the GitLab group with its parent groups.
    full_path: Tf<String>,
    /// Web page of the GitLab group.
    web_url: Tf<String>,
    /// Numeric ID of the GitLab project of the configuration repository.
    config_project_id: Tf<u64>,
    /// The configuration repository.
    config_repository: Tf<ConfigRepositoryModel>,
}

/// `nautes_products`.
pub(crate) struct ProductsDataSource;

impl DataSource for ProductsDataSource {
    type Client = Client;
    type Data = ProductList;
    const TYPE_NAME: &'static str = "nautes_products";
    const DESCRIPTION: &'static str = "Lists the products that the provider's token can see: the groups with a configuration repository, below the provider's parent group if it has one.";
    const REQUIRED: &'static [&'static str] = &[];
    const OPTIONAL: &'static [&'static str] = &["name_regex"];

    async fn read(
        &self,
        context: &mut Context<Client>,
        config: PlanOf<ProductList>,
    ) -> Result<ProductList, Diagnostics> {
        let client = context.client();
        let name_regex = config.name_regex.into_known();
        let pattern = compile_name_regex(name_regex.as_deref())?;
        let products = client.products()?.list().await;
        let products = products.context("list the configuration repositories of products")?;
        let matching = products.iter().filter(|(name, _)| {
            pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(name))
        });
        let items = matching.map(|(name, project)| ProductItem {
            id: Known(ProductId::new(project.namespace.id).to_string()),
            name: Known(name.clone()),
            group_id: Known(project.namespace.id),
            full_path: Known(project.namespace.full_path.clone()),
            web_url: project.namespace.web_url.clone().into(),
            config_project_id: Known(project.id),
            config_repository: Known(ConfigRepositoryModel::from(project)),
        });
        Ok(ProductList {
            name_regex,
            products: Known(items.collect()),
        })
    }
}
