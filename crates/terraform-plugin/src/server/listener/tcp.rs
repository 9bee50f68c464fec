//! A loopback port, for systems without Unix sockets.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::RangeInclusive;

use tokio::net::TcpStream;

use super::super::error::Error;
use super::Address;

/// A listening port on the loopback interface.
pub(super) struct Bound {
    listener: tokio::net::TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Binds the first free port of `ports`.
    pub(super) fn bind(ports: RangeInclusive<u16>) -> Result<Self, Error> {
        let mut outcome = Err(io::Error::from(io::ErrorKind::AddrNotAvailable));
        for port in ports.clone() {
            outcome = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
            if outcome.is_ok() {
                break;
            }
        }
        let listen = || -> io::Result<Self> {
            let listener = outcome?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok(Self {
                listener: tokio::net::TcpListener::from_std(listener)?,
                address,
            })
        };
        listen().map_err(|source| Error::Listen {
            address: format!("127.0.0.1, ports {} to {}", ports.start(), ports.end()),
            source,
        })
    }

    pub(super) fn address(&self) -> Address {
        Address::Tcp(self.address)
    }

    /// Accepts the next connection. Responses are small and must be sent without delay.
    pub(super) async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_skipped() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let first = taken.local_addr().unwrap().port();
        let bound = Bound::bind(first..=first.saturating_add(50)).unwrap();
        let Address::Tcp(address) = bound.address() else {
            panic!("a TCP address")
        };
        assert!(address.ip().is_loopback());
        assert!(address.port() > first);

        let _client = TcpStream::connect(address).await.unwrap();
        assert!(bound.accept().await.unwrap().nodelay().unwrap());
    }

    #[tokio::test]
    async fn without_a_free_port_the_error_names_the_range() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let Err(error) = Bound::bind(port..=port) else {
            panic!("the port is taken")
        };
        assert_eq!(
            error.to_string(),
            format!("listening on 127.0.0.1, ports {port} to {port}")
        );
    }
}
