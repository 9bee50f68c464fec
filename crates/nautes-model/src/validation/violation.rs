//! Broken rules.

use super::field::FieldPath;
use super::problem::Problem;
use crate::entity::WorkerType;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};
use crate::kind::{EntityKey, Kind};
use crate::tree::PlaceTaken;

/// A rule that a configuration repository breaks.
///
/// It carries no more than what makes it this violation, so that the same violation of two trees
/// is equal, whatever else differs between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Violation {
    /// The manifest at fault.
    pub subject: Subject,
    /// What is wrong with it.
    pub rule: Rule,
}

/// The manifest at fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An entity.
    Entity(EntityKey),
    /// A file that is no entity.
    File(String),
}

/// A runtime of the same product or of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherRuntime {
    /// The product, if it is another.
    pub product: Option<ProductId>,
    /// The runtime.
    pub key: EntityKey,
}

/// What is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The file holds no manifest of a known kind.
    Unreadable {
        /// Why.
        reason: String,
    },
    /// The manifest lies where Nautes does not look for its kind, or in a folder of another name.
    Misplaced {
        /// Where it lies.
        path: String,
    },
    /// Several manifests describe the entity.
    Repeated {
        /// Where they lie.
        paths: Vec<String>,
    },
    /// The place of the entity is that of another manifest.
    PlaceTaken {
        /// The place.
        path: String,
        /// The entity that is there; none if the file cannot be read.
        by: Option<EntityKey>,
    },
    /// A field is wrong, whatever else there is.
    Invalid {
        /// The field.
        field: FieldPath,
        /// What is wrong.
        problem: Problem,
    },
    /// The manifest names another product than the one in whose repository it lies.
    ForeignProduct {
        /// The product that it names.
        product: ProductId,
    },
    /// A field names an entity that does not exist.
    Missing {
        /// The field.
        field: FieldPath,
        /// The entity.
        target: EntityKey,
    },
    /// A project may not use a repository.
    NotAuthorised {
        /// The field through which it would.
        field: FieldPath,
        /// The project.
        project: EntityName,
        /// The repository.
        code_repo: RepositoryId,
    },
    /// A runtime waits for an event that its repository does not report.
    NotReported {
        /// The field with the event.
        field: FieldPath,
        /// The event.
        event: String,
        /// The repository.
        code_repo: RepositoryId,
    },
    /// Two environments of a product use one cluster.
    ClusterShared {
        /// The cluster.
        cluster: EntityName,
        /// The other environment.
        with: EntityKey,
    },
    /// Two runtimes of a product do the same work in the same place.
    SourceShared {
        /// The other runtime.
        with: EntityKey,
        /// The folder of manifests, or the pipeline file.
        path: String,
    },
    /// Two runtimes that may not share a namespace do.
    NamespaceShared {
        /// The cluster.
        cluster: EntityName,
        /// The namespace.
        namespace: String,
        /// The other runtime.
        with: OtherRuntime,
    },
    /// Two products have runtimes of one name on one cluster, where the name alone is that of an
    /// Argo CD application.
    ApplicationShared {
        /// The cluster.
        cluster: EntityName,
        /// The other runtime.
        with: OtherRuntime,
    },
    /// The cluster is not for this kind of runtime.
    WrongWorker {
        /// The cluster.
        cluster: EntityName,
        /// What it would have to be.
        expected: WorkerType,
    },
    /// A pipeline runtime's cluster has no pipeline component.
    NoPipelineComponent {
        /// The cluster.
        cluster: EntityName,
    },
    /// A runtime uses the namespace of a component.
    ComponentNamespace {
        /// The cluster.
        cluster: EntityName,
        /// The namespace.
        namespace: String,
    },
    /// A virtual cluster's host is no host.
    NotAHost {
        /// The cluster that it names as its host.
        host: EntityName,
    },
    /// An environment of a product uses the cluster, which does not exist.
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

    pub(super) fn of_file(path: impl Into<String>, rule: Rule) -> Self {
        Self {
            subject: Subject::File(path.into()),
            rule,
        }
    }

    /// Returns the entity at fault, unless the file holds none.
    pub fn entity(&self) -> Option<&EntityKey> {
        match &self.subject {
            Subject::Entity(key) => Some(key),
            Subject::File(_) => None,
        }
    }

    /// Tells whether another change can make the violation go away, so that it is worth waiting
    /// for: a missing target or binding may come, and what is in the way may go.
    pub fn curable_by_another_change(&self) -> bool {
        match &self.rule {
            Rule::PlaceTaken { .. }
            | Rule::Repeated { .. }
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
            | Rule::WrongWorker { .. }
            | Rule::NoPipelineComponent { .. }
            | Rule::ComponentNamespace { .. }
            | Rule::NotAHost { .. } => false,
        }
    }

    /// Lists the entities of the repository that the violation is about.
    pub fn entities(&self) -> Vec<EntityKey> {
        let other = match &self.rule {
            Rule::PlaceTaken { by, .. } => by.clone(),
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
            | Rule::Repeated { .. }
            | Rule::Invalid { .. }
            | Rule::ForeignProduct { .. }
            | Rule::WrongWorker { .. }
            | Rule::NoPipelineComponent { .. }
            | Rule::ComponentNamespace { .. }
            | Rule::ClusterInUse { .. } => None,
        };
        self.entity().cloned().into_iter().chain(other).collect()
    }
}

impl From<PlaceTaken> for Violation {
    fn from(taken: PlaceTaken) -> Self {
        Self::new(
            taken.key,
            Rule::PlaceTaken {
                path: taken.path.to_string(),
                by: taken.by,
            },
        )
    }
}
