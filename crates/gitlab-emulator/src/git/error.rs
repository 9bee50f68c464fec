//! Errors of repository operations.

/// A failure of the repository itself, not of the request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The git library reported an error.
    #[error("could not {action}")]
    Git {
        /// What was attempted.
        action: &'static str,
        /// The cause.
        #[source]
        source: gix::Error,
    },
    /// The file system reported an error.
    #[error("could not {action}")]
    File {
        /// What was attempted.
        action: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// Adds what was attempted to an error.
pub(crate) trait Context<T> {
    /// Wraps the error with `action`, which follows "could not".
    fn context(self, action: &'static str) -> Result<T, Error>;
}

impl<T> Context<T> for Result<T, gix::Error> {
    fn context(self, action: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Git { action, source })
    }
}

impl<T> Context<T> for std::io::Result<T> {
    fn context(self, action: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::File { action, source })
    }
}
