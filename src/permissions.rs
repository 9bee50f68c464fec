//! What runtimes may do in clusters, as the documentation shows it.

pub use crate::clusters::runtime::{ACCOUNT, RIGHTS, Right, Scope};
