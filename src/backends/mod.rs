//! Clients of the systems that hold the state, over one HTTP base.

pub mod download;
pub mod gitlab;
pub(crate) mod hook_probe;
pub mod http;
pub mod vault;
