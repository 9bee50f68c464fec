//! What a product still holds, which guards it against being destroyed by accident.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use nautes_model::entity::Entity;
use nautes_model::{EntityKey, Kind, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::config_repository;
use crate::backends::gitlab::Project;
use crate::diagnostics::Attempted as _;
use crate::provider::Client;
use crate::resources::unfinished;

/// What is in a product besides its configuration repository.
#[derive(Debug, Default)]
pub(crate) struct Work {
    repositories: Vec<Project>,
    entities: Vec<EntityKey>,
    /// Repositories that the product's manifests name.
    named: BTreeSet<RepositoryId>,
    /// Repositories whose projects were never finished.
    unfinished: BTreeSet<RepositoryId>,
}

impl Work {
    /// Looks into a product.
    pub(crate) async fn find(
        client: &Client,
        product: ProductId,
        config_project: Option<u64>,
    ) -> Result<Self, Diagnostics> {
        let (unfinished, repositories): (Vec<_>, Vec<_>) = repositories(client, product)
            .await?
            .into_iter()
            .partition(is_unfinished);
        let mut entities = entities(client, product, config_project).await?;
        let named = entities.iter().filter_map(repository_id).collect();
        // Of a repository without a project, or with one that was never finished, no work is lost.
        entities.retain(|key| {
            let id = repository_id(key);
            let mut projects = repositories.iter();
            id.is_none_or(|id| projects.any(|project| project.id == id.number()))
        });
        let unfinished = unfinished.iter();
        Ok(Self {
            repositories,
            entities,
            named,
            unfinished: unfinished
                .map(|project| RepositoryId::new(project.id))
                .collect(),
        })
    }

    /// Looks for repositories that no manifest names.
    ///
    /// At plan time the rest is no reason to worry: Terraform plans deletions of removed resources in any order.
    pub(crate) async fn unmanaged(
        client: &Client,
        product: ProductId,
        config_project: Option<u64>,
    ) -> Result<Self, Diagnostics> {
        let mut repositories = repositories(client, product).await?;
        repositories.retain(|project| !is_unfinished(project));
        if !repositories.is_empty() {
            let entities = entities(client, product, config_project).await?;
            repositories.retain(|project| {
                let id = Some(RepositoryId::new(project.id));
                !entities.iter().any(|key| repository_id(key) == id)
            });
        }
        Ok(Self {
            repositories,
            ..Self::default()
        })
    }

    /// The repositories that may have credentials: those that a manifest names, and those that were never finished.
    pub(crate) fn with_credentials(&self) -> BTreeSet<RepositoryId> {
        self.named.union(&self.unfinished).copied().collect()
    }

    /// Returns the error of a destroy that would lose the work; `Ok` if there is none.
    pub(crate) fn check(&self, name: &str) -> Result<(), Diagnostics> {
        if self.repositories.is_empty() && self.entities.is_empty() {
            return Ok(());
        }
        let mut text = format!("The product {name} cannot be destroyed, because it still holds:\n");
        for project in &self.repositories {
            let archived = if project.archived { " (archived)" } else { "" };
            let path = &project.path_with_namespace;
            let _ = writeln!(text, "  - the repository {path}{archived}");
        }
        for key in &self.entities {
            let _ = writeln!(text, "  - the {key}");
        }
        text.push_str("\nDelete or move these first. To destroy the product with everything in it, set force_destroy = true and apply that before destroying.");
        Err(Diagnostic::error(format!("The product {name} is not empty"), text).into())
    }
}

/// The id of the repository that an entity is, if it is one.
fn repository_id(key: &EntityKey) -> Option<RepositoryId> {
    match key.kind {
        Kind::CodeRepo => key.name.parse().ok(),
        _ => None,
    }
}

/// The projects of a product, but for its configuration repository and what is marked for deletion.
async fn repositories(client: &Client, product: ProductId) -> Result<Vec<Project>, Diagnostics> {
    let projects = client.gitlab()?.group_projects(product.number()).await;
    let mut projects = projects.attempted(format!("list the projects of {product}"))?;
    projects.retain(|project| {
        let is_config_repository =
            project.path == config_repository::NAME && project.namespace.id == product.number();
        !is_config_repository && !project.is_marked_for_deletion()
    });
    Ok(projects)
}

fn is_unfinished(project: &Project) -> bool {
    unfinished::is_marked(project.description.as_deref().unwrap_or_default())
}

async fn entities(
    client: &Client,
    product: ProductId,
    config_project: Option<u64>,
) -> Result<Vec<EntityKey>, Diagnostics> {
    let Some(config_project) = config_project else {
        return Ok(Vec::new());
    };
    let repository = client.config_repositories()?.open(product, config_project);
    let snapshot = repository.fresh_snapshot().await;
    let snapshot = snapshot.attempted(format!("read the manifests of {product}"))?;
    Ok(snapshot.tree().entities().map(Entity::key).collect())
}
