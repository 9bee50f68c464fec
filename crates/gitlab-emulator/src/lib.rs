//! A GitLab for tests: REST API v4 and git over HTTP, backed by real bare repositories.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = gitlab_emulator::Emulator::builder().start().await?;
//! println!("{} accepts {}", emulator.url, emulator.root_token);
//! # Ok(()) }
//! ```
//!
//! `domain` holds the rules and does no I/O. `git` works on repositories and knows nothing of
//! GitLab. `api` and `git_http` serve both over HTTP. The crate's README lists the emulated
//! behaviour and its evidence.

mod api;
mod background;
mod control;
pub mod domain;
mod emulator;
pub mod git;
mod git_http;
mod instance;
mod limit;
mod post_receive;
mod random;
mod seed;
mod store;
mod web;
mod webhook;
mod write;

pub use domain::hook_health::AutoDisabling;
pub use domain::level::AccessLevel;
pub use domain::settings::Settings;
pub use domain::switches::{CommitValidation, ConflictText, HashStyle, Switches};
pub use domain::token::Scope;
pub use domain::user::Resource;
pub use emulator::{Builder, Emulator, Error};
pub use seed::{DeployKeyCredential, SeedAccessToken, SeedError, SeedToken, SeededToken};
pub use store::Error as StateError;
pub use web::fault::{Failure, Fault, FaultError};
pub use web::journal::JournalEntry;
