//! Bare git repositories: objects, references, history, commits. Independent of HTTP and of
//! GitLab's projects.

pub mod action;
pub mod archive;
mod change;
pub mod commit;
pub mod diff;
pub mod error;
pub mod history;
pub mod reference;
pub mod repository;
pub mod tree;
pub mod tree_editor;

pub use error::Error;
pub use gix::ObjectId;
pub use repository::{Repositories, Repository};
