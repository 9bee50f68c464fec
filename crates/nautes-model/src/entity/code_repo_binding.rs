//! Code repository bindings.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::go_zero;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};

/// Permits a product, or some of its projects, to use a code repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRepoBinding {
    /// The product of the code repository and of the projects.
    pub product: ProductId,
    /// The name, unique in the product.
    pub name: EntityName,
    /// The code repository.
    pub code_repo: RepositoryId,
    /// The projects that may use it; empty for the whole product.
    pub projects: BTreeSet<EntityName>,
    /// What the projects may do.
    pub permissions: Permissions,
}

impl CodeRepoBinding {
    /// Returns whether the binding applies to a project.
    pub fn covers(&self, project: &EntityName) -> bool {
        self.projects.is_empty() || self.projects.contains(project)
    }
}

/// The permissions of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permissions {
    /// Cloning.
    ReadOnly,
    /// Cloning and pushing.
    ReadWrite,
}

impl Permissions {
    /// All permissions.
    pub const ALL: [Self; 2] = [Self::ReadOnly, Self::ReadWrite];

    /// Returns the value in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "readonly",
            Self::ReadWrite => "readwrite",
        }
    }
}

/// The `spec` of the manifest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CodeRepoBindingSpec {
    code_repo: RepositoryId,
    permissions: Permissions,
    product: ProductId,
    #[serde(
        default,
        deserialize_with = "go_zero::null_as_default",
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    projects: BTreeSet<EntityName>,
}

impl From<&CodeRepoBinding> for CodeRepoBindingSpec {
    fn from(binding: &CodeRepoBinding) -> Self {
        Self {
            code_repo: binding.code_repo,
            permissions: binding.permissions,
            product: binding.product,
            projects: binding.projects.clone(),
        }
    }
}

impl CodeRepoBindingSpec {
    pub(super) fn into_entity(self, name: EntityName) -> CodeRepoBinding {
        CodeRepoBinding {
            product: self.product,
            name,
            code_repo: self.code_repo,
            projects: self.projects,
            permissions: self.permissions,
        }
    }
}
