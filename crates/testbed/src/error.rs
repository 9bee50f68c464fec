//! What can go wrong while the test bed is set up or driven.

use std::path::PathBuf;

/// A step of the test bed that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read, written or made.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The verb, as in "cannot write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A program could not be started at all.
    #[error("cannot start `{command}`")]
    Start {
        /// The command line.
        command: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A program ran and reported a failure.
    #[error("`{command}` failed ({status})\n{output}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended, as in "exit status: 1".
        status: String,
        /// What it said, or its diagnostics.
        output: String,
    },
    /// A command was expected to fail and did not.
    #[error("`{command}` was expected to fail, but it succeeded")]
    UnexpectedSuccess {
        /// The command line.
        command: String,
    },
    /// A program's output has another shape than its documentation says.
    #[error("`{command}` printed something that cannot be read as {expected}")]
    Output {
        /// The command line.
        command: String,
        /// The shape that was expected.
        expected: &'static str,
        /// Where reading stopped.
        source: Option<serde_json::Error>,
    },
    /// A plan that had to be empty is not.
    #[error("the plan {when} is not empty:\n{changes}")]
    PlanNotEmpty {
        /// The moment, as in "after apply".
        when: &'static str,
        /// One change a line.
        changes: String,
    },
    /// No resource of that address is in the state.
    #[error("{address} is not in the state, which holds: {present}")]
    NotInState {
        /// The address looked for.
        address: String,
        /// The addresses that are there.
        present: String,
    },
    /// Cargo built a package but reported no executable of the wanted name.
    #[error("cargo reported no executable named {name}")]
    NoExecutable {
        /// The binary or example.
        name: String,
    },
    /// A needed tool is neither installed nor could it be obtained.
    #[error("{tool} is needed and could not be obtained: {attempts}\n{remedy}")]
    Unobtainable {
        /// The tool, with its version.
        tool: String,
        /// What was tried and how it went.
        attempts: String,
        /// How to bring one's own.
        remedy: String,
    },
    /// The command line found is not one that the provider supports.
    #[error("{} is {found}, and {needed} is needed", path.display())]
    UnsupportedClient {
        /// The program.
        path: PathBuf,
        /// Its name and version.
        found: String,
        /// The oldest supported versions.
        needed: &'static str,
    },
    /// A download failed.
    #[error("cannot download {url}")]
    Download {
        /// The address asked.
        url: String,
        /// The cause.
        source: reqwest::Error,
    },
    /// A downloaded file is not what its checksum says.
    #[error("{url} has SHA-256 {actual}, and its release says {expected}")]
    Checksum {
        /// The address it came from.
        url: String,
        /// The checksum of what arrived.
        actual: String,
        /// The checksum published.
        expected: String,
    },
    /// An archive does not hold what it should.
    #[error("cannot take {entry} out of {url}")]
    Archive {
        /// The address it came from.
        url: String,
        /// The file wanted.
        entry: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A server did not say in time that it is ready.
    #[error("{server} was not ready after {seconds} s; its log ({}) ends with:\n{tail}", log.display())]
    NotReady {
        /// The server.
        server: String,
        /// How long it was waited for.
        seconds: u64,
        /// Where its messages are.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A server of the test bed did not answer as it should.
    #[error("cannot ask {server} for {path}")]
    Server {
        /// The server.
        server: &'static str,
        /// The path asked.
        path: String,
        /// The cause.
        source: reqwest::Error,
    },
    /// A server of the test bed refused what it was asked for.
    #[error("{server} answered {path} with {status}: {text}")]
    Refused {
        /// The server.
        server: &'static str,
        /// The path asked.
        path: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        text: String,
    },
    /// The emulator did not answer one of its own endpoints.
    #[error("cannot ask the GitLab emulator for {path}")]
    Emulator {
        /// The path asked.
        path: String,
        /// The cause.
        source: reqwest::Error,
    },
}

impl Error {
    /// Makes the adapter for `map_err` after an operation on a file.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    /// The message followed by those of its causes, for one line of text.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
