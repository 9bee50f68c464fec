//! How a client is set up.

use std::time::Duration;

use super::AddressError;
use super::login::Login;
use crate::backends::http_client::AuthorityError;

/// What a client needs to know.
#[derive(Debug)]
pub struct Options {
    /// The root of the server, with or without `/v1`.
    pub address: String,
    /// The namespace on the server, for example `team`.
    pub namespace: Option<String>,
    /// Certificates (PEM) of authorities that are trusted besides the system's.
    pub ca_pem: Option<String>,
    /// How to get a token.
    pub login: Login,
    /// Whether mounts that are missing are made.
    pub manage_mounts: bool,
    /// Time limits.
    pub limits: Limits,
}

/// Time limits of a client.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For one connection to be made.
    pub connect: Duration,
    /// For one request, from its sending to the end of the answer.
    pub request: Duration,
    /// For which a server that cannot be reached or fails is tried again.
    pub failing: Duration,
    /// For one call with all its retries and waits.
    pub call: Duration,
    /// The first wait before a retry; each further one is twice as long.
    pub first_retry: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(8),
            request: Duration::from_secs(30),
            failing: Duration::from_secs(30),
            call: Duration::from_secs(300),
            first_retry: Duration::from_millis(250),
        }
    }
}

/// A client that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address is wrong.
    #[error("the address of Vault cannot be used")]
    Address(#[from] AddressError),
    /// The token cannot be sent in a header.
    #[error("the token holds characters that no token has, such as a line break")]
    Token(#[source] http::header::InvalidHeaderValue),
    /// The namespace cannot be sent in a header.
    #[error("the namespace holds characters that no namespace has")]
    Namespace(#[source] http::header::InvalidHeaderValue),
    /// The private authority's certificates are wrong.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client for Vault cannot be made")]
    Client(#[source] reqwest::Error),
}
