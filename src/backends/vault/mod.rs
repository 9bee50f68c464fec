//! The client of Vault's and `OpenBao`'s HTTP API, version 1.
//!
//! It logs in with the first call, once for all who call at the same time, renews its token in time,
//! and keeps time limits, retries and errors in one place, `transport`. The verbs that lifecycles
//! call are methods of [`Vault`], one file per kind of object.
//!
//! It never follows a redirection, never writes a secret without check-and-set, and never keeps
//! the text of a secret in anything that can be printed.

mod address;
mod classify;
mod error;
mod login;
mod mount;
mod options;
mod policy;
mod reach;
mod request;
mod retry;
mod role;
mod secret;
mod session;
#[cfg(test)]
mod tests;
mod transport;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Mutex;

pub use self::error::{Call, Complaints, Error, Kind};
pub use self::login::Login;
pub use self::options::{Limits, Options, SetupError};
pub use self::secret::{Expected, SecretValues, StoredSecret};
pub use super::api_root::AddressError;
pub use super::http_client::AuthorityError;

use self::session::Session;

/// A Vault, spoken to as one identity.
///
/// Clones share the connections, the token, and what is known about mounts.
#[derive(Clone, Debug)]
pub struct Vault {
    session: Arc<Session>,
    manage_mounts: bool,
    sound_mounts: Arc<Mutex<BTreeSet<String>>>,
}

impl Vault {
    /// Sets up a client; nothing is sent.
    ///
    /// A default crypto provider of rustls must be installed in the process. Proxies are taken
    /// from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
    pub fn new(options: Options) -> Result<Self, SetupError> {
        Ok(Self {
            manage_mounts: options.manage_mounts,
            session: Arc::new(Session::new(options)?),
            sound_mounts: Arc::default(),
        })
    }
}
