//! Products, code repositories and workers that this process has looked up, each look-up shared by all
//! concurrent callers.

mod absence;
mod code_repos;
pub(crate) mod config_repository;
mod groups;
mod list;
mod products;
mod role;
mod workers;

pub(crate) use self::code_repos::CodeRepos;
pub(crate) use self::products::Products;
pub(crate) use self::workers::{Worker, WorkerError, Workers};
