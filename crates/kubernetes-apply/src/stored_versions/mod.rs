//! Custom resource definitions that drop a version in which objects are stored.
//!
//! The API server refuses an update of a definition that no longer has a version which
//! `status.storedVersions` lists. So the objects are stored anew first: the old definition is changed to
//! store the version that stays, every object is written as it is, and then the old version is struck off.
//! Every step may be repeated.

mod migrate;
mod rule;

pub use self::migrate::{MigrationError, MigrationFailure, MigrationOptions};
pub(crate) use self::migrate::{MigrationPlan, Migrator};
pub use self::rule::{VersionChange, intermediate, version_change};
