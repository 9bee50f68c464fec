//! `nautes_cluster`: a Kubernetes cluster of the tenant.
//!
//! A creation connects with the given kubeconfig, checks everything that may be refused, makes the
//! provider's own service account and what Vault needs, stores the credential in Vault, and at last
//! commits the manifest. `setup` does this, and an update does it again. A virtual cluster is first made in its
//! host (`virtual_cluster`), from which its kubeconfig comes.

mod access;
mod addresses;
mod answer;
mod attributes;
mod components;
mod credential;
mod data_source;
mod delete;
mod forget;
mod free_names;
mod guard;
mod list;
mod manifest;
mod manifest_change;
mod model;
mod namespaces;
mod nautes;
mod operators;
mod plan;
mod read;
mod resource;
mod reviewer;
mod runtime_access;
mod setup;
mod slots;
mod stored;
mod switch;
mod tokens;
mod validators;
mod vault_policy;
mod virtual_cluster;
mod worker;

pub(crate) use self::data_source::ClusterDataSource;
pub(crate) use self::list::ClustersDataSource;
pub(crate) use self::resource::ClusterResource;
