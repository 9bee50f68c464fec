//! Errors of the provider process, with hints for the user.

use std::io;
use std::path::PathBuf;

/// Why the provider process ended without serving.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The process was not started by Terraform or OpenTofu.
    #[error("{provider} was not started by Terraform or OpenTofu")]
    NotStartedByClient {
        /// Address and version of the provider.
        provider: String,
    },
    /// `PLUGIN_CLIENT_CERT` is not a PEM certificate.
    #[error("reading the client's certificate from PLUGIN_CLIENT_CERT")]
    ClientCertificate(#[source] rustls::pki_types::pem::Error),
    /// The server's certificate could not be created.
    #[error("creating a certificate for the connection with the client")]
    ServerCertificate(#[source] rcgen::Error),
    /// The server's TLS configuration is invalid.
    #[error("setting up TLS for the connection with the client")]
    Tls(#[source] rustls::Error),
    /// The socket could not be bound.
    #[error("listening on {address}")]
    Listen {
        /// The path of the socket, or the address and ports.
        address: String,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The socket could not be assigned to the group of `PLUGIN_UNIX_SOCKET_GROUP`.
    #[error("giving the socket {} to the group {group}", path.display())]
    SocketGroup {
        /// The path of the socket.
        path: PathBuf,
        /// The name or number of the group.
        group: String,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The asynchronous runtime could not be started.
    #[error("starting the asynchronous runtime")]
    Runtime(#[source] io::Error),
    /// The signal handlers could not be installed.
    #[error("installing signal handlers")]
    Signals(#[source] io::Error),
    /// The handshake could not be written to standard output.
    #[error("writing the handshake to standard output")]
    Announce(#[source] io::Error),
    /// The server failed.
    #[error("serving the client")]
    Serve(#[source] tonic::transport::Error),
}

impl Error {
    /// Returns the next step for the user.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::NotStartedByClient { .. } => {
                "This program is a plugin and cannot be run by hand. Add it to the \
                 required_providers block of a configuration and run `terraform init` or \
                 `tofu init`."
            }
            Self::Listen { .. } => {
                "Set PLUGIN_UNIX_SOCKET_DIR to a folder that this user may write to and whose \
                 path is short: the path of a socket is limited to about 100 characters."
            }
            Self::SocketGroup { .. } => {
                "PLUGIN_UNIX_SOCKET_GROUP must name a group of this machine, by name or number, \
                 that this user belongs to."
            }
            Self::Announce(_) => "Standard output is closed. Check whether the client has exited.",
            Self::ClientCertificate(_)
            | Self::ServerCertificate(_)
            | Self::Tls(_)
            | Self::Runtime(_)
            | Self::Signals(_)
            | Self::Serve(_) => {
                "Run again with TF_LOG=DEBUG. If the problem persists, report the output to the \
                 developers of the provider."
            }
        }
    }
}
