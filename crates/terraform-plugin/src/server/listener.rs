//! The socket that clients connect to: a Unix socket, or a loopback port on Windows.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};

use super::environment::Environment;
use super::error::Error;

#[cfg(any(windows, test))]
mod tcp;
#[cfg(unix)]
mod unix;

/// The address that clients connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// The path of a socket file.
    #[cfg_attr(windows, expect(dead_code, reason = "Windows is served by TCP"))]
    Unix(PathBuf),
    /// A loopback address with its port.
    #[cfg_attr(
        all(unix, not(test)),
        expect(dead_code, reason = "Unix is served by sockets")
    )]
    Tcp(SocketAddr),
}

impl Address {
    /// Returns the name of the network, as in Go's `net` package.
    pub(super) fn network(&self) -> &'static str {
        match self {
            Self::Unix(_) => "unix",
            Self::Tcp(_) => "tcp",
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(formatter),
            Self::Tcp(address) => address.fmt(formatter),
        }
    }
}

/// A byte stream to a client.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A bound socket. Dropping it removes the socket file.
pub(super) struct Listener {
    #[cfg(unix)]
    bound: unix::Bound,
    #[cfg(windows)]
    bound: tcp::Bound,
}

impl Listener {
    /// Binds the socket according to the environment. Clients can connect from then on.
    pub(super) fn bind(environment: &Environment) -> Result<Self, Error> {
        Ok(Self {
            #[cfg(unix)]
            bound: unix::Bound::bind(&environment.socket_dir, environment.socket_group.as_deref())?,
            #[cfg(windows)]
            bound: tcp::Bound::bind(environment.ports.clone())?,
        })
    }

    /// Returns the address that clients connect to.
    pub(super) fn address(&self) -> Address {
        self.bound.address()
    }

    /// Accepts the next connection.
    pub(super) async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(self.bound.accept().await?))
    }
}
