//! Terraform and OpenTofu provider for the Nautes model.

pub mod backends;
pub mod secret;
