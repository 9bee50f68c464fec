//! Ports for servers that cannot choose one themselves.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use crate::Error;

/// Returns ports of 127.0.0.1 that are currently unused, all different, for the server `name`.
pub(crate) fn free_ports<const N: usize>(name: &str) -> Result<[u16; N], Error> {
    find().map_err(|source| Error::Start {
        command: name.to_owned(),
        source,
    })
}

fn find<const N: usize>() -> io::Result<[u16; N]> {
    let mut ports = [0; N];
    // All stay bound until the last is found, so that they differ.
    let mut listeners = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}
