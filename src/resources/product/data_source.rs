//! `data "nautes_product"`: one product, by name or by id.

use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::value::Path;

use super::model::ProductModel;
use crate::client::Client;
use crate::resources::attribute::check_id_or_name;

/// `data "nautes_product"`.
pub(crate) struct ProductDataSource;

impl DataSource for ProductDataSource {
    type Client = Client;
    type Data = ProductModel;
    const TYPE_NAME: &'static str = "nautes_product";
    const DESCRIPTION: &'static str = "Looks up a product, by name or by id.";
    const REQUIRED: &'static [&'static str] = &[];
    const OPTIONAL: &'static [&'static str] = &["id", "name"];
    const OMITTED: &'static [&'static str] = &[
        "adopt_existing",
        "force_destroy",
        "deletion_policy",
        "permanently_remove",
        "timeouts",
        "drift",
    ];

    fn validate(&self, config: &PlanOf<ProductModel>) -> Diagnostics {
        check_id_or_name(&config.id, &config.name)
    }

    async fn read(
        &self,
        context: &mut Context<Client>,
        config: PlanOf<ProductModel>,
    ) -> Result<ProductModel, Diagnostics> {
        let client = context.client();
        let (attribute, reference) = match config.id.known() {
            Some(id) => ("id", id),
            None => ("name", config.name.require_known("name")?),
        };
        let at_fault = Path::to(attribute);
        let products = client.products()?;
        let id = products.resolve(reference).await;
        let id = id.map_err(|found| {
            found
                .into_iter()
                .map(|d| d.at(&at_fault))
                .collect::<Diagnostics>()
        })?;
        let product = products.get(id).await?.ok_or_else(|| {
            let detail = format!(
                "There is no product {reference}. Check the value, or create the product first."
            );
            Diagnostic::error(format!("The product {reference} does not exist"), detail)
                .at(&at_fault)
        })?;
        Ok(ProductModel::new(
            &product.group,
            product.config_project.as_ref(),
        ))
    }
}
