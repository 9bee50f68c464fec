//! Clients of the systems that hold the state, over one HTTP base.

pub mod download;
pub mod gitlab;
pub mod http;
pub mod vault;
