//! The Nautes model: entities, names, references, repository layout and validation.
//!
//! A *tenant* has *clusters*. A *product* is an IT system: a GitLab group with the configuration
//! repository `default.project`. It has *environments*, each bound to one cluster; *projects*, its
//! microservices; *code repositories*, which a project may own; *bindings*, which open a code
//! repository to the product or to some projects; *pipeline runtimes*, which run pipelines of a
//! repository when events happen; and *deployment runtimes*, which keep the manifests of a
//! repository deployed.
//!
//! Every entity but the product is a Kubernetes manifest in a configuration repository: that of
//! its product, or that of the tenant for clusters. [`entity`] says what an entity is,
//! [`manifest`] how it is written, [`layout`] where, [`tree`] what a whole repository holds, and
//! [`validation`] which rules it must keep, [`deploy_key`] who may reach which repository, and
//! [`vault`] where its secrets lie. [`name`] and [`mod@reference`] judge what users write.
//!
//! The crate does no input or output and knows no clock and no environment. Rendering is
//! deterministic to the byte. References to Nautes are to its version v0.4.2.

pub mod deploy_key;
pub mod entity;
mod entity_name;
mod id;
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
