//! Why one object could not be read or written.

use super::discovery::DiscoveryError;
use crate::connection::{CallError, TransportError};

/// Why one object could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    /// The kind is not served, or nobody can tell.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The answer holds something that is no object.
    #[error("the answer of the API server to {0} holds something that is no object")]
    UnexpectedAnswer(String),
    /// The cluster has no namespace `kube-system`.
    #[error("the cluster has no namespace kube-system, so it is not one of Kubernetes")]
    NoIdentity,
}

impl ApiError {
    /// Returns the failed call, if it is one.
    pub fn call(&self) -> Option<&CallError> {
        match self {
            Self::Call(error) | Self::Discovery(DiscoveryError::Call(error)) => Some(error),
            Self::Discovery(DiscoveryError::Unavailable { source, .. }) => Some(source),
            _ => None,
        }
    }

    /// Returns whether the object has changed since it was read, or exists although it was to be created.
    pub fn is_conflict(&self) -> bool {
        let refused = |reason| self.call().is_some_and(|call| call.is_refused_for(reason));
        refused("Conflict") || refused("AlreadyExists")
    }

    /// Returns the failure of the transport, if it is one: nothing is known about any object.
    pub fn transport(&self) -> Option<&TransportError> {
        self.call()?.transport()
    }
}
