//! Bare git repositories: objects, branches, history, commits. Knows nothing of HTTP or of projects.

pub mod action;
pub mod archive;
mod change;
pub mod commit;
pub mod diff;
pub mod draft;
pub mod error;
pub mod history;
pub mod reference;
pub mod repository;
pub mod tree;

pub use error::Error;
pub use gix::ObjectId;
pub use repository::{Repositories, Repository};
