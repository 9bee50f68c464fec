//! The client of GitLab's REST API, version 4.
//!
//! Endpoint types come from the `gitlab` crate as far as it has them in a usable form, and from
//! `local` otherwise; they are driven through the crate's traits by our own `transport`,
//! which keeps time limits, retries, rate limits and errors in one place. The verbs that
//! lifecycles call are methods of [`GitLab`], one file per kind of object.
//!
//! It never follows a redirection to another host, never sends the token anywhere else, and never
//! repeats a call that may have taken effect unless the method is idempotent, or `creation` has
//! looked up that it has not.

mod access_token;
mod address;
mod classify;
mod creation;
mod deploy_key;
mod error;
mod group;
mod hook;
mod limit;
mod local;
mod options;
mod project;
mod query;
mod refusal;
mod repository;
mod retry;
#[cfg(test)]
mod tests;
mod transport;
mod user;

use std::sync::Arc;

pub use gitlab::api::common::NameOrId;

pub use self::access_token::{AccessToken, NewAccessToken};
pub use self::deploy_key::{DeployKey, NewDeployKey};
pub use self::error::{Call, Complaint, Complaints, Error, Kind};
pub use self::group::{Group, GroupChange, NewGroup, Visibility};
pub use self::hook::{Hook, HookSettings};
pub use self::options::{Limits, Options, SetupError};
pub use self::project::{Namespace, NewProject, Permissions, Project, ProjectChange, Role};
pub use self::repository::{
    Branch, Commit, CommitRef, EntryType, FileAction, NewCommit, Tag, TreeEntry,
};
pub use self::user::{CurrentUser, Member, TokenFacts, Version};
pub use super::api_root::AddressError;
pub use super::http_client::AuthorityError;

use self::transport::Transport;

/// A GitLab, spoken to as the owner of one token.
///
/// Clones share the connections and the gate behind which all calls wait when GitLab limits them.
#[derive(Clone, Debug)]
pub struct GitLab {
    transport: Arc<Transport>,
}

impl GitLab {
    /// Sets up a client; nothing is sent.
    ///
    /// A default crypto provider of rustls must be installed in the process. Proxies are taken
    /// from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
    pub fn new(options: &Options) -> Result<Self, SetupError> {
        Ok(Self {
            transport: Arc::new(Transport::new(options)?),
        })
    }
}
