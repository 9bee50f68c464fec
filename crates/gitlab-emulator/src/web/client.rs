//! The address of the client, which requests carry from the connection to the endpoints.

use std::net::SocketAddr;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) SocketAddr);
