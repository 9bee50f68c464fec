//! Derive macro of the terraform-plugin framework.
