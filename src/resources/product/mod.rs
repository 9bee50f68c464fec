//! `nautes_product`: a GitLab group with a configuration repository.

mod config_repository;
mod contents;
mod create;
mod credentials;
mod data_source;
mod delete;
mod deletion;
mod existing;
mod gitlab_group;
mod list;
mod model;
mod operators;
mod plan;
mod resource;

pub(crate) use data_source::ProductDataSource;
#[cfg(test)]
pub(crate) use list::ProductList;
pub(crate) use list::ProductsDataSource;
#[cfg(test)]
pub(crate) use model::ProductModel;
pub(crate) use resource::ProductResource;
