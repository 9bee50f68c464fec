//! What can go wrong between this client and Vault.

use crate::backends::http::{self, ErrorKind, RetryReason, TransportError};

/// A call to Vault that did not succeed.
pub type Error = http::Error<Kind>;

/// Why a call failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Kind {
    /// Vault gave no answer, or none of its API.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// 503: the server is sealed, and stays so until somebody unseals it.
    #[error("the server is sealed")]
    Sealed,
    /// The login was refused.
    #[error("the login was refused")]
    LoginRefused,
    /// The file with the token to log in with cannot be read.
    #[error("{file} cannot be read")]
    LoginUnreadable {
        /// The file.
        file: String,
    },
    /// 403, and the server does not know the token, or does not even let it look itself up.
    #[error("the token was not accepted")]
    Unauthorized {
        /// The line of a policy that allows the call.
        rule: String,
    },
    /// 403: the token is good, but none of its policies allows the call.
    #[error("not permitted")]
    Forbidden {
        /// The line of a policy that allows the call:
        /// `path "git/data/a/*" { capabilities = ["create", "update"] }`.
        rule: String,
    },
    /// The server has no such namespace.
    #[error("the namespace does not exist")]
    NoNamespace,
    /// Nothing is mounted where the path leads.
    #[error("nothing is mounted at {mount}")]
    NoMount {
        /// The mount, such as `git` or `auth/nautes`.
        mount: String,
    },
    /// The mount is not a key-value engine of version 2.
    #[error("{mount} is not a key-value engine of version 2")]
    NotVersioned {
        /// The mount.
        mount: String,
    },
    /// 404: absent.
    #[error("not found")]
    NotFound,
    /// The secret is not at the version that the write assumed.
    #[error("another writer changed the secret")]
    Conflict,
    /// The server did not process the call because it is not ready yet: a new mount is being set up,
    /// a node lags behind (412) or has no leader.
    #[error("the server is not ready for this call yet")]
    NotReady,
    /// The request was understood and refused.
    #[error("refused")]
    Invalid,
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
            Self::NotReady => Some(RetryReason::NotReady),
            _ => None,
        }
    }
}
