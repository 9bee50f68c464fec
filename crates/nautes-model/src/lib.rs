//! The Nautes model: entities, names, references, repository layout and validation.
//!
//! A *tenant* has *clusters*. A *product* is an IT system: a GitLab group with the configuration
//! repository `default.project`. It has *environments*, each on one cluster; *projects*, its
//! microservices; *code repositories*, which a project may own; *bindings*, which let the product
//! or some of its projects use a code repository; *pipeline runtimes*, which run the pipelines of
//! a repository on events; and *deployment runtimes*, which keep the manifests of a repository
//! deployed.
//!
//! Every entity except the product is a Kubernetes manifest in a configuration repository: the
//! product's, or for clusters the tenant's.
//!
//! - [`entity`]: the entities
//! - [`manifest`]: their YAML
//! - [`layout`]: the paths of manifests
//! - [`tree`]: the content of a whole repository
//! - [`validation`]: the rules for it
//! - [`installation`]: the files from which a Nautes installation makes clusters what they are
//! - [`deploy_key`]: which deploy keys are enabled on which repository
//! - [`vault`]: the paths and policies of secrets
//! - [`name`] and [`mod@reference`]: what users write
//!
//! The crate does no I/O and reads no clock and no environment. Rendering is deterministic to the
//! byte. References to Nautes are to version v0.4.2.

pub mod deploy_key;
pub mod entity;
mod entity_name;
mod id;
pub mod installation;
mod kind;
pub mod layout;
pub mod manifest;
pub mod name;
pub mod reference;
pub mod revision;
pub mod tree;
pub mod validation;
pub mod vault;
pub mod yaml;

pub use entity_name::{EntityName, EntityNameError};
pub use id::{IdError, ProductId, RepositoryId};
pub use kind::{EntityKey, Kind};
