//! Configuration repositories: where the manifests of a product's entities, and of the tenant's
//! clusters, are kept. Only GitLab's API is used, no git.
//!
//! ```text
//! Repositories ── open ──> Repository       one for each request in flight
//!                              │
//!                            Queue          one for each branch: groups changes into batches
//!                              │   waiting, pacing, requests: what waits, and when it is due
//!                            Runner         one batch: composed, committed, checked, repaired
//!                              │   change, compose, rebase, commit, message: pure
//!                            Remote         the branch: head, listing, contents, each read once
//! ```
//!
//! All writes to configuration repositories go through here. Input and output
//! are in `queue`, `run`, `remote`, `contents`, `read` and `surroundings` alone.

mod archive;
mod change;
mod commit;
mod compose;
mod contents;
mod error;
mod listing;
mod message;
mod object_id;
mod pacing;
mod queue;
mod read;
mod rebase;
mod remote;
mod repositories;
mod repository;
mod requests;
mod run;
mod snapshot;
mod surroundings;
#[cfg(test)]
mod tests;
mod traffic;
mod waiting;

pub use self::change::{Checks, PutMode};
pub use self::error::{Error, Trees};
pub use self::read::{Drift, Present, Reading};
pub use self::repositories::{Options, Repositories};
pub use self::repository::{Repository, Written};
pub use self::run::Author;
pub use self::snapshot::{Snapshot, VerifiedAt};
pub use self::surroundings::TenantRepository;
