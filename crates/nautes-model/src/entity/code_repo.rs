//! Code repositories.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::go_zero;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};

/// A Git repository of a product: source code, pipelines or deployment manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRepo {
    /// The product.
    pub product: ProductId,
    /// The id, from the GitLab project.
    pub id: RepositoryId,
    /// The path of the GitLab project in its group.
    pub repo_name: String,
    /// The name of the `CodeRepoProvider` of the GitLab instance.
    pub code_repo_provider: String,
    /// The project that owns the repository; `None` if it belongs to the product.
    pub project: Option<EntityName>,
    /// Whether it contains deployment manifests; only lists read it.
    pub deployment_runtime: bool,
    /// Whether it contains pipelines; only lists read it.
    pub pipeline_runtime: bool,
    /// The events that GitLab reports, out of [`super::webhook_event::ALL`].
    pub webhook_events: Option<BTreeSet<String>>,
    /// The SSH URL, if it cannot be derived. Only Nautes's own operators set it.
    pub url: Option<String>,
}

/// The `spec` of the manifest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CodeRepoSpec {
    #[serde(default, deserialize_with = "go_zero::null_as_default")]
    code_repo_provider: String,
    #[serde(default, deserialize_with = "go_zero::null_as_default")]
    deployment_runtime: bool,
    #[serde(default, deserialize_with = "go_zero::null_as_default")]
    pipeline_runtime: bool,
    product: ProductId,
    #[serde(default, with = "go_zero")]
    project: Option<EntityName>,
    #[serde(default, deserialize_with = "go_zero::null_as_default")]
    repo_name: String,
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    url: Option<String>,
    #[serde(default)]
    webhook: Option<Webhook>,
}

#[derive(Serialize, Deserialize)]
struct Webhook {
    #[serde(default, deserialize_with = "go_zero::null_as_default")]
    events: BTreeSet<String>,
}

impl From<&CodeRepo> for CodeRepoSpec {
    fn from(repo: &CodeRepo) -> Self {
        Self {
            code_repo_provider: repo.code_repo_provider.clone(),
            deployment_runtime: repo.deployment_runtime,
            pipeline_runtime: repo.pipeline_runtime,
            product: repo.product,
            project: repo.project.clone(),
            repo_name: repo.repo_name.clone(),
            url: repo.url.clone(),
            webhook: repo.webhook_events.clone().map(|events| Webhook { events }),
        }
    }
}

impl CodeRepoSpec {
    pub(super) fn into_entity(self, id: RepositoryId) -> CodeRepo {
        CodeRepo {
            product: self.product,
            id,
            repo_name: self.repo_name,
            code_repo_provider: self.code_repo_provider,
            project: self.project,
            deployment_runtime: self.deployment_runtime,
            pipeline_runtime: self.pipeline_runtime,
            webhook_events: self.webhook.map(|webhook| webhook.events),
            url: self.url,
        }
    }
}
