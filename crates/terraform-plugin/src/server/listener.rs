//! Where the client connects: a Unix socket, or a loopback port where there are none.

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

/// What a client dials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// Path of a socket file.
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
    /// Name of the network, as Go's `net` package calls it.
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

/// A byte stream with a client.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A bound socket. Dropping it removes the socket's file.
pub(super) struct Listener {
    #[cfg(unix)]
    bound: unix::Bound,
    #[cfg(windows)]
    bound: tcp::Bound,
}

impl Listener {
    /// Binds where the environment says. From here on clients may dial.
    pub(super) fn bind(environment: &Environment) -> Result<Self, Error> {
        Ok(Self {
            #[cfg(unix)]
            bound: unix::Bound::bind(
                &environment.socket_folder,
                environment.socket_group.as_deref(),
            )?,
            #[cfg(windows)]
            bound: tcp::Bound::bind(environment.ports.clone())?,
        })
    }

    /// What clients dial.
    pub(super) fn address(&self) -> Address {
        self.bound.address()
    }

    /// The next client.
    pub(super) async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(self.bound.accept().await?))
    }
}
