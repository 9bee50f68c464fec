//! How a client is set up, and what is refused then.

use std::time::Duration;

use super::AddressError;

/// Time limits of a client.
#[derive(Clone, Debug)]
pub struct Limits {
    /// For one connection to be made.
    pub connect: Duration,
    /// For one request, from its sending to the end of the answer.
    pub request: Duration,
    /// For one call with all its retries and waits.
    pub call: Duration,
    /// The first wait before a retry; each further one is twice as long.
    pub first_retry: Duration,
    /// How long calls may go unanswered before the circuit opens.
    pub open_circuit_after: Duration,
    /// How often a call is let through an open circuit, and how long it waits for its answer.
    pub probe_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(8),
            request: Duration::from_secs(60),
            call: Duration::from_secs(900),
            first_retry: Duration::from_millis(250),
            open_circuit_after: Duration::from_secs(30),
            probe_interval: Duration::from_secs(5),
        }
    }
}

/// Why a client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address of the server is wrong.
    #[error("the address of the server cannot be used")]
    Address(#[from] AddressError),
    /// An HTTP header cannot carry a value.
    #[error("the {name} holds characters that it cannot have, such as a line break")]
    Header {
        /// What the value is: `token` or `namespace`.
        name: &'static str,
        /// Why.
        source: http::header::InvalidHeaderValue,
    },
    /// The certificates of private authorities are wrong.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

/// Why the certificates of private authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// They cannot be parsed.
    #[error("the certificates of the private authority are not PEM")]
    NotPem(#[source] reqwest::Error),
    /// The PEM text holds none.
    #[error("there are no certificates of the private authority in the PEM text")]
    Empty,
}
