//! Retries and a circuit breaker for the calls to one server, whatever client sends them.
//!
//! A call consists of attempts. A [`RetryBudget`] decides after a failed attempt whether and when the
//! next one follows. A [`CircuitBreaker`], which all calls to a server share, ends them while the server
//! answers none.

mod circuit_breaker;
mod retry;

pub use self::circuit_breaker::{CircuitBreaker, CircuitCall, CircuitError, OpenCircuit};
pub use self::retry::{RetryBudget, RetryReason};
