//! `nautes_code_repos`: the code repositories of a product.

use std::collections::BTreeSet;

use nautes_model::entity::{CodeRepo, Entity};
use nautes_model::{EntityName, Kind};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use crate::backends::gitlab::Project;
use crate::resources::attribute::entity_reference;
use crate::resources::gitlab_attribute::visibility_name;
use crate::resources::manifest::{EntityList, ListArguments, Listed};

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
    /// Path of the GitLab project with its groups. This and what follows of the project is null if
    /// the token does not see it in the product's group.
    path: Tf<String>,
    /// Web page of the GitLab project.
    web_url: Tf<String>,
    /// URL to clone it over HTTP.
    http_url: Tf<String>,
    /// URL to clone it over SSH.
    ssh_url: Tf<String>,
    /// The default branch.
    default_branch: Tf<String>,
    /// Visibility of the GitLab project.
    visibility: Tf<String>,
    /// Kubernetes namespace of the product's entities.
    namespace: Tf<String>,
    /// Path of the manifest in the product's configuration repository.
    manifest_path: Tf<String>,
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

    const SHOWS_PROJECTS: bool = true;

    fn new(arguments: ListArguments, project: Option<String>, found: &Listed<'_>) -> Self {
        let items = found
            .entities
            .iter()
            .filter_map(|(entity, path)| match entity {
                Entity::CodeRepo(repo) => {
                    let project = found.projects.get(&repo.id.number());
                    Some(CodeRepoItem::new(repo, path, project))
                }
                _ => None,
            });
        Self {
            arguments,
            project,
            code_repos: Known(items.collect()),
        }
    }
}

impl CodeRepoItem {
    /// Describes a repository; `found` is its GitLab project, if the owner of the token sees it in
    /// the product's group.
    fn new(repo: &CodeRepo, path: &str, found: Option<&Project>) -> Self {
        let text = |of: fn(&Project) -> &String| found.map(|project| of(project).clone()).into();
        Self {
            path: text(|project| &project.path_with_namespace),
            web_url: text(|project| &project.web_url),
            http_url: text(|project| &project.http_url_to_repo),
            ssh_url: text(|project| &project.ssh_url_to_repo),
            default_branch: found
                .and_then(|project| project.default_branch.clone())
                .into(),
            visibility: found
                .map(|project| visibility_name(project.visibility).to_owned())
                .into(),
            namespace: Known(repo.product.to_string()),
            manifest_path: Known(path.to_owned()),
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
