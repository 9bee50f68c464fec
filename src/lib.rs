//! Terraform and OpenTofu provider for the Nautes model.

pub mod backends;
mod causes;
pub mod config_repo;
pub mod credentials;
mod diagnostics;
pub mod provider;
mod resources;
pub mod secret;
