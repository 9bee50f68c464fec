//! The client's address, passed from the connection to the endpoints.

use std::net::SocketAddr;

/// Address of the client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) SocketAddr);
