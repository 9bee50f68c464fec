//! The errors of the test bed.

use std::path::PathBuf;

/// A failed step of the test bed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operation on a file or folder failed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// The verb, as in "cannot write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("cannot start `{command}`")]
    Start {
        /// The command line.
        command: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A program failed.
    #[error("`{command}` failed ({status})\n{output}")]
    Failed {
        /// The command line.
        command: String,
        /// The exit status, as in "exit status: 1".
        status: String,
        /// The output or the diagnostics.
        output: String,
    },
    /// A command was expected to fail and did not.
    #[error("`{command}` was expected to fail, but it succeeded")]
    UnexpectedSuccess {
        /// The command line.
        command: String,
    },
    /// The output of a program does not have the documented format.
    #[error("cannot parse the output of `{command}` as {expected}")]
    Output {
        /// The command line.
        command: String,
        /// The expected format.
        expected: &'static str,
        /// The cause.
        source: Option<serde_json::Error>,
    },
    /// A plan should be empty but is not.
    #[error("the plan {when} is not empty:\n{changes}")]
    PlanNotEmpty {
        /// The time of the plan, as in "after apply".
        when: &'static str,
        /// The changes, one per line.
        changes: String,
    },
    /// A resource is not in the state.
    #[error("{address} is not in the state, which contains: {present}")]
    NotInState {
        /// The address of the resource.
        address: String,
        /// The addresses in the state.
        present: String,
    },
    /// Cargo built a package but reported no executable of the given name.
    #[error("cargo reported no executable named {name}")]
    NoExecutable {
        /// The binary or example.
        name: String,
    },
    /// A required tool was not found and could not be obtained.
    #[error("{tool} is required and could not be obtained: {attempts}\n{remedy}")]
    Unobtainable {
        /// The tool, with its version.
        tool: String,
        /// The attempts and their errors.
        attempts: String,
        /// How to provide the tool.
        remedy: String,
    },
    /// The command line is too old for the provider.
    #[error("{} is {found}, but {needed} is required", path.display())]
    UnsupportedClient {
        /// The program.
        path: PathBuf,
        /// Its name and version.
        found: String,
        /// The oldest supported version.
        needed: &'static str,
    },
    /// A download failed.
    #[error("cannot download {url}")]
    Download {
        /// The URL.
        url: String,
        /// The cause.
        source: reqwest::Error,
    },
    /// A downloaded file does not have its published checksum.
    #[error("{url} has the SHA-256 checksum {actual}, but the published one is {expected}")]
    Checksum {
        /// The URL.
        url: String,
        /// The actual checksum.
        actual: String,
        /// The published checksum.
        expected: String,
    },
    /// A file could not be extracted from an archive.
    #[error("cannot extract {entry} from {url}")]
    Archive {
        /// The URL of the archive.
        url: String,
        /// The file.
        entry: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A server was not ready in time.
    #[error("{server} was not ready after {seconds} s; its log ({}) ends with:\n{tail}", log.display())]
    NotReady {
        /// The server.
        server: String,
        /// The time that it was given.
        seconds: u64,
        /// The path of its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A call to a server of the test bed failed.
    #[error("the call of {path} at {server} failed")]
    Server {
        /// The server.
        server: &'static str,
        /// The path.
        path: String,
        /// The cause.
        source: reqwest::Error,
    },
    /// A server of the test bed refused a call.
    #[error("{server} responded to {path} with status {status}: {text}")]
    Refused {
        /// The server.
        server: &'static str,
        /// The path.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The body of the response.
        text: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[source] rcgen::Error),
    /// A certificate or key that was just made is not accepted for TLS.
    #[error("cannot use a certificate for TLS")]
    Tls(#[source] rustls::Error),
    /// A text is not in the PEM format.
    #[error("a certificate or key is not in the PEM format")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// A kubeconfig cannot be used.
    #[error("cannot use the kubeconfig of the control plane")]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),
    /// A client of Kubernetes could not be made.
    #[error("cannot make a client of the control plane")]
    KubernetesClient(#[source] Box<kube::Error>),
    /// A call to the emulator failed.
    #[error("the call of {path} at the GitLab emulator failed")]
    Emulator {
        /// The path.
        path: String,
        /// The cause.
        source: reqwest::Error,
    },
}

impl Error {
    /// Returns an adapter for `map_err` after a file operation.
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

    /// Joins the messages of the error and its causes.
    pub(crate) fn error_chain(&self) -> String {
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
