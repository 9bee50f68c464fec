//! `nautes_environments`: the environments of a product.

use nautes_model::entity::Entity;
use nautes_model::reference::EntityId;
use nautes_model::{Kind, ProductId};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use crate::resources::manifest::{EntityList, ListArguments, Listed};

/// The environments of a product.
#[derive(Model)]
pub(crate) struct EnvironmentList {
    /// The arguments that every list has.
    #[tf(flatten)]
    arguments: ListArguments,
    /// The environments, sorted by name.
    environments: Tf<Vec<EnvironmentItem>>,
}

/// One of the environments.
#[derive(Model)]
pub(crate) struct EnvironmentItem {
    /// Identifier: the product's id and the name, with a slash between them.
    id: Tf<String>,
    /// Name of the environment.
    name: Tf<String>,
    /// Cluster in which the environment's runtimes live.
    cluster: Tf<String>,
    /// What the environment is for.
    env_type: Tf<String>,
    /// Kubernetes namespace of the product's entities.
    namespace: Tf<String>,
    /// Path of the manifest in the product's configuration repository.
    manifest_path: Tf<String>,
}

impl EntityList for EnvironmentList {
    const KIND: Kind = Kind::Environment;
    const TYPE_NAME: &'static str = "nautes_environments";
    const DESCRIPTION: &'static str = "Lists the environments of a product.";

    fn arguments(config: &PlanOf<Self>) -> &PlanOf<ListArguments> {
        &config.arguments
    }

    fn new(arguments: ListArguments, _: Option<String>, found: &Listed<'_>) -> Self {
        let items = found.entities.iter();
        let items =
            items.filter_map(|(entity, path)| EnvironmentItem::new(found.product, entity, path));
        Self {
            arguments,
            environments: Known(items.collect()),
        }
    }
}

impl EnvironmentItem {
    fn new(product: ProductId, entity: &Entity, path: &str) -> Option<Self> {
        let Entity::Environment(environment) = entity else {
            return None;
        };
        let name = environment.name.clone();
        Some(Self {
            id: Known(EntityId { product, name }.to_string()),
            namespace: Known(product.to_string()),
            manifest_path: Known(path.to_owned()),
            name: Known(environment.name.to_string()),
            cluster: Known(environment.cluster.to_string()),
            env_type: Known(environment.env_type.clone()),
        })
    }
}
