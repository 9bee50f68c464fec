//! `nautes_cluster`: a Kubernetes cluster of the tenant.
//!
//! A creation connects with the given kubeconfig, checks everything that may be refused, makes the
//! provider's own service account and what Vault needs, stores the credential in Vault, and at last
//! commits the manifest. `setup` does this, and an update does it again.

mod access;
mod addresses;
mod components;
mod delete;
mod manifest;
mod model;
mod own_tokens;
mod plan;
mod read;
mod resource;
mod setup;
mod slots;
mod stored;
mod validators;

pub(crate) use self::resource::ClusterResource;
