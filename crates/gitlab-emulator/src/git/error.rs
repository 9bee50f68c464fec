//! Why work on a repository failed.

/// A failure of the repository itself, not of the request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The git library refused.
    #[error("could not {action}")]
    Git {
        /// What was attempted.
        action: &'static str,
        /// Why.
        #[source]
        source: gix::Error,
    },
    /// The file system refused.
    #[error("could not {action}")]
    File {
        /// What was attempted.
        action: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Names what was attempted when a call failed.
pub(crate) trait Attempt<T> {
    /// Wraps the error with `action`, which follows "could not".
    fn attempt(self, action: &'static str) -> Result<T, Error>;
}

impl<T> Attempt<T> for Result<T, gix::Error> {
    fn attempt(self, action: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Git { action, source })
    }
}

impl<T> Attempt<T> for std::io::Result<T> {
    fn attempt(self, action: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::File { action, source })
    }
}
