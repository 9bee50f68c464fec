//! `data "nautes_code_repo"`: one code repository, by product and name or by id.

use nautes_model::Kind;
use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::value::Path;

use super::inspect;
use super::model::CodeRepoModel;
use crate::client::Client;
use crate::resources::attribute::check_lookup_arguments;

/// `data "nautes_code_repo"`.
pub(crate) struct CodeRepoDataSource;

impl DataSource for CodeRepoDataSource {
    type Client = Client;
    type Data = CodeRepoModel;
    const TYPE_NAME: &'static str = Kind::CodeRepo.terraform_type();
    const DESCRIPTION: &'static str =
        "Looks up a code repository of a product, by product and name or by id.";
    const REQUIRED: &'static [&'static str] = &[];
    const OPTIONAL: &'static [&'static str] = &["id", "product", "name"];
    const OMITTED: &'static [&'static str] = &[
        "initialize_with_readme",
        "adopt_existing",
        "force_destroy",
        "deletion_policy",
        "permanently_remove",
        "insecure_skip_check",
        "timeouts",
    ];

    fn validate(&self, config: &PlanOf<CodeRepoModel>) -> Diagnostics {
        let common = &config.common;
        check_lookup_arguments(
            !common.id.is_null(),
            !common.product.is_null(),
            !config.name.is_null(),
        )
    }

    async fn read(
        &self,
        context: &mut Context<Client>,
        config: PlanOf<CodeRepoModel>,
    ) -> Result<CodeRepoModel, Diagnostics> {
        let client = context.client();
        let (text, at_fault) = if let Some(id) = config.common.id.known() {
            (id.clone(), Path::to("id"))
        } else {
            let product = config.common.product.require_known("product")?;
            let name = config.name.require_known("name")?;
            (format!("{product}/{name}"), Path::to("name"))
        };
        let found = inspect::find(client, &text).await;
        let found = found.map_err(|found| found.at(&at_fault))?;
        let Some((product, found)) = found else {
            let detail =
                format!("There is no code repository {text}. Check the value, or create it first.");
            let summary = "The code repository does not exist";
            return Err(Diagnostic::error(summary, detail).at(&at_fault).into());
        };
        let mut data = CodeRepoModel::new(product);
        inspect::update_from(client, &mut data, &found, None).await?;
        Ok(data)
    }
}
