//! A GitLab for tests: REST API v4 and git over HTTP on real bare repositories.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = gitlab_emulator::Emulator::builder().start().await?;
//! println!("{} accepts {}", emulator.url, emulator.root_token);
//! # Ok(()) }
//! ```
//!
//! `domain` knows the rules and does no I/O; `git` knows repositories and nothing of GitLab; `api` and
//! `git_http` bring both to HTTP. The crate's README tells what is emulated, and on what evidence.

mod api;
mod control;
pub mod domain;
mod emulator;
pub mod git;
mod git_http;
mod instance;
mod limit;
mod random;
mod received;
mod seed;
mod store;
mod web;
mod webhook;
mod work;
mod write;

pub use domain::settings::Settings;
pub use domain::switches::{CommitValidation, ConflictText, HashStyle, Switches};
pub use emulator::{Builder, Emulator, Error};
pub use seed::{SeedError, SeedToken};
pub use store::Error as StateError;
pub use web::fault::{Failure, Fault, FaultError};
pub use web::journal::JournalEntry;
