//! `nautes_cluster`: a Kubernetes cluster of the tenant.
//!
//! A creation connects with the given kubeconfig, checks everything that may be refused, makes the
//! provider's own service account and what Vault needs, stores the credential in Vault, and at last
//! commits the manifest. `setup` does this, and an update does it again.

mod access;
mod components;
mod delete;
mod guard;
mod lock;
mod manifest;
mod model;
mod plan;
mod read;
mod resource;
mod reviewer;
mod runtime_access;
mod setup;
mod stored;
mod tokens;
mod validators;
mod worker;

pub(crate) use self::resource::ClusterResource;
