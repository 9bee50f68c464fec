//! Framework for Terraform and OpenTofu providers in Rust.

pub mod protocol;
