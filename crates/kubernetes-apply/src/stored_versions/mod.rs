//! Custom resource definitions that no longer have a version in which objects are stored.
mod rule;
pub use self::rule::{VersionChange, intermediate, version_change};
