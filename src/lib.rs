//! Terraform and OpenTofu provider for the Nautes model.
