//! Clients of the systems that hold the state: one folder each.

mod api_root;
pub mod gitlab;
mod http_client;
#[cfg(test)]
mod private_server;
mod trust;
pub mod vault;
