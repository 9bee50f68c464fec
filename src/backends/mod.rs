//! Clients of the systems that hold the state: one folder each.

pub mod gitlab;
#[cfg(test)]
mod private_server;
mod trust;
pub mod vault;
