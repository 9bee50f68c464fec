//! Products and code repositories that this process has looked up, each look-up shared by all
//! concurrent callers.

mod absence;
mod code_repos;
pub(crate) mod config_repository;
mod groups;
mod list;
mod products;
mod role;

pub(crate) use self::code_repos::CodeRepos;
pub(crate) use self::products::Products;
