//! Clients of the systems that hold the state: one folder each.

pub mod gitlab;
mod trust;
pub mod vault;
