//! Errors of configuration repositories.

use std::sync::Arc;

use nautes_model::EntityKey;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::Violation;

use crate::backends::gitlab;

use super::snapshot::Snapshot;

/// Why work in a configuration repository failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The change would violate rules that the repository does not violate without it.
    #[error("the change of {key} violates a rule of its configuration repository")]
    Refused {
        /// The entity of the change.
        key: EntityKey,
        /// The violations; at least one.
        violations: Vec<Violation>,
        /// The repository without and with the change.
        trees: Box<Trees>,
    },
    /// An entity to create exists already, with other fields.
    #[error("{key} exists already and differs in {}", differences.join(", "))]
    Exists {
        /// The entity.
        key: EntityKey,
        /// The fields of its manifest that differ: `spec.cluster`.
        differences: Vec<String>,
    },
    /// Another instance in the state has created the entity in this run.
    #[error("{key} was created by another resource of this run")]
    CreatedTwice {
        /// The entity.
        key: EntityKey,
    },
    /// Another writer changed the entity after it was read; nothing was overwritten.
    #[error("{key} was changed by another writer after it was read")]
    Changed {
        /// The entity.
        key: EntityKey,
    },
    /// Other commits kept coming before ours. What was committed stays, but may violate rules, or
    /// may not be listed in the kustomization.
    #[error("other commits came before ours {times} times in a row")]
    Contended {
        /// How often that happened.
        times: u32,
    },
    /// The tenant's repository, whose clusters the validation depends on, cannot be read.
    #[error("the tenant's repository `{project}` cannot be read")]
    Tenant {
        /// The full path of its project, from the configuration.
        project: String,
        /// The cause.
        #[source]
        source: Arc<gitlab::Error>,
    },
    /// GitLab failed.
    #[error("the configuration repository cannot be used")]
    GitLab(#[source] Arc<gitlab::Error>),
    /// The work was stopped half-way; its outcome is unknown.
    #[error("the change of the configuration repository was interrupted")]
    Interrupted,
}

/// A repository without and with a change, and the clusters that there are.
#[derive(Clone, Debug)]
pub struct Trees {
    /// Without the change.
    pub before: ManifestTree,
    /// With it; the same as without it when its path is taken.
    pub after: ManifestTree,
    /// The tenant's repository that it was validated against, if there is one.
    pub clusters: Option<Arc<Snapshot>>,
}

impl Error {
    /// Whether another change may resolve the error, so that it is worth waiting for.
    pub fn may_resolve(&self) -> bool {
        match self {
            Self::Refused { violations, .. } => violations.iter().all(Violation::may_resolve),
            Self::Exists { .. } => true,
            Self::CreatedTwice { .. }
            | Self::Changed { .. }
            | Self::Contended { .. }
            | Self::Tenant { .. }
            | Self::GitLab(_)
            | Self::Interrupted => false,
        }
    }
}

impl From<gitlab::Error> for Error {
    fn from(error: gitlab::Error) -> Self {
        Self::GitLab(Arc::new(error))
    }
}
