//! Configuration repositories, which hold the manifests of a product's entities or of the tenant's
//! clusters. Only GitLab's API is used, not git.
//!
//! ```text
//! Repositories ──> Repository           a handle; clones share the queue
//!                      │
//!                    Queue              one for each branch: groups changes into batches
//!                      │   pending_changes, batch_window: what waits, and when it is due
//!                 batch::Runner         one batch: composed, committed, verified, repaired
//!                      │   change, compose, rebase, commit, message: pure
//!                  BranchCache          the branch: head, listing and contents, each read once
//! ```
//!
//! All writes to configuration repositories go through here. The I/O is in `queue`, `batch`,
//! `branch_cache`, `contents`, `read` and `validation_inputs` alone. A change that is refused only
//! because of another manifest waits in the [`WaitGraph`](crate::wait_graph::WaitGraph).

mod archive;
mod awaited;
mod batch;
mod batch_window;
mod branch_cache;
mod change;
mod commit;
mod compose;
mod contents;
mod error;
mod listing;
mod message;
mod object_id;
mod pending_changes;
mod queue;
mod read;
mod rebase;
mod repositories;
mod repository;
mod snapshot;
#[cfg(test)]
mod tests;
mod validation_inputs;

pub use self::batch::CommitOptions;
pub use self::change::{PutMode, Validation};
pub use self::error::{Error, Trees};
pub use self::read::{Drift, Present, Reading};
pub use self::repositories::{Options, Repositories};
pub use self::repository::{Repository, Written};
pub use self::snapshot::{Snapshot, VerifiedAt};
pub use self::validation_inputs::TenantRepository;
