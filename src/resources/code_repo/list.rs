//! `nautes_code_repos`: the code repositories of a product.

use std::collections::BTreeSet;

use nautes_model::entity::{CodeRepo, Entity};
use nautes_model::{EntityName, Kind, ProductId};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use crate::resources::attribute::entity_reference;
use crate::resources::manifest::{EntityList, ListArguments};

/// The code repositories of a product.
#[derive(Model)]
pub(crate) struct CodeRepoList {
    /// The arguments that every list has.
    #[tf(flatten)]
    arguments: ListArguments,
    /// Lists only repositories that this project owns, by id or by name.
    #[tf(validate(entity_reference("a project")))]
    project: Option<String>,
    /// The repositories, sorted by name.
    code_repos: Tf<Vec<CodeRepoItem>>,
}

/// One of the repositories.
#[derive(Model)]
pub(crate) struct CodeRepoItem {
    /// Identifier: `repo-` and the numeric ID of the GitLab project.
    id: Tf<String>,
    /// Name of the repository.
    name: Tf<String>,
    /// Numeric ID of the GitLab project.
    project_id: Tf<u64>,
    /// Name of the project that owns the repository, if there is one.
    project: Tf<String>,
    /// Whether the repository holds pipelines.
    pipeline_runtime: Tf<bool>,
    /// Whether the repository holds deployment manifests.
    deployment_runtime: Tf<bool>,
    /// Events that GitLab reports to pipeline runtimes.
    webhook_events: Tf<BTreeSet<String>>,
}

impl EntityList for CodeRepoList {
    const KIND: Kind = Kind::CodeRepo;
    const TYPE_NAME: &'static str = "nautes_code_repos";
    const DESCRIPTION: &'static str = "Lists the code repositories of a product.";
    const OPTIONAL: &'static [&'static str] = &["project", "name_regex"];

    fn arguments(config: &PlanOf<Self>) -> &PlanOf<ListArguments> {
        &config.arguments
    }

    fn project(config: &PlanOf<Self>) -> Option<String> {
        config.project.known().cloned()
    }

    fn is_of_project(entity: &Entity, project: &EntityName) -> bool {
        matches!(entity, Entity::CodeRepo(repo) if repo.project.as_ref() == Some(project))
    }

    fn name(entity: &Entity) -> String {
        match entity {
            Entity::CodeRepo(repo) => repo.repo_name.clone(),
            other => other.name().to_string(),
        }
    }

    fn new(
        arguments: ListArguments,
        project: Option<String>,
        _: ProductId,
        entities: &[&Entity],
    ) -> Self {
        let item = |entity: &&Entity| match entity {
            Entity::CodeRepo(repo) => Some(CodeRepoItem::from(repo)),
            _ => None,
        };
        Self {
            arguments,
            project,
            code_repos: Known(entities.iter().filter_map(item).collect()),
        }
    }
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
