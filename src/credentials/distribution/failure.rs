//! What a distribution could not do, and why.

use std::sync::Arc;

use nautes_model::deploy_key::DeployKey;
use nautes_model::{ProductId, RepositoryId};

use crate::backends::gitlab::{self, Kind};

/// Something that could not be done on a repository.
#[derive(Debug, Clone)]
pub struct LinkFailure {
    /// The repository.
    pub on: RepositoryId,
    /// What was attempted: `enable the deploy key repo-7-readonly (31) on repo-9`.
    pub attempt: String,
    /// Why it failed.
    pub source: LinkError,
}

/// Why the deploy keys of a repository could not be read or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LinkError {
    /// GitLab failed.
    #[error(transparent)]
    GitLab(Arc<gitlab::Error>),
    /// The key was replaced after it was read, so that it must not be enabled.
    #[error("the deploy key {key} was replaced by another one in the meantime")]
    Replaced {
        /// The key.
        key: DeployKey,
    },
    /// A file in the place of a manifest cannot be read, so the key may be wanted where it is.
    #[error(
        "the file {path} in default.project is no manifest that can be read, and may ask for it"
    )]
    Unreadable {
        /// The path of the file.
        path: Arc<str>,
    },
    /// A manifest of the product names a project that is not in its group.
    #[error("the GitLab project of {repository} is not in the group of {product}")]
    OutsideProduct {
        /// The repository.
        repository: RepositoryId,
        /// The product.
        product: ProductId,
    },
}

impl LinkError {
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::GitLab(error) if error.is_not_found())
    }

    /// Returns whether the error shows that GitLab has other keys than were read.
    pub(super) fn suggests_stale_lists(&self) -> bool {
        match self {
            Self::GitLab(error) => {
                error.may_have_happened()
                    || matches!(error.kind(), Kind::NotFound | Kind::Taken | Kind::Locked)
            }
            Self::Replaced { .. } => true,
            Self::OutsideProduct { .. } | Self::Unreadable { .. } => false,
        }
    }
}

impl From<gitlab::Error> for LinkError {
    fn from(error: gitlab::Error) -> Self {
        Self::GitLab(Arc::new(error))
    }
}
