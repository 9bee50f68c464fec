//! Terraform and OpenTofu provider for the Nautes model.

pub mod backends;
mod claim;
mod client;
pub mod components;
pub mod config_repo;
pub mod credentials;
mod diagnostics;
mod error_chain;
mod lookup;
mod moment;
mod planned;
pub mod provider;
mod resources;
pub mod secret;
pub mod wait_graph;
