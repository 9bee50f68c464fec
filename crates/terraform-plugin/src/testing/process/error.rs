//! Errors of starting and calling a provider process.

use std::io;
use std::path::PathBuf;

use rustls::pki_types::pem;

/// Why a provider process could not be started, reached or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The executable could not be started.
    #[error("starting {}", executable.display())]
    Start {
        /// The path of the executable.
        executable: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The process exited or timed out before its handshake line.
    #[error("waiting for the handshake of {}; its standard error: {stderr}", executable.display())]
    NoHandshake {
        /// The standard error of the process.
        executable: PathBuf,
        /// What the process wrote there.
        stderr: String,
    },
    /// The first line is not a handshake of protocol 6.
    #[error("reading the handshake line {line:?}")]
    Handshake {
        /// The line.
        line: String,
    },
    /// The connection could not be opened.
    #[error("connecting to the provider at {address}")]
    Connect {
        /// The path of the socket, or the address and port.
        address: String,
        /// The error of the connection.
        #[source]
        source: tonic::transport::Error,
    },
    /// The process could not be awaited.
    #[error("waiting for the end of process {pid}")]
    Wait {
        /// The id of the process.
        pid: u32,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// A key or certificate could not be created.
    #[error("making a client certificate")]
    Identity(#[source] rcgen::Error),
    /// The certificate for tests is malformed.
    #[error("reading the client certificate for tests")]
    TestCertificate(#[source] pem::Error),
    /// The key for tests is invalid.
    #[error("reading the client key for tests")]
    TestKey,
    /// TLS could not be configured.
    #[error("setting up TLS")]
    Tls(#[source] rustls::Error),
}
