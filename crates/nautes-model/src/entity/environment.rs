//! Environments.

use serde::{Deserialize, Serialize};

use crate::entity_name::EntityName;
use crate::id::ProductId;

/// A stage of a product, on one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The product.
    pub product: ProductId,
    /// The name, unique in the product.
    pub name: EntityName,
    /// The cluster of the runtimes in this environment.
    pub cluster: EntityName,
    /// Free text, such as `dev` or `production`; no component reads it.
    pub env_type: String,
}

/// The `spec` of the manifest.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvironmentSpec {
    cluster: EntityName,
    env_type: String,
    product: ProductId,
}

impl From<&Environment> for EnvironmentSpec {
    fn from(environment: &Environment) -> Self {
        Self {
            cluster: environment.cluster.clone(),
            env_type: environment.env_type.clone(),
            product: environment.product,
        }
    }
}

impl EnvironmentSpec {
    pub(super) fn into_entity(self, name: EntityName) -> Environment {
        Environment {
            product: self.product,
            name,
            cluster: self.cluster,
            env_type: self.env_type,
        }
    }
}
