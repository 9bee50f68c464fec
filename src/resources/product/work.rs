//! What a product still holds, which guards it against being destroyed by accident.

use std::fmt::Write as _;

use nautes_model::entity::Entity;
use nautes_model::{EntityKey, Kind, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::{config_repository, unfinished};
use crate::backends::gitlab::Project;
use crate::diagnostics::Attempted as _;
use crate::provider::Client;

/// What is in a product besides its configuration repository.
#[derive(Debug, Default)]
pub(crate) struct Work {
    repositories: Vec<Project>,
    entities: Vec<EntityKey>,
}

impl Work {
    /// Looks into a product.
    pub(crate) async fn find(
        client: &Client,
        product: ProductId,
        config_project: Option<u64>,
    ) -> Result<Self, Diagnostics> {
        let repositories = repositories(client, product).await?;
        let entities = entities(client, product, config_project).await?;
        Ok(Self {
            repositories,
            entities,
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
        if !repositories.is_empty() {
            let entities = entities(client, product, config_project).await?;
            repositories.retain(|project| {
                let name = RepositoryId::new(project.id).to_string();
                !entities
                    .iter()
                    .any(|key| key.kind == Kind::CodeRepo && *key.name == *name)
            });
        }
        Ok(Self {
            repositories,
            entities: Vec::new(),
        })
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

/// The projects of a product that hold work: neither its configuration repository nor what goes anyhow.
async fn repositories(client: &Client, product: ProductId) -> Result<Vec<Project>, Diagnostics> {
    let projects = client.gitlab()?.group_projects(product.number()).await;
    let mut projects = projects.attempted(format!("list the projects of {product}"))?;
    projects.retain(|project| {
        let description = project.description.as_deref().unwrap_or_default();
        let is_config_repository =
            project.path == config_repository::NAME && project.namespace.id == product.number();
        !is_config_repository
            && !project.is_marked_for_deletion()
            && !unfinished::is_marked(description)
    });
    Ok(projects)
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
