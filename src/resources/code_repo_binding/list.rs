//! `nautes_code_repo_bindings`: the bindings of a product.

use std::collections::BTreeSet;
use std::sync::Arc;

use nautes_model::entity::Entity;
use nautes_model::reference::EntityId;
use nautes_model::{Kind, ProductId};
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use crate::provider::Client;
use crate::resources::attribute::{entity_reference, product_reference};
use crate::resources::manifest::Referring;
use crate::resources::manifest::listing::{entities, regular_expression};

/// The bindings of a product's code repositories.
#[derive(Model)]
pub(crate) struct CodeRepoBindingList {
    /// The product, by id or by name.
    #[tf(validate(product_reference()))]
    product: String,
    /// Lists only bindings that open a repository to this project, by id or by name, among them
    /// those that open it to the whole product.
    #[tf(validate(entity_reference("a project")))]
    project: Option<String>,
    /// Lists only bindings whose name matches.
    #[tf(validate(regular_expression()))]
    name_regex: Option<String>,
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
    /// Names of the projects that may use it; none stands for the whole product.
    projects: Tf<BTreeSet<String>>,
    /// What they may do: `readonly` or `readwrite`.
    permissions: Tf<String>,
}

impl CodeRepoBindingItem {
    fn of(product: ProductId, entity: &Entity) -> Option<Self> {
        let Entity::CodeRepoBinding(binding) = entity else {
            return None;
        };
        let id = EntityId {
            product,
            name: binding.name.clone(),
        };
        let projects = binding.projects.iter().map(ToString::to_string);
        Some(Self {
            id: Known(id.to_string()),
            name: Known(binding.name.to_string()),
            code_repo: Known(binding.code_repo.to_string()),
            projects: Known(projects.collect()),
            permissions: Known(binding.permissions.as_str().to_owned()),
        })
    }
}

/// `nautes_code_repo_bindings`.
pub(crate) struct CodeRepoBindingsDataSource;

impl DataSource for CodeRepoBindingsDataSource {
    type Client = Client;
    type Data = CodeRepoBindingList;
    const TYPE_NAME: &'static str = "nautes_code_repo_bindings";
    const DESCRIPTION: &'static str = "Lists the bindings of a product's code repositories.";
    const REQUIRED: &'static [&'static str] = &["product"];
    const OPTIONAL: &'static [&'static str] = &["project", "name_regex"];

    async fn read(
        &self,
        client: &Arc<Client>,
        config: PlanOf<CodeRepoBindingList>,
    ) -> Result<CodeRepoBindingList, Diagnostics> {
        let reference = config.product.expect_known("product")?;
        let project = config.project.into_known();
        let name_regex = config.name_regex.into_known();
        let kind = Kind::CodeRepoBinding;
        let (product, found) = entities(client, kind, reference, name_regex.as_deref()).await?;
        let referring = Referring { client, product };
        let covered = project
            .as_deref()
            .map(|project| referring.named("project", project))
            .transpose()?;
        let is_covered = |entity: &&Entity| match (entity, &covered) {
            (Entity::CodeRepoBinding(binding), Some(project)) => binding.covers(project),
            _ => true,
        };
        let items = found
            .iter()
            .filter(is_covered)
            .filter_map(|entity| CodeRepoBindingItem::of(product, entity));
        Ok(CodeRepoBindingList {
            product: reference.clone(),
            project,
            name_regex,
            code_repo_bindings: Known(items.collect()),
        })
    }
}
