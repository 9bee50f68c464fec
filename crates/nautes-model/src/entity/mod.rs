//! The seven kinds of entities that have a manifest, one module each.
//!
//! The public struct is the domain type, with ids, sets and maps. The private `…Spec` is the `spec`
//! of the manifest, with the keys and the empty values that Nautes v0.4.2 writes
//! (`api/kubernetes/v1alpha1/*_types.go`). An optional string is never empty in a parsed entity;
//! rendering treats an empty one like `None`.

mod cluster;
mod code_repo;
mod code_repo_binding;
mod deployment_runtime;
mod environment;
mod go_zero;
mod pipeline_runtime;
mod project;
pub mod webhook_event;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use cluster::{
    Cluster, ClusterResource, ClusterShape, ClusterType, ClusterUsage, Component, ComponentSlot,
    ShapeError, WorkerType,
};
pub use code_repo::CodeRepo;
pub use code_repo_binding::{CodeRepoBinding, Permissions};
pub use deployment_runtime::{DeploymentDestination, DeploymentRuntime, ManifestSource};
pub use environment::Environment;
pub use pipeline_runtime::{
    AdditionalResources, Calendar, EventSource, GitlabEvents, Hook, Hooks, InputSource, Isolation,
    Pipeline, PipelineDestination, PipelineRuntime, PipelineTrigger, TriggerInput,
};
pub use project::Project;

use crate::entity_name::EntityName;
use crate::id::{IdError, ProductId, RepositoryId};
use crate::kind::{EntityKey, Kind};

/// A manifest of a known kind does not describe an entity.
#[derive(Debug, thiserror::Error)]
pub enum EntityError {
    /// The `spec` lacks a key, or a value has the wrong type or form.
    #[error("its `spec` is not valid for its kind")]
    Shape(#[source] serde_json::Error),
    /// Two items of a list have the same name.
    #[error("its list `{list}` has two items named `{name}`")]
    DuplicateName {
        /// The key of the list.
        list: &'static str,
        /// The name.
        name: String,
    },
    /// An input of a trigger has no source, or two.
    #[error("a trigger input needs exactly one of `builtInVar` and `fromEvent`")]
    InputSource,
    /// The parts of a cluster's shape do not fit together.
    #[error("its cluster type, usage, worker type and host cluster do not fit together")]
    ClusterShape(#[from] ShapeError),
    /// The name of a code repository, or the namespace, is not an id.
    #[error("its name or namespace is not an id")]
    Id(#[from] IdError),
    /// The kind is `Product`, which has no manifest.
    #[error("a product has no manifest")]
    Product,
    /// The product of a pipeline runtime is unknown.
    #[error("it does not name a product")]
    NoProduct,
}

/// An entity with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    /// A cluster.
    Cluster(Cluster),
    /// An environment.
    Environment(Environment),
    /// A project.
    Project(Project),
    /// A code repository.
    CodeRepo(CodeRepo),
    /// A binding.
    CodeRepoBinding(CodeRepoBinding),
    /// A pipeline runtime.
    PipelineRuntime(PipelineRuntime),
    /// A deployment runtime.
    DeploymentRuntime(DeploymentRuntime),
}

impl Entity {
    /// Returns the kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Cluster(_) => Kind::Cluster,
            Self::Environment(_) => Kind::Environment,
            Self::Project(_) => Kind::Project,
            Self::CodeRepo(_) => Kind::CodeRepo,
            Self::CodeRepoBinding(_) => Kind::CodeRepoBinding,
            Self::PipelineRuntime(_) => Kind::PipelineRuntime,
            Self::DeploymentRuntime(_) => Kind::DeploymentRuntime,
        }
    }

    /// Returns the `metadata.name`.
    pub fn name(&self) -> EntityName {
        match self {
            Self::Cluster(entity) => entity.name.clone(),
            Self::Environment(entity) => entity.name.clone(),
            Self::Project(entity) => entity.name.clone(),
            Self::CodeRepo(entity) => entity.id.into(),
            Self::CodeRepoBinding(entity) => entity.name.clone(),
            Self::PipelineRuntime(entity) => entity.name.clone(),
            Self::DeploymentRuntime(entity) => entity.name.clone(),
        }
    }

    /// Returns the key that identifies the entity in its configuration repository.
    pub fn key(&self) -> EntityKey {
        EntityKey::new(self.kind(), self.name())
    }

    /// Returns the product; `None` for clusters.
    pub const fn product(&self) -> Option<ProductId> {
        match self {
            Self::Cluster(_) => None,
            Self::Environment(entity) => Some(entity.product),
            Self::Project(entity) => Some(entity.product),
            Self::CodeRepo(entity) => Some(entity.product),
            Self::CodeRepoBinding(entity) => Some(entity.product),
            Self::PipelineRuntime(entity) => Some(entity.product),
            Self::DeploymentRuntime(entity) => Some(entity.product),
        }
    }

    /// Returns the `metadata.namespace`, for the kinds whose manifests have one.
    pub(crate) fn namespace(&self) -> Option<String> {
        match self {
            Self::Cluster(entity) => Some(entity.namespace.clone()),
            Self::PipelineRuntime(entity) => Some(entity.product.to_string()),
            Self::DeploymentRuntime(entity) => Some(entity.product.to_string()),
            Self::Environment(_)
            | Self::Project(_)
            | Self::CodeRepo(_)
            | Self::CodeRepoBinding(_) => None,
        }
    }

    /// Returns the `spec` of the manifest.
    pub(crate) fn spec(&self) -> Value {
        match self {
            Self::Cluster(entity) => json!(cluster::ClusterSpec::from(entity)),
            Self::Environment(entity) => json!(environment::EnvironmentSpec::from(entity)),
            Self::Project(entity) => json!(project::ProjectSpec::from(entity)),
            Self::CodeRepo(entity) => json!(code_repo::CodeRepoSpec::from(entity)),
            Self::CodeRepoBinding(entity) => {
                json!(code_repo_binding::CodeRepoBindingSpec::from(entity))
            }
            Self::PipelineRuntime(entity) => {
                json!(pipeline_runtime::PipelineRuntimeSpec::from(entity))
            }
            Self::DeploymentRuntime(entity) => {
                json!(deployment_runtime::DeploymentRuntimeSpec::from(entity))
            }
        }
    }

    /// Builds an entity from the parts of its manifest.
    ///
    /// `product` is the owner of the repository, for a pipeline runtime without a namespace.
    pub(crate) fn from_parts(
        kind: Kind,
        name: EntityName,
        namespace: Option<String>,
        spec: &Value,
        product: Option<ProductId>,
    ) -> Result<Self, EntityError> {
        Ok(match kind {
            Kind::Product => return Err(EntityError::Product),
            Kind::Cluster => Self::Cluster(parse::<cluster::ClusterSpec>(spec)?.into_entity(
                name,
                namespace.unwrap_or_else(|| Cluster::NAMESPACE.to_owned()),
            )?),
            Kind::Environment => {
                Self::Environment(parse::<environment::EnvironmentSpec>(spec)?.into_entity(name))
            }
            Kind::Project => Self::Project(parse::<project::ProjectSpec>(spec)?.into_entity(name)),
            Kind::CodeRepo => {
                let id: RepositoryId = name.parse()?;
                Self::CodeRepo(parse::<code_repo::CodeRepoSpec>(spec)?.into_entity(id))
            }
            Kind::CodeRepoBinding => Self::CodeRepoBinding(
                parse::<code_repo_binding::CodeRepoBindingSpec>(spec)?.into_entity(name),
            ),
            Kind::PipelineRuntime => {
                let product = match namespace {
                    Some(namespace) => namespace.parse()?,
                    None => product.ok_or(EntityError::NoProduct)?,
                };
                let spec: pipeline_runtime::PipelineRuntimeSpec = parse(spec)?;
                Self::PipelineRuntime(spec.into_entity(product, name)?)
            }
            Kind::DeploymentRuntime => Self::DeploymentRuntime(
                parse::<deployment_runtime::DeploymentRuntimeSpec>(spec)?.into_entity(name),
            ),
        })
    }
}

fn parse<T: DeserializeOwned>(spec: &Value) -> Result<T, EntityError> {
    T::deserialize(spec).map_err(EntityError::Shape)
}

macro_rules! entity_from {
    ($($kind:ident),+) => {
        $(impl From<$kind> for Entity {
            fn from(entity: $kind) -> Self {
                Self::$kind(entity)
            }
        })+
    };
}

entity_from!(
    Cluster,
    Environment,
    Project,
    CodeRepo,
    CodeRepoBinding,
    PipelineRuntime,
    DeploymentRuntime
);
