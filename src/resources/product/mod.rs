//! `nautes_product`: a GitLab group with a configuration repository.

mod claim;
pub(crate) mod config_repository;
mod data_source;
mod deletion;
mod directory;
mod group;
mod list;
mod model;
mod operators;
mod resource;
mod work;

pub(crate) use data_source::ProductDataSource;
pub(crate) use directory::Products;
pub(crate) use group::read_group;
pub(crate) use list::ProductsDataSource;
pub(crate) use resource::ProductResource;
