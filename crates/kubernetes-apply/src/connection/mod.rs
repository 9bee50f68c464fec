//! How calls reach an API server, and what can go wrong on the way.
//!
//! kube's own retries are off: they would repeat a POST, for up to hours. A call here has
//!
//! - **deadlines** ([`Limits`]): of a connection, of a request, and of a call with all its retries;
//! - **retries**: a call that does the same when it is sent twice is sent again after a failure whose effect
//!   is unknown; every other call only if it was certainly not processed;
//! - **a circuit breaker**, one per cluster: when no call was answered for 30 s, calls fail at once, and one
//!   is let through every 5 s. So a dead cluster costs a run one wait and not one per object;
//! - **bounded concurrency**: the others wait for their turn.

mod access;
mod client;
mod error;
mod expiry;
mod limits;
mod request;
mod retry;
mod service;
#[cfg(test)]
mod tests;
mod transport_error;

pub use self::access::{Access, AccessError, ExecPlugins, ForbiddenFile};
pub(crate) use self::client::Connection;
pub use self::error::{ApiStatus, Call, CallError, CallFailure};
pub use self::limits::Limits;
pub(crate) use self::request::ApiRequest;
pub use self::transport_error::{ConnectFailure, TransportError, Trust, TrustFailure};
