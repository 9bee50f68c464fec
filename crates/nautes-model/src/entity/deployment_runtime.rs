//! Deployment runtimes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::blank;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};

/// What keeps the manifests of one folder of a repository deployed in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentRuntime {
    /// The product.
    pub product: ProductId,
    /// The name, unique in the product.
    pub name: EntityName,
    /// The projects that it deploys; each needs the permission to use the manifests' repository.
    pub projects: BTreeSet<EntityName>,
    /// Where the manifests come from.
    pub manifest_source: ManifestSource,
    /// Where they go.
    pub destination: DeploymentDestination,
    /// The machine account; [`DeploymentRuntime::effective_account`] when none.
    pub account: Option<String>,
}

impl DeploymentRuntime {
    /// Returns the namespaces that the runtime uses: by default one with its own name.
    pub fn effective_namespaces(&self) -> Vec<&str> {
        if self.destination.namespaces.is_empty() {
            vec![self.name.as_str()]
        } else {
            self.destination
                .namespaces
                .iter()
                .map(String::as_str)
                .collect()
        }
    }

    /// Returns the machine account: by default one with the runtime's name.
    pub fn effective_account(&self) -> &str {
        self.account
            .as_deref()
            .filter(|account| !account.is_empty())
            .unwrap_or(&self.name)
    }
}

/// A folder of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestSource {
    /// The repository.
    pub code_repo: RepositoryId,
    /// A branch, tag or commit.
    pub target_revision: String,
    /// The folder.
    pub path: String,
}

/// Where manifests are deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentDestination {
    /// The environment, which names the cluster.
    pub environment: EntityName,
    /// The namespaces, the first being that of manifests that name none.
    #[serde(
        default,
        deserialize_with = "blank::null_is_empty",
        serialize_with = "blank::empty_is_null"
    )]
    pub namespaces: Vec<String>,
}

/// The `spec` of the manifest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeploymentRuntimeSpec {
    #[serde(default, with = "blank", skip_serializing_if = "blank::is_blank")]
    account: Option<String>,
    destination: DeploymentDestination,
    manifest_source: ManifestSource,
    product: ProductId,
    #[serde(
        default,
        deserialize_with = "blank::null_is_empty",
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    projects_ref: BTreeSet<EntityName>,
}

impl From<&DeploymentRuntime> for DeploymentRuntimeSpec {
    fn from(runtime: &DeploymentRuntime) -> Self {
        Self {
            account: runtime.account.clone(),
            destination: runtime.destination.clone(),
            manifest_source: runtime.manifest_source.clone(),
            product: runtime.product,
            projects_ref: runtime.projects.clone(),
        }
    }
}

impl DeploymentRuntimeSpec {
    pub(super) fn named(self, name: EntityName) -> DeploymentRuntime {
        DeploymentRuntime {
            product: self.product,
            name,
            projects: self.projects_ref,
            manifest_source: self.manifest_source,
            destination: self.destination,
            account: self.account,
        }
    }
}
