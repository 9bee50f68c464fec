//! Terraform and OpenTofu provider for the Nautes model.

pub mod backends;
mod claim;
mod client;
mod clusters;
pub mod components;
pub mod config_repo;
pub mod credentials;
mod diagnostics;
mod error_chain;
mod functions;
mod lookup;
mod moment;
pub mod permissions;
mod planned;
pub mod provider;
mod resources;
mod runtime;
pub mod secret;
pub mod wait_graph;
