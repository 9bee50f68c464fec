//! `nautes_code_repo`: a GitLab project of a product, with its manifest and credentials.

mod contents;
mod create;
mod credentials;
mod data_source;
mod delete;
mod existing;
mod gitlab_project;
mod inspect;
mod list;
mod manifest;
mod model;
mod plan;
mod resource;
mod update;

pub(crate) use data_source::CodeRepoDataSource;
pub(crate) use list::CodeRepoList;
#[cfg(test)]
pub(crate) use model::{AccessTokenModel, CodeRepoModel};
pub(crate) use resource::CodeRepoResource;
