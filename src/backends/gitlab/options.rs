//! How a client is set up.

use std::time::Duration;

use crate::secret::Secret;

use super::AddressError;
use crate::backends::http_client::AuthorityError;

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

/// Time limits of a client.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For one connection to be made.
    pub connect: Duration,
    /// For one request, from its sending to the end of the answer.
    pub request: Duration,
    /// For which an unreachable host is tried again, over all calls of the client.
    pub unreachable: Duration,
    /// For one call with all its retries and waits.
    pub call: Duration,
    /// The first wait before a retry; each further one is twice as long.
    pub first_retry: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(8),
            request: Duration::from_secs(60),
            unreachable: Duration::from_secs(30),
            call: Duration::from_secs(900),
            first_retry: Duration::from_millis(250),
        }
    }
}

/// A client that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The URL is wrong.
    #[error("the GitLab URL cannot be used")]
    Url(#[from] AddressError),
    /// The token cannot be sent in a header.
    #[error("the GitLab token holds characters that no token has, such as a line break")]
    Token(#[source] http::header::InvalidHeaderValue),
    /// The private authority's certificates are wrong.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client for GitLab cannot be made")]
    Client(#[source] reqwest::Error),
}
