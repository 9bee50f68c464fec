//! The client of GitLab's REST API, version 4.
//!
//! Endpoint types come from the `gitlab` crate as far as it has them in a usable form, and are a
//! [`JsonEndpoint`](json_endpoint::JsonEndpoint) otherwise. `request` sends them through the HTTP base,
//! which keeps deadlines, retries and rate limits; `status` decides what an answer means. The verbs that
//! lifecycles call are methods of [`GitLab`], one file per kind of object.
//!
//! It never follows a redirection to another host, never sends the token anywhere else, and never
//! repeats a call that may have taken effect unless the method is idempotent, or `creation` has
//! looked up that it has not.

mod access_token;
mod creation;
mod deploy_key;
mod error;
mod error_body;
mod group;
mod hook;
mod json_endpoint;
mod member;
mod project;
mod repository;
mod request;
mod status;
#[cfg(test)]
mod tests;
mod user;

use std::sync::Arc;
use std::time::Duration;

pub use gitlab::api::common::NameOrId;
use http::{HeaderMap, header};

pub use self::access_token::{AccessToken, NewAccessToken};
pub use self::deploy_key::{DeployKey, NewDeployKey};
pub use self::error::{Error, ForbiddenReason, Kind};
pub use self::group::{Group, GroupChange, NewGroup, Visibility};
pub use self::hook::{Hook, HookSettings};
pub use self::member::{AccessLevel, Member};
pub use self::project::{Namespace, NewProject, Project, ProjectChange};
pub use self::repository::{
    Branch, Commit, CommitRef, EntryType, FileAction, NewCommit, Tag, TreeEntry,
};
pub(crate) use self::request::PAGE;
pub use self::user::CurrentUser;
pub use super::http::{AddressError, CaError, Call, FieldError, Limits, SetupError, UserAgent};

use super::http::{ApiRoot, HttpClient, Server};
use crate::secret::{self, Secret};

const SERVER: Server = Server {
    name: "gitlab",
    // `Rack::Attack` counts all API calls of a user or of an address in these
    // (GitLab `lib/gitlab/rack_attack.rb`); its other throttles count some routes.
    limits_on_all_calls: &["throttle_authenticated_api", "throttle_unauthenticated_api"],
};

/// A GitLab, as the owner of one token sees it.
///
/// Clones share the connections, the circuit breaker and the rate limits.
#[derive(Clone, Debug)]
pub struct GitLab {
    http: Arc<HttpClient>,
    api: ApiRoot,
}

/// What a client needs to know.
#[derive(Debug)]
pub struct Options {
    /// The root of the GitLab, with or without `/api/v4`.
    pub url: String,
    /// An access token: personal, of a group, of a project, or `OAuth`.
    pub token: Secret,
    /// Certificates (PEM) of authorities that are trusted besides the system's.
    pub ca_pem: Option<String>,
    /// Time limits.
    pub limits: Limits,
}

impl GitLab {
    /// Sets up a client; nothing is sent.
    ///
    /// A default crypto provider of rustls must be installed in the process. Proxies are taken
    /// from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
    pub fn new(options: &Options) -> Result<Self, SetupError> {
        Self::with_user_agent(options, &UserAgent::default())
    }

    /// Does the same as [`Self::new`], and calls itself by this name.
    pub fn with_user_agent(options: &Options, user_agent: &UserAgent) -> Result<Self, SetupError> {
        let token = secret::header_value("Bearer ", &options.token);
        let token = token.map_err(|source| SetupError::Header {
            name: "token",
            source,
        })?;
        let headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, token),
            (header::USER_AGENT, user_agent.header()),
        ]);
        let ca_pem = options.ca_pem.as_deref();
        Ok(Self {
            api: ApiRoot::parse(&options.url, "/api/v4")?,
            http: Arc::new(HttpClient::new(&SERVER, &options.limits, ca_pem, headers)?),
        })
    }

    /// Returns for how long rate limits have held calls back so far.
    pub fn held_for(&self) -> Duration {
        self.http.held_for()
    }
}
