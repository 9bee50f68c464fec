//! The account with which runtimes are made: what it may do, and what keeps it from doing more.
//!
//! RBAC says which kinds it may write, and cannot say in which namespaces: those of products come and go. So an
//! admission policy of the cluster allows its writes in labelled namespaces only, and looks into the objects that could be
//! used to get more rights.

mod objects;
mod policy;
mod rights;

use super::token_account::RUNTIME_ACCOUNT;

pub(crate) use self::objects::{RuntimeAccess, policy_probe};
pub(crate) use self::policy::{AllowedResource, POLICY};
pub use self::rights::{RIGHTS, Right, Scope};

/// The service account with which runtimes are made, by its namespace and name.
pub const ACCOUNT: (&str, &str) = (RUNTIME_ACCOUNT.namespace, RUNTIME_ACCOUNT.name);
