//! `nautes_code_repos`: the code repositories of a product.

use std::collections::BTreeSet;
use std::sync::Arc;

use nautes_model::Kind;
use nautes_model::entity::{CodeRepo, Entity};
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use crate::provider::Client;
use crate::resources::attribute::{entity_reference, product_reference};
use crate::resources::manifest::Referring;
use crate::resources::manifest::listing::{compiled, entities, regular_expression};

/// The code repositories of a product.
#[derive(Model)]
pub(crate) struct CodeRepoList {
    /// The product, by id or by name.
    #[tf(validate(product_reference()))]
    product: String,
    /// Lists only repositories that this project owns, by id or by name.
    #[tf(validate(entity_reference("a project")))]
    project: Option<String>,
    /// Lists only repositories whose name matches.
    #[tf(validate(regular_expression()))]
    name_regex: Option<String>,
    /// The repositories, sorted by name.
    code_repos: Tf<Vec<CodeRepoItem>>,
}

/// One of the repositories.
#[derive(Model)]
pub(crate) struct CodeRepoItem {
    /// Identifier: `repo-` and the number of the GitLab project.
    id: Tf<String>,
    /// Name of the repository.
    name: Tf<String>,
    /// Number of the GitLab project.
    project_id: Tf<u64>,
    /// Name of the project that owns the repository, if there is one.
    project: Tf<String>,
    /// Whether the repository holds pipelines.
    pipeline_runtime: Tf<bool>,
    /// Whether the repository holds deployment manifests.
    deployment_runtime: Tf<bool>,
    /// Events of which GitLab tells pipeline runtimes.
    webhook_events: Tf<BTreeSet<String>>,
}

impl From<&CodeRepo> for CodeRepoItem {
    fn from(repo: &CodeRepo) -> Self {
        Self {
            id: Known(repo.id.to_string()),
            name: Known(repo.repo_name.clone()),
            project_id: Known(repo.id.number()),
            project: repo.project.as_ref().map(ToString::to_string).into(),
            pipeline_runtime: Known(repo.pipeline_runtime),
            deployment_runtime: Known(repo.deployment_runtime),
            webhook_events: Known(repo.webhook_events.clone().unwrap_or_default()),
        }
    }
}

/// `nautes_code_repos`.
pub(crate) struct CodeReposDataSource;

impl DataSource for CodeReposDataSource {
    type Client = Client;
    type Data = CodeRepoList;
    const TYPE_NAME: &'static str = "nautes_code_repos";
    const DESCRIPTION: &'static str = "Lists the code repositories of a product.";
    const REQUIRED: &'static [&'static str] = &["product"];
    const OPTIONAL: &'static [&'static str] = &["project", "name_regex"];

    async fn read(
        &self,
        client: &Arc<Client>,
        config: PlanOf<CodeRepoList>,
    ) -> Result<CodeRepoList, Diagnostics> {
        let reference = config.product.expect_known("product")?;
        let project = config.project.into_known();
        let name_regex = config.name_regex.into_known();
        let pattern = compiled(name_regex.as_deref())?;
        let (product, found) = entities(client, Kind::CodeRepo, reference, None).await?;
        let referring = Referring { client, product };
        let owner = project
            .as_deref()
            .map(|project| referring.named("project", project))
            .transpose()?;
        let repositories = found.iter().filter_map(|entity| match entity {
            Entity::CodeRepo(repo) => Some(repo),
            _ => None,
        });
        let mut matching: Vec<&CodeRepo> = repositories
            .filter(|repo| owner.is_none() || repo.project == owner)
            .filter(|repo| pattern.as_ref().is_none_or(|p| p.is_match(&repo.repo_name)))
            .collect();
        matching.sort_by(|a, b| a.repo_name.cmp(&b.repo_name));
        Ok(CodeRepoList {
            product: reference.clone(),
            project,
            name_regex,
            code_repos: Known(matching.into_iter().map(CodeRepoItem::from).collect()),
        })
    }
}
