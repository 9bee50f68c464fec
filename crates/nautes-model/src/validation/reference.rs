//! The references of an entity, and the code repositories that it uses.

use super::field::FieldPath;
use crate::entity::{DeploymentRuntime, Entity, PipelineRuntime};
use crate::entity_name::EntityName;
use crate::id::RepositoryId;
use crate::kind::{EntityKey, Kind};

/// A field that refers to another entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The field.
    pub field: FieldPath,
    /// The entity that it refers to.
    pub target: EntityKey,
}

/// A field through which a project uses a code repository, which requires permission.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RepositoryUse {
    pub(super) field: FieldPath,
    pub(super) project: EntityName,
    pub(super) code_repo: RepositoryId,
}

/// Returns the references of an entity.
pub fn references(entity: &Entity) -> Vec<Reference> {
    match entity {
        Entity::Cluster(cluster) => cluster
            .shape
            .host_cluster()
            .map(|host| named(FieldPath::new("host_cluster"), Kind::Cluster, host))
            .into_iter()
            .collect(),
        Entity::Environment(environment) => {
            vec![named(
                FieldPath::new("cluster"),
                Kind::Cluster,
                &environment.cluster,
            )]
        }
        Entity::Project(_) => Vec::new(),
        Entity::CodeRepo(repo) => repo
            .project
            .iter()
            .map(|project| named(FieldPath::new("project"), Kind::Project, project))
            .collect(),
        Entity::CodeRepoBinding(binding) => {
            let projects = binding
                .projects
                .iter()
                .map(|project| named(FieldPath::new("projects"), Kind::Project, project));
            std::iter::once(repository(FieldPath::new("code_repo"), binding.code_repo))
                .chain(projects)
                .collect()
        }
        Entity::PipelineRuntime(runtime) => {
            let fixed = [
                named(FieldPath::new("project"), Kind::Project, &runtime.project),
                named(
                    destination(),
                    Kind::Environment,
                    &runtime.destination.environment,
                ),
            ];
            let repositories = pipeline_uses(runtime)
                .into_iter()
                .map(|repository_use| repository(repository_use.field, repository_use.code_repo));
            fixed.into_iter().chain(repositories).collect()
        }
        Entity::DeploymentRuntime(runtime) => {
            let projects = runtime
                .projects
                .iter()
                .map(|project| named(FieldPath::new("projects"), Kind::Project, project));
            let fixed = [
                named(
                    destination(),
                    Kind::Environment,
                    &runtime.destination.environment,
                ),
                repository(manifest_source(), runtime.manifest_source.code_repo),
            ];
            fixed.into_iter().chain(projects).collect()
        }
    }
}

/// Returns the uses of code repositories that require permission.
pub(super) fn repository_uses(entity: &Entity) -> Vec<RepositoryUse> {
    match entity {
        Entity::PipelineRuntime(runtime) => pipeline_uses(runtime),
        Entity::DeploymentRuntime(runtime) => deployment_uses(runtime),
        Entity::Cluster(_)
        | Entity::Environment(_)
        | Entity::Project(_)
        | Entity::CodeRepo(_)
        | Entity::CodeRepoBinding(_) => Vec::new(),
    }
}

fn pipeline_uses(runtime: &PipelineRuntime) -> Vec<RepositoryUse> {
    let source = (FieldPath::new("pipeline_source"), runtime.pipeline_source);
    let events = runtime.event_sources.iter().filter_map(|(name, source)| {
        let field = FieldPath::new("event_sources").key(name.as_str());
        let field = field.attribute("gitlab").attribute("code_repo");
        Some((field, source.gitlab.as_ref()?.code_repo))
    });
    let additional = runtime.additional_resources.as_ref().and_then(|resources| {
        Some((
            FieldPath::new("additional_resources").attribute("code_repo"),
            resources.code_repo?,
        ))
    });
    std::iter::once(source)
        .chain(events)
        .chain(additional)
        .map(|(field, code_repo)| RepositoryUse {
            field,
            project: runtime.project.clone(),
            code_repo,
        })
        .collect()
}

fn deployment_uses(runtime: &DeploymentRuntime) -> Vec<RepositoryUse> {
    runtime
        .projects
        .iter()
        .map(|project| RepositoryUse {
            field: manifest_source(),
            project: project.clone(),
            code_repo: runtime.manifest_source.code_repo,
        })
        .collect()
}

pub(super) fn destination() -> FieldPath {
    FieldPath::new("destination").attribute("environment")
}

fn manifest_source() -> FieldPath {
    FieldPath::new("manifest_source").attribute("code_repo")
}

fn named(field: FieldPath, kind: Kind, name: &EntityName) -> Reference {
    Reference {
        field,
        target: EntityKey::new(kind, name.clone()),
    }
}

fn repository(field: FieldPath, id: RepositoryId) -> Reference {
    Reference {
        field,
        target: EntityKey::new(Kind::CodeRepo, id.into()),
    }
}
