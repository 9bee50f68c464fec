//! Why a provider could not serve, and what its user can do about it.

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
    /// The client's certificate is not one PEM certificate.
    #[error("reading the client's certificate from PLUGIN_CLIENT_CERT")]
    ClientCertificate(#[source] rustls::pki_types::pem::Error),
    /// The server's certificate could not be made.
    #[error("making a certificate for the connection with the client")]
    ServerCertificate(#[source] rcgen::Error),
    /// The server's TLS settings do not fit together.
    #[error("setting up TLS for the connection with the client")]
    Tls(#[source] rustls::Error),
    /// The socket could not be made.
    #[error("listening on {address}")]
    Listen {
        /// Path of the socket, or address and ports.
        address: String,
        /// What the system reports.
        #[source]
        source: io::Error,
    },
    /// The socket could not be given to the group of `PLUGIN_UNIX_SOCKET_GROUP`.
    #[error("giving the socket {} to the group {group}", path.display())]
    SocketGroup {
        /// Path of the socket.
        path: PathBuf,
        /// Name or number of the group.
        group: String,
        /// What the system reports.
        #[source]
        source: io::Error,
    },
    /// Threads or timers could not be started.
    #[error("starting the asynchronous runtime")]
    Runtime(#[source] io::Error),
    /// Signals could not be caught.
    #[error("taking over the handling of interrupts")]
    Signals(#[source] io::Error),
    /// The line with the address could not be written.
    #[error("telling the client where to connect")]
    Announce(#[source] io::Error),
    /// The server stopped by itself.
    #[error("serving the client")]
    Serve(#[source] tonic::transport::Error),
}

impl Error {
    /// What the user can do next.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::NotStartedByClient { .. } => {
                "This program is a plugin: it is not meant to be run by hand. Name it in the \
                 required_providers block of a configuration, then run `terraform init` or \
                 `tofu init`, which install and start it."
            }
            Self::Listen { .. } => {
                "Set PLUGIN_UNIX_SOCKET_DIR to a folder that this user may write to and whose \
                 path is short: a socket's path may have about 100 characters."
            }
            Self::SocketGroup { .. } => {
                "PLUGIN_UNIX_SOCKET_GROUP must name a group of this machine, by name or number, \
                 that this user belongs to."
            }
            Self::Announce(_) => "Standard output is closed. Was the client ended?",
            Self::ClientCertificate(_)
            | Self::ServerCertificate(_)
            | Self::Tls(_)
            | Self::Runtime(_)
            | Self::Signals(_)
            | Self::Serve(_) => {
                "Run again with TF_LOG=DEBUG, and report the output to the authors of the provider \
                 if the problem stays."
            }
        }
    }
}
