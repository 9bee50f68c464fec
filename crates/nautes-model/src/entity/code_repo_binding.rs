//! Bindings of code repositories.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::blank;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};

/// The permission of a product, or of some of its projects, to use a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRepoBinding {
    /// The product of the repository and of those who may use it.
    pub product: ProductId,
    /// The name, unique in the product.
    pub name: EntityName,
    /// The repository that is opened.
    pub code_repo: RepositoryId,
    /// The projects that may use it; empty for the whole product.
    pub projects: BTreeSet<EntityName>,
    /// What they may do.
    pub permissions: Permissions,
}

impl CodeRepoBinding {
    /// Tells whether the binding opens its repository to the project.
    pub fn covers(&self, project: &EntityName) -> bool {
        self.projects.is_empty() || self.projects.contains(project)
    }
}

/// What a binding allows.
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

    /// Returns the word in the manifest.
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
        deserialize_with = "blank::null_is_empty",
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
    pub(super) fn named(self, name: EntityName) -> CodeRepoBinding {
        CodeRepoBinding {
            product: self.product,
            name,
            code_repo: self.code_repo,
            projects: self.projects,
            permissions: self.permissions,
        }
    }
}
