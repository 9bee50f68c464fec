//! Why a configuration repository did not do what was wanted.

use std::sync::Arc;

use nautes_model::EntityKey;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::Violation;

use crate::backends::gitlab;

/// Why a configuration repository did not do what was wanted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The change would break rules that the repository keeps without it.
    #[error("the change of {key} breaks a rule of its configuration repository")]
    Refused {
        /// The entity of the change.
        key: EntityKey,
        /// The rules that would be broken; at least one.
        violations: Vec<Violation>,
        /// The repository without and with the change.
        trees: Box<Trees>,
    },
    /// An entity that was to be created exists, and is not as it was to be.
    #[error("{key} exists already and differs in {}", differences.join(", "))]
    Exists {
        /// The entity.
        key: EntityKey,
        /// The fields of its manifest that differ: `spec.cluster`.
        differences: Vec<String>,
    },
    /// Another writer changed the entity after it was read; nothing was overwritten.
    #[error("{key} was changed by another writer after it was read")]
    Changed {
        /// The entity.
        key: EntityKey,
    },
    /// Other commits came before ours each time, for as long as this was tried. What we committed
    /// meanwhile was kept, but is not judged, or not listed in the kustomization, as it should be.
    #[error("other commits came before ours {times} times in a row")]
    Contended {
        /// How often.
        times: u32,
    },
    /// The tenant's repository, by whose clusters changes are judged, cannot be read.
    #[error("the tenant's repository `{project}` cannot be read")]
    Tenant {
        /// The full path of its project, from the configuration.
        project: String,
        /// Why.
        #[source]
        source: Arc<gitlab::Error>,
    },
    /// GitLab failed.
    #[error("the configuration repository cannot be used")]
    GitLab(#[source] Arc<gitlab::Error>),
    /// The work on the change ended half-way; what became of it is not known.
    #[error("the change of the configuration repository was interrupted")]
    Interrupted,
}

/// A repository without and with a change.
#[derive(Clone, Debug)]
pub struct Trees {
    /// Without the change.
    pub before: ManifestTree,
    /// With it; as without it when its place is taken.
    pub after: ManifestTree,
}

impl Error {
    /// Whether another change can make this one possible, so that it is worth waiting for.
    pub fn curable_by_another_change(&self) -> bool {
        match self {
            Self::Refused { violations, .. } => {
                violations.iter().all(Violation::curable_by_another_change)
            }
            Self::Exists { .. } => true,
            Self::Changed { .. }
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
