//! The addresses of Services.
//!
//! They are loopback addresses, so that the API server reaches a webhook that listens on the
//! `ClusterIP` of its Service, and no address of another machine. Every control plane of a machine
//! has a range of its own.

use std::net::{Ipv4Addr, TcpListener};

use crate::Error;

/// The ranges are `127.<n>.0.0/16`.
const NUMBERS: std::ops::Range<u8> = 96..240;

/// The owner of the range with the number `n` listens on port `20_000 + n` of 127.0.0.1.
const FIRST_PORT: u16 = 20_000;

/// A range of addresses that no other control plane of this machine uses.
#[derive(Debug)]
pub(super) struct ServiceRange {
    number: u8,
    /// The system ends the claim together with this process, however it ends.
    _claim: TcpListener,
}

impl ServiceRange {
    /// Claims a free range.
    pub(super) fn claim() -> Result<Self, Error> {
        let mut failure = std::io::ErrorKind::AddrInUse.into();
        for number in NUMBERS {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, FIRST_PORT + u16::from(number))) {
                Ok(claim) => {
                    return Ok(Self {
                        number,
                        _claim: claim,
                    });
                }
                Err(error) => failure = error,
            }
        }
        Err(Error::Start {
            command: "a listener that claims a range of addresses for Services".to_owned(),
            source: failure,
        })
    }

    /// Returns the range in CIDR notation.
    pub(super) fn cidr(&self) -> String {
        format!("127.{}.0.0/16", self.number)
    }

    /// Returns the address of the API server's own Service.
    pub(super) fn first_address(&self) -> String {
        format!("127.{}.0.1", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ranges_differ() {
        let first = ServiceRange::claim().unwrap();
        let second = ServiceRange::claim().unwrap();
        assert_ne!(first.cidr(), second.cidr());
        let address: Ipv4Addr = second.first_address().parse().unwrap();
        assert!(address.is_loopback());
    }
}
