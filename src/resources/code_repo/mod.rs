//! `nautes_code_repo`: a GitLab project of a product, with its manifest and credentials.

mod claim;
mod credentials;
mod data_source;
mod directory;
mod inspect;
mod leftover;
mod list;
mod manifest;
mod model;
mod moves;
mod plan;
mod project;
mod resource;
mod work;

pub(crate) use credentials::expect_vault;
pub(crate) use data_source::CodeRepoDataSource;
pub(crate) use directory::CodeRepos;
pub(crate) use leftover::{retire_with_product, sweep};
pub(crate) use list::CodeReposDataSource;
pub(crate) use resource::CodeRepoResource;
