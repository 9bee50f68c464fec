//! The client of Vault's and `OpenBao`'s HTTP API, version 1.
//!
//! `session` logs in with the first call, once for concurrent callers, and keeps the token renewed in
//! the background. `transport` sends requests through the HTTP base, which keeps deadlines and retries;
//! `status` decides what an answer means. The verbs that lifecycles call are methods of [`Vault`], one
//! file per kind of object.
//!
//! It never follows a redirection, never writes a secret without check-and-set, and never keeps
//! the text of a secret in anything that can be printed.

mod auth_mount;
mod capability;
mod error;
mod login;
mod mount;
mod policy;
mod request;
mod role;
mod secret;
mod secret_metadata;
mod session;
mod status;
#[cfg(test)]
mod tests;
mod transport;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

pub use self::auth_mount::{
    AuthMount, KubernetesAuth, KubernetesRole, StoredKubernetesAuth, TokenLimits,
};
pub use self::error::{Error, Kind};
pub use self::login::Login;
pub use self::secret::{Expected, SecretValues, StoredSecret};
pub use self::secret_metadata::SecretMetadata;
pub use super::http::{AddressError, CaError, Call, FieldError, Limits, SetupError, UserAgent};

use self::session::Session;

/// A Vault, as one identity sees it.
///
/// Clones share the connections, the circuit breaker, the token, and what is known about mounts.
#[derive(Clone, Debug)]
pub struct Vault {
    session: Arc<Session>,
    manage_mounts: bool,
    verified_mounts: Arc<Mutex<BTreeSet<String>>>,
}

/// What a client needs to know.
#[derive(Debug)]
pub struct Options {
    /// The root of the server, with or without `/v1`.
    pub address: String,
    /// The namespace on the server, such as `team`.
    pub namespace: Option<String>,
    /// Certificates (PEM) of authorities that are trusted besides the system's.
    pub ca_pem: Option<String>,
    /// How to get a token.
    pub login: Login,
    /// Whether missing mounts are created.
    pub manage_mounts: bool,
    /// Time limits.
    pub limits: Limits,
}

impl Vault {
    /// Sets up a client; nothing is sent.
    ///
    /// A default crypto provider of rustls must be installed in the process. Proxies are taken
    /// from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
    pub fn new(options: Options) -> Result<Self, SetupError> {
        Self::with_user_agent(options, &UserAgent::default())
    }

    /// Does the same as [`Self::new`], and calls itself by this name.
    pub fn with_user_agent(options: Options, user_agent: &UserAgent) -> Result<Self, SetupError> {
        Ok(Self {
            manage_mounts: options.manage_mounts,
            session: Arc::new(Session::new(options, user_agent)?),
            verified_mounts: Arc::default(),
        })
    }

    /// Returns for how long rate limits have held calls back so far.
    pub fn held_for(&self) -> Duration {
        self.session.held_for()
    }
}
