//! Violations of the rules of a configuration repository.

use super::field::FieldPath;
use super::problem::Problem;
use crate::entity::WorkerType;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};
use crate::kind::{EntityKey, Kind};
use crate::tree::PathTaken;

/// A violation of a rule.
///
/// It holds only what identifies it, so that the same violation in two trees compares equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Violation {
    /// The manifest at fault.
    pub subject: Subject,
    /// The violated rule.
    pub rule: Rule,
}

/// The manifest at fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An entity.
    Entity(EntityKey),
    /// A file that holds no entity, by its path.
    File(String),
}

/// A runtime of the same or of another product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherRuntime {
    /// The other product; `None` for the same product.
    pub product: Option<ProductId>,
    /// The runtime.
    pub key: EntityKey,
}

/// A violated rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The file holds no manifest of a known kind.
    Unreadable {
        /// The parse error.
        reason: String,
    },
    /// The manifest is in a folder where Nautes does not look for it.
    Misplaced {
        /// The path of the manifest.
        path: String,
    },
    /// Several manifests describe the entity.
    Duplicate {
        /// The paths of the manifests.
        paths: Vec<String>,
    },
    /// The path of the entity's manifest is occupied.
    PathTaken {
        /// The path.
        path: String,
        /// The entity at the path; `None` if the file holds no entity.
        occupant: Option<EntityKey>,
    },
    /// A field is invalid, independent of other entities.
    Invalid {
        /// The field.
        field: FieldPath,
        /// The problem.
        problem: Problem,
    },
    /// The manifest names a product other than the owner of the repository.
    ForeignProduct {
        /// The product in the manifest.
        product: ProductId,
    },
    /// A field refers to an entity that does not exist.
    Missing {
        /// The field.
        field: FieldPath,
        /// The entity that it refers to.
        target: EntityKey,
    },
    /// A project uses a code repository without permission.
    NotAuthorised {
        /// The field that uses it.
        field: FieldPath,
        /// The project.
        project: EntityName,
        /// The code repository.
        code_repo: RepositoryId,
    },
    /// A runtime listens to an event that the code repository does not report.
    NotReported {
        /// The field with the event.
        field: FieldPath,
        /// The event.
        event: String,
        /// The code repository.
        code_repo: RepositoryId,
    },
    /// Two environments of a product use the same cluster.
    ClusterShared {
        /// The cluster.
        cluster: EntityName,
        /// The other environment.
        with: EntityKey,
    },
    /// Two runtimes of a product have the same source and the same destination.
    SourceShared {
        /// The other runtime.
        with: EntityKey,
        /// The folder of manifests, or the pipeline file.
        path: String,
    },
    /// Two runtimes use the same namespace but may not.
    NamespaceShared {
        /// The cluster.
        cluster: EntityName,
        /// The namespace.
        namespace: String,
        /// The other runtime.
        with: OtherRuntime,
    },
    /// Runtimes of two products have the same name on a cluster where Argo CD applications are
    /// named after runtimes.
    ApplicationShared {
        /// The cluster.
        cluster: EntityName,
        /// The other runtime.
        with: OtherRuntime,
    },
    /// The worker type of the cluster is not that of the runtime.
    WrongWorkerType {
        /// The cluster.
        cluster: EntityName,
        /// The worker type that the runtime needs.
        expected: WorkerType,
    },
    /// The cluster of a pipeline runtime has no pipeline component.
    NoPipelineComponent {
        /// The cluster.
        cluster: EntityName,
    },
    /// A runtime uses the namespace of a component.
    ReservedNamespace {
        /// The cluster.
        cluster: EntityName,
        /// The namespace.
        namespace: String,
    },
    /// The host of a virtual cluster is a worker.
    NotAHost {
        /// The cluster that it refers to as its host.
        host: EntityName,
    },
    /// The cluster does not exist, but an environment uses it.
    ClusterInUse {
        /// The product.
        product: ProductId,
        /// The environment.
        environment: EntityName,
    },
}

impl Violation {
    pub(super) fn new(key: EntityKey, rule: Rule) -> Self {
        Self {
            subject: Subject::Entity(key),
            rule,
        }
    }

    pub(super) fn in_file(path: impl Into<String>, rule: Rule) -> Self {
        Self {
            subject: Subject::File(path.into()),
            rule,
        }
    }

    /// Returns the entity at fault; `None` if the file holds no entity.
    pub fn entity(&self) -> Option<&EntityKey> {
        match &self.subject {
            Subject::Entity(key) => Some(key),
            Subject::File(_) => None,
        }
    }

    /// Returns whether another change may resolve the violation, so that a refused change can wait
    /// for it: a missing target may be created, a conflicting entity removed.
    pub fn may_resolve(&self) -> bool {
        match &self.rule {
            Rule::PathTaken { .. }
            | Rule::Duplicate { .. }
            | Rule::Missing { .. }
            | Rule::NotAuthorised { .. }
            | Rule::NotReported { .. }
            | Rule::ClusterShared { .. }
            | Rule::SourceShared { .. }
            | Rule::NamespaceShared { .. }
            | Rule::ApplicationShared { .. }
            | Rule::ClusterInUse { .. } => true,
            Rule::Unreadable { .. }
            | Rule::Misplaced { .. }
            | Rule::Invalid { .. }
            | Rule::ForeignProduct { .. }
            | Rule::WrongWorkerType { .. }
            | Rule::NoPipelineComponent { .. }
            | Rule::ReservedNamespace { .. }
            | Rule::NotAHost { .. } => false,
        }
    }

    /// Returns the entities of the repository that the violation involves.
    pub fn entities(&self) -> Vec<EntityKey> {
        let other = match &self.rule {
            Rule::PathTaken { occupant, .. } => occupant.clone(),
            Rule::Missing { target, .. } => Some(target.clone()),
            Rule::NotAuthorised { code_repo, .. } | Rule::NotReported { code_repo, .. } => {
                Some(EntityKey::new(Kind::CodeRepo, (*code_repo).into()))
            }
            Rule::ClusterShared { with, .. } | Rule::SourceShared { with, .. } => {
                Some(with.clone())
            }
            Rule::NamespaceShared { with, .. } | Rule::ApplicationShared { with, .. } => {
                with.product.is_none().then(|| with.key.clone())
            }
            Rule::NotAHost { host } => Some(EntityKey::new(Kind::Cluster, host.clone())),
            Rule::Unreadable { .. }
            | Rule::Misplaced { .. }
            | Rule::Duplicate { .. }
            | Rule::Invalid { .. }
            | Rule::ForeignProduct { .. }
            | Rule::WrongWorkerType { .. }
            | Rule::NoPipelineComponent { .. }
            | Rule::ReservedNamespace { .. }
            | Rule::ClusterInUse { .. } => None,
        };
        self.entity().cloned().into_iter().chain(other).collect()
    }
}

impl From<PathTaken> for Violation {
    fn from(taken: PathTaken) -> Self {
        Self::new(
            taken.key,
            Rule::PathTaken {
                path: taken.path.to_string(),
                occupant: taken.occupant,
            },
        )
    }
}
