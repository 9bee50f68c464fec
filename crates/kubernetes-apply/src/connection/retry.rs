//! When a failed call is sent again.

use std::collections::HashMap;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use super::error::{ApiStatus, CallFailure};
use super::limits::Limits;
use super::request::Repeat;
use super::transport_error::TransportError;

/// Longest wait between two attempts that nobody asked for, before jitter doubles it at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a call that failed may succeed later.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Reason {
    /// No connection was made.
    Unreachable,
    /// The connection broke, or time ran out.
    Interrupted,
    /// The server failed.
    ServerFailure,
    /// The server limits calls.
    Limited,
    /// A webhook cannot be called yet.
    WebhookNotReady,
}

/// What is left of the retries of one call. Each reason has a budget and a back-off of its own.
#[derive(Debug)]
pub(super) struct RetryBudget {
    repeat: Repeat,
    deadline: Instant,
    first_pause: Duration,
    pauses: HashMap<Reason, ExponentialBackoff>,
}

impl Reason {
    /// How often one call is sent again for this reason; `None` is as often as its deadline and the circuit
    /// breaker allow.
    fn budget(self) -> Option<usize> {
        match self {
            Self::Unreachable | Self::Limited => None,
            Self::Interrupted | Self::ServerFailure => Some(4),
            // About a minute: a pod starts.
            Self::WebhookNotReady => Some(14),
        }
    }

    /// Whether the failed call was certainly not processed.
    fn is_unprocessed(self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::Limited | Self::WebhookNotReady
        )
    }
}

impl CallFailure {
    fn retry_reason(&self) -> Option<Reason> {
        match self {
            Self::Transport(TransportError::Unreachable { .. }) => Some(Reason::Unreachable),
            Self::Transport(TransportError::Interrupted { .. }) => Some(Reason::Interrupted),
            Self::Transport(TransportError::NotTheApi { status, .. }) => match status.as_u16() {
                429 => Some(Reason::Limited),
                code if code >= 500 => Some(Reason::ServerFailure),
                _ => None,
            },
            Self::Transport(_) => None,
            Self::Refused(status) if status.is_webhook_not_ready() => Some(Reason::WebhookNotReady),
            Self::Refused(status) => match status.code {
                429 => Some(Reason::Limited),
                code if code >= 500 => Some(Reason::ServerFailure),
                _ => None,
            },
        }
    }

    fn requested_wait(&self) -> Option<Duration> {
        match self {
            Self::Transport(TransportError::NotTheApi { wait, .. }) => *wait,
            Self::Transport(_) => None,
            Self::Refused(status) => ApiStatus::requested_wait(status),
        }
    }
}

impl RetryBudget {
    /// Begins a call.
    pub(super) fn new(repeat: Repeat, limits: &Limits) -> Self {
        Self {
            repeat,
            deadline: Instant::now() + limits.call,
            first_pause: limits.first_retry,
            pauses: HashMap::new(),
        }
    }

    /// Returns the deadline of the call.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Decides after a failure: the wait before the next attempt, or `None` if the failure is final.
    ///
    /// `header_wait` is what the `Retry-After` header asks for.
    pub(super) fn pause_after(
        &mut self,
        failure: &CallFailure,
        header_wait: Option<Duration>,
    ) -> Option<Duration> {
        let reason = failure.retry_reason()?;
        if self.repeat == Repeat::Other && !reason.is_unprocessed() {
            return None;
        }
        let pause = self.next_pause(reason)?;
        let wait = header_wait
            .or_else(|| failure.requested_wait())
            .unwrap_or(pause);
        (Instant::now() + wait < self.deadline).then_some(wait)
    }

    fn next_pause(&mut self, reason: Reason) -> Option<Duration> {
        let pauses = self.pauses.entry(reason).or_insert_with(|| {
            let pauses = ExponentialBuilder::new()
                .with_min_delay(self.first_pause)
                .with_max_delay(LONGEST_PAUSE)
                .with_jitter();
            match reason.budget() {
                Some(times) => pauses.with_max_times(times).build(),
                None => pauses.without_max_times().build(),
            }
        });
        pauses.next()
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::super::transport_error::ConnectFailure;
    use super::*;

    fn status(code: u16, message: &str) -> CallFailure {
        let status = json!({"kind": "Status", "apiVersion": "v1", "message": message});
        let code = StatusCode::from_u16(code).unwrap();
        ApiStatus::parse(code, status.to_string().as_bytes(), false)
            .unwrap()
            .into()
    }

    fn interrupted() -> CallFailure {
        TransportError::Interrupted { timed_out: true }.into()
    }

    fn refused_connection() -> CallFailure {
        let reason = ConnectFailure::Refused;
        TransportError::Unreachable { reason }.into()
    }

    fn pause(repeat: Repeat, failure: &CallFailure) -> Option<Duration> {
        RetryBudget::new(repeat, &Limits::default()).pause_after(failure, None)
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_of_unknown_effect_is_repeated_only_if_that_does_the_same() {
        for failure in [
            interrupted(),
            status(503, "unavailable"),
            status(500, "etcd"),
        ] {
            assert_eq!(pause(Repeat::Other, &failure), None, "{failure:?}");
            assert!(pause(Repeat::Same, &failure).is_some(), "{failure:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_was_not_processed_is_repeated_whatever_it_does() {
        let webhook =
            "Internal error occurred: failed calling webhook \"a\": no endpoints available";
        for failure in [
            refused_connection(),
            status(429, "slow down"),
            status(500, webhook),
        ] {
            assert!(pause(Repeat::Other, &failure).is_some(), "{failure:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_call_is_final() {
        for code in [400, 401, 403, 404, 409, 422] {
            assert_eq!(pause(Repeat::Same, &status(code, "no")), None, "{code}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_the_server_asks_for_is_kept_unless_it_ends_after_the_deadline() {
        let mut budget = RetryBudget::new(Repeat::Other, &Limits::default());
        let limited = status(429, "slow down");
        let wait = Some(Duration::from_secs(42));
        assert_eq!(budget.pause_after(&limited, wait), wait);
        assert_eq!(
            budget.pause_after(&limited, Some(Duration::from_secs(301))),
            None
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_kind_of_failure_uses_up_no_budget_of_another() {
        let mut budget = RetryBudget::new(Repeat::Same, &Limits::default());
        for _ in 0..20 {
            assert!(budget.pause_after(&status(429, ""), None).is_some());
        }
        for failure in [interrupted(), status(503, "unavailable")] {
            let pauses = std::iter::from_fn(|| budget.pause_after(&failure, None));
            assert_eq!(pauses.count(), 4, "{failure:?}");
        }
    }
}
