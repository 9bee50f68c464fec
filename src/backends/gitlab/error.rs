//! What can go wrong between this client and GitLab.

use crate::backends::http::{self, ErrorKind, RetryReason, TransportError};

/// A call to GitLab that did not succeed.
pub type Error = http::Error<Kind>;

/// Why a call failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Kind {
    /// GitLab gave no answer, or none of its API.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// 401: the token is missing, unknown, expired or revoked.
    #[error("the token was not accepted")]
    Unauthorized,
    /// 403, or a refused push: the owner of the token may not do it.
    #[error("not permitted{}", match reason {
        ForbiddenReason::MissingScope { scopes } =>
            format!(": the token lacks a scope, one of {}", scopes.join(", ")),
        _ => String::new(),
    })]
    Forbidden {
        /// What is missing.
        reason: ForbiddenReason,
    },
    /// 404: absent, or not visible to the owner of the token.
    #[error("not found, or not visible to the token's owner")]
    NotFound,
    /// The name, path or key belongs to something else already.
    #[error("taken already")]
    Taken,
    /// The path belongs to a project whose deletion is not finished.
    #[error("still being deleted")]
    BeingDeleted,
    /// The group or project is marked for deletion already.
    #[error("marked for deletion already")]
    AlreadyMarked,
    /// Another call holds the object at this moment; the same call may succeed shortly.
    #[error("held by another call at this moment")]
    Locked,
    /// A commit lost the race for its branch: another commit landed first.
    #[error("another commit landed first")]
    ReferenceMoved,
    /// A file is not as the commit assumed: changed, created or removed by another writer.
    #[error("another writer changed the file")]
    FileChanged,
    /// The instance does not allow keys of this type.
    #[error("keys of this type are not allowed")]
    KeyTypeNotAllowed,
    /// The request was understood and refused.
    #[error("refused")]
    Invalid,
}

/// What is missing where something is forbidden.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ForbiddenReason {
    /// The token has none of these scopes.
    MissingScope {
        /// The scopes that would do.
        scopes: Vec<String>,
    },
    /// The right to push to the branch.
    PushToBranch,
    /// The right to create groups: at the top level, or in the parent group.
    CreateGroup {
        /// Whether the group was to have no parent.
        top_level: bool,
    },
    /// Not named by GitLab: a role, or a setting of the instance.
    Other,
}

impl ErrorKind for Kind {
    fn transport(&self) -> Option<&TransportError> {
        match self {
            Self::Transport(error) => Some(error),
            _ => None,
        }
    }

    fn retry_reason(&self) -> Option<RetryReason> {
        match self {
            Self::Transport(error) => error.retry_reason(),
            Self::Locked => Some(RetryReason::Locked),
            _ => None,
        }
    }
}

impl Error {
    /// Returns whether the call was answered with 404.
    pub fn is_not_found(&self) -> bool {
        *self.kind() == Kind::NotFound
    }

    /// Whether a project was found, and the branch was not.
    pub fn is_branch_not_found(&self) -> bool {
        self.is_not_found() && self.mentions("Branch Not Found")
    }
}
