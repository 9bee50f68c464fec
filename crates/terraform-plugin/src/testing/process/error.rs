//! Why a test could not start a provider or talk to it.

use std::io;
use std::path::PathBuf;

use rustls::pki_types::pem;

/// Why a provider process could not be started, reached or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The executable could not be started.
    #[error("starting {}", executable.display())]
    Start {
        /// Path of the executable.
        executable: PathBuf,
        /// What the system reports.
        #[source]
        source: io::Error,
    },
    /// The process ended, or said nothing in time, before its handshake line.
    #[error("waiting for the handshake of {}; its standard error: {stderr}", executable.display())]
    NoHandshake {
        /// Path of the executable.
        executable: PathBuf,
        /// What the process wrote there.
        stderr: String,
    },
    /// The first line is no handshake of protocol 6.
    #[error("reading the handshake line {line:?}")]
    Handshake {
        /// The line.
        line: String,
    },
    /// The connection could not be made.
    #[error("connecting to the provider at {address}")]
    Connect {
        /// Path of the socket, or address and port.
        address: String,
        /// What the connection reports.
        #[source]
        source: tonic::transport::Error,
    },
    /// The process did not end, or could not be waited for.
    #[error("waiting for the end of process {pid}")]
    Wait {
        /// Id of the process.
        pid: u32,
        /// What the system reports.
        #[source]
        source: io::Error,
    },
    /// A key or certificate could not be made.
    #[error("making a client certificate")]
    Identity(#[source] rcgen::Error),
    /// The certificate for tests does not parse.
    #[error("reading the client certificate for tests")]
    TestCertificate(#[source] pem::Error),
    /// The key for tests is no number of its curve.
    #[error("reading the client key for tests")]
    TestKey,
    /// TLS could not be set up.
    #[error("setting up TLS")]
    Tls(#[source] rustls::Error),
}
