//! `nautes_product`: a GitLab group with a configuration repository.

mod claim;
pub(crate) mod config_repository;
mod directory;
mod model;
mod resource;
mod unfinished;
mod work;

pub(crate) use directory::Products;
pub(crate) use resource::ProductResource;
