//! Limits of a connection.

use std::time::Duration;

/// Limits of the calls to one cluster.
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
    /// How many requests are under way at once.
    pub concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(8),
            request: Duration::from_secs(60),
            call: Duration::from_secs(300),
            first_retry: Duration::from_millis(250),
            open_circuit_after: Duration::from_secs(30),
            probe_interval: Duration::from_secs(5),
            concurrency: 16,
        }
    }
}
