//! The HTTP base of all back ends.
//!
//! A back end builds a [`Request`] and says what an answer means; [`HttpClient`] does the rest:
//!
//! - **Deadlines** ([`Limits`]): of a connection, of a request, and of a call with all its retries.
//! - **Retries** ([`http_resilience::RetryBudget`]): one budget for each kind of failure. A request that is not
//!   repeatable is sent again only if it was certainly not processed.
//! - **Circuit breaker** ([`http_resilience::CircuitBreaker`]): opens after 30 s in which calls were under way and none
//!   was answered. So a dead server costs a run one wait, not one per resource.
//! - **Rate limits** ([`rate_limiter`]): a limit holds back the calls that it counts, and no others.
//! - **Logs**: one debug line per call; a warning with reason and wait per retry and throttling.
//!
//! What can go wrong on the way is a [`TransportError`], which the error kinds of all back ends embed.
//! Redirects are never followed here, and nothing that may hold a secret (a body, a token) implements
//! `Debug` or ends up in an error.

mod address;
mod client;
mod error;
mod json;
mod options;
mod rate_limiter;
mod request;
#[cfg(test)]
pub(super) mod tests;
mod transport_error;
mod trust;
mod user_agent;

pub use http_resilience::RetryReason;

pub use self::address::AddressError;
pub(super) use self::address::ApiRoot;
pub(crate) use self::address::check_address;
pub(super) use self::client::{HttpClient, Server, pause_after};
pub(super) use self::error::FieldErrors;
pub use self::error::{Call, Error, ErrorKind, FieldError};
pub(super) use self::json::parse_json;
pub use self::options::{CaError, Limits, SetupError};
pub use self::rate_limiter::RateLimit;
pub(super) use self::rate_limiter::requested_wait;
pub(super) use self::request::{MAX_ANSWER, Request, WhenLimited};
pub use self::transport_error::{ConnectFailure, TransportError};
pub use self::trust::TrustFailure;
pub use self::user_agent::UserAgent;
