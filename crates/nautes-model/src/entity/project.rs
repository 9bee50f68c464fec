//! Projects.

use serde::{Deserialize, Serialize};

use super::go_zero;
use crate::entity_name::EntityName;
use crate::id::ProductId;

/// A microservice of a product. It is not a GitLab project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The product.
    pub product: ProductId,
    /// The name, unique in the product.
    pub name: EntityName,
    /// Free text; no component reads it.
    pub language: String,
}

/// The `spec` of the manifest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectSpec {
    #[serde(default, deserialize_with = "go_zero::null_as_default")]
    language: String,
    product: ProductId,
}

impl From<&Project> for ProjectSpec {
    fn from(project: &Project) -> Self {
        Self {
            language: project.language.clone(),
            product: project.product,
        }
    }
}

impl ProjectSpec {
    pub(super) fn into_entity(self, name: EntityName) -> Project {
        Project {
            product: self.product,
            name,
            language: self.language,
        }
    }
}
