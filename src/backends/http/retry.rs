//! When a failed call is sent again.

use std::collections::HashMap;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use super::error::ErrorKind;
use super::options::Limits;
use super::transport_error::TransportError;

/// Longest wait between two attempts that nobody asked for, before jitter doubles it at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a call that failed may succeed later.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RetryReason {
    /// No connection was made.
    Unreachable,
    /// The connection broke, or time ran out.
    Interrupted,
    /// The server failed.
    ServerFailure,
    /// The server limits calls.
    Limited,
    /// Another call holds the object.
    Locked,
    /// The server cannot process the call yet, and has not.
    NotReady,
}

impl RetryReason {
    /// How often one call is sent again for this reason; `None` is as often as its deadline and the
    /// circuit breaker allow.
    fn budget(self) -> Option<usize> {
        match self {
            Self::Unreachable | Self::Limited => None,
            Self::Interrupted | Self::ServerFailure => Some(4),
            // About a minute.
            Self::Locked | Self::NotReady => Some(12),
        }
    }

    /// Whether the failed call was certainly not processed.
    fn is_unprocessed(self) -> bool {
        matches!(self, Self::Unreachable | Self::Limited | Self::NotReady)
    }
}

/// What is left of the retries of one call. Each reason has a budget and a back-off of its own.
#[derive(Debug)]
pub(in crate::backends) struct RetryBudget {
    repeatable: bool,
    deadline: Instant,
    first_pause: Duration,
    pauses: HashMap<RetryReason, ExponentialBackoff>,
}

impl RetryBudget {
    /// Begins a call. `repeatable` is whether sending it twice does what sending it once does.
    pub(in crate::backends) fn new(repeatable: bool, limits: &Limits) -> Self {
        Self {
            repeatable,
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
    pub(in crate::backends) fn pause_after(
        &mut self,
        failure: &impl ErrorKind,
    ) -> Option<Duration> {
        let reason = failure.retry_reason()?;
        if !self.repeatable && !reason.is_unprocessed() {
            return None;
        }
        let pause = self.next_pause(reason)?;
        let requested = failure.transport().and_then(TransportError::requested_wait);
        let wait = requested.unwrap_or(pause);
        (Instant::now() + wait < self.deadline).then_some(wait)
    }

    fn next_pause(&mut self, reason: RetryReason) -> Option<Duration> {
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

    use super::super::{ConnectFailure, RateLimit};
    use super::*;

    const REFUSED: TransportError = TransportError::Unreachable {
        reason: ConnectFailure::Refused,
    };
    const SERVER: TransportError = TransportError::Server {
        status: StatusCode::BAD_GATEWAY,
        wait: None,
    };
    const BROKEN: TransportError = TransportError::Interrupted { timed_out: false };

    fn limited(wait: Option<Duration>) -> TransportError {
        let limit = RateLimit::Route;
        TransportError::Limited { limit, wait }
    }

    fn budget(repeatable: bool) -> RetryBudget {
        RetryBudget::new(repeatable, &Limits::default())
    }

    #[tokio::test(start_paused = true)]
    async fn an_effect_that_may_have_happened_is_repeated_only_if_the_request_is_repeatable() {
        for failure in [SERVER, BROKEN] {
            assert_eq!(budget(false).pause_after(&failure), None, "{failure:?}");
            assert!(budget(true).pause_after(&failure).is_some(), "{failure:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_unprocessed_call_is_repeated_whatever_its_method() {
        for failure in [REFUSED, limited(None)] {
            assert!(budget(false).pause_after(&failure).is_some(), "{failure:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final() {
        for failure in [
            TransportError::UnexpectedBody,
            TransportError::Unsendable,
            TransportError::NotTls,
            TransportError::Redirected { location: None },
        ] {
            assert_eq!(budget(true).pause_after(&failure), None, "{failure:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_the_server_asks_for_is_kept_unless_it_ends_after_the_deadline() {
        let wait = Some(Duration::from_secs(42));
        let mut budget = budget(false);
        assert_eq!(budget.pause_after(&limited(wait)), wait);
        tokio::time::advance(Duration::from_secs(900 - 42)).await;
        assert_eq!(budget.pause_after(&limited(wait)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_kind_of_failure_uses_up_no_budget_of_another() {
        let mut budget = budget(true);
        for _ in 0..20 {
            assert!(budget.pause_after(&limited(None)).is_some());
        }
        for failure in [SERVER, BROKEN] {
            let pauses: Vec<_> = std::iter::from_fn(|| budget.pause_after(&failure)).collect();
            assert_eq!(pauses.len(), 4, "{failure:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_stay_in_bounds() {
        let mut budget = budget(true);
        let pauses = (0..50).filter_map(|_| budget.pause_after(&REFUSED));
        assert!(pauses.into_iter().all(|pause| pause <= 2 * LONGEST_PAUSE));
    }
}
