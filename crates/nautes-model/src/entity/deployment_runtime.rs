//! Deployment runtimes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::go_zero;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};

/// Keeps the manifests in a folder of a code repository deployed in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentRuntime {
    /// The product.
    pub product: ProductId,
    /// The name, unique in the product.
    pub name: EntityName,
    /// The projects that it deploys; each needs permission to use the source's code repository.
    pub projects: BTreeSet<EntityName>,
    /// The source of the manifests.
    pub manifest_source: ManifestSource,
    /// Where the manifests are deployed.
    pub destination: DeploymentDestination,
    /// The service account; see [`DeploymentRuntime::effective_account`] for the default.
    pub account: Option<String>,
}

impl DeploymentRuntime {
    /// Returns the namespaces of the runtime, by default one with the runtime's name.
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

    /// Returns the service account, by default one with the runtime's name.
    pub fn effective_account(&self) -> &str {
        self.account
            .as_deref()
            .filter(|account| !account.is_empty())
            .unwrap_or(&self.name)
    }
}

/// A folder in a code repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestSource {
    /// The code repository.
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
    /// The environment, which determines the cluster.
    pub environment: EntityName,
    /// The namespaces. Manifests without a namespace go into the first one.
    #[serde(
        default,
        deserialize_with = "go_zero::null_as_default",
        serialize_with = "go_zero::empty_as_null"
    )]
    pub namespaces: Vec<String>,
}

/// The `spec` of the manifest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeploymentRuntimeSpec {
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    account: Option<String>,
    destination: DeploymentDestination,
    manifest_source: ManifestSource,
    product: ProductId,
    #[serde(
        default,
        deserialize_with = "go_zero::null_as_default",
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
    pub(super) fn into_entity(self, name: EntityName) -> DeploymentRuntime {
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
