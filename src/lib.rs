//! Terraform and OpenTofu provider for the Nautes model.

pub mod backends;
pub mod config_repo;
mod diagnostics;
pub mod provider;
mod resources;
pub mod secret;
