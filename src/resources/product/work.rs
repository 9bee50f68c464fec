//! What a product still holds, which guards it against being destroyed by accident.

use std::fmt::Write as _;

use nautes_model::{EntityKey, Kind, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::config_repository;
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
        let projects = client.gitlab()?.group_projects(product.number()).await;
        let projects = projects.attempted(format!("list the projects of {product}"))?;
        let repositories = projects.into_iter().filter(|project| {
            project.path != config_repository::NAME && !project.is_marked_for_deletion()
        });
        let repositories = repositories.collect();
        let entities = match config_project {
            Some(config_project) => {
                let repository = client.config_repositories()?.open(product, config_project);
                let snapshot = repository.snapshot().await;
                let snapshot = snapshot.attempted(format!("read the manifests of {product}"))?;
                snapshot
                    .tree()
                    .entities()
                    .map(nautes_model::entity::Entity::key)
                    .collect()
            }
            None => Vec::new(),
        };
        Ok(Self {
            repositories,
            entities,
        })
    }

    /// Leaves only the repositories that no manifest names.
    ///
    /// At plan time the rest is no reason to worry: Terraform plans deletions of removed resources in any order.
    pub(crate) fn unmanaged(self) -> Self {
        let Self {
            repositories,
            entities,
        } = self;
        let is_named = |project: &Project| {
            let name = RepositoryId::new(project.id).to_string();
            entities
                .iter()
                .any(|key| key.kind == Kind::CodeRepo && *key.name == *name)
        };
        let repositories = repositories
            .into_iter()
            .filter(|project| !is_named(project))
            .collect();
        Self {
            repositories,
            entities: Vec::new(),
        }
    }

    /// Returns the error of a destroy that would lose the work; `Ok` if there is none.
    pub(crate) fn check(&self, name: &str) -> Result<(), Diagnostics> {
        if self.repositories.is_empty() && self.entities.is_empty() {
            return Ok(());
        }
        let mut text = format!("The product {name} was not destroyed, because it still holds:\n");
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
