//! When a failed call is sent again.

use std::collections::HashMap;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

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
    /// The server, or something that it asks, cannot process the call yet, and has not.
    NotReady,
}

impl RetryReason {
    /// How often one call is sent again for this reason; `None` is as often as its deadline and the
    /// circuit breaker allow.
    fn budget(self) -> Option<usize> {
        match self {
            Self::Unreachable | Self::Limited => None,
            Self::Interrupted | Self::ServerFailure => Some(4),
            // About a minute: a pod starts.
            Self::Locked | Self::NotReady => Some(14),
        }
    }

    /// Whether the failed call was certainly not processed.
    fn is_unprocessed(self) -> bool {
        matches!(self, Self::Unreachable | Self::Limited | Self::NotReady)
    }
}

/// What is left of the retries of one call. Each reason has a budget and a back-off of its own.
#[derive(Debug)]
pub struct RetryBudget {
    is_repeatable: bool,
    deadline: Instant,
    first_pause: Duration,
    pauses: HashMap<RetryReason, ExponentialBackoff>,
}

impl RetryBudget {
    /// Begins a call that takes at most `time`. `is_repeatable` is whether sending it twice does what
    /// sending it once does.
    pub fn new(is_repeatable: bool, time: Duration, first_pause: Duration) -> Self {
        Self {
            is_repeatable,
            deadline: Instant::now() + time,
            first_pause,
            pauses: HashMap::new(),
        }
    }

    /// Returns the deadline of the call.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Decides after a failure: the wait before the next attempt, or `None` if the failure is final.
    ///
    /// `requested` is how long the server asks to wait.
    pub fn pause_after(
        &mut self,
        reason: RetryReason,
        requested: Option<Duration>,
    ) -> Option<Duration> {
        if !self.is_repeatable && !reason.is_unprocessed() {
            return None;
        }
        let pause = self.next_pause(reason)?;
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
    use super::*;

    const CALL: Duration = Duration::from_secs(900);

    fn budget(is_repeatable: bool) -> RetryBudget {
        RetryBudget::new(is_repeatable, CALL, Duration::from_millis(250))
    }

    #[tokio::test(start_paused = true)]
    async fn an_effect_that_may_have_happened_is_repeated_only_if_the_call_is_repeatable() {
        for reason in [
            RetryReason::ServerFailure,
            RetryReason::Interrupted,
            RetryReason::Locked,
        ] {
            assert_eq!(budget(false).pause_after(reason, None), None, "{reason:?}");
            assert!(
                budget(true).pause_after(reason, None).is_some(),
                "{reason:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_unprocessed_call_is_repeated_whatever_it_does() {
        for reason in [
            RetryReason::Unreachable,
            RetryReason::Limited,
            RetryReason::NotReady,
        ] {
            assert!(
                budget(false).pause_after(reason, None).is_some(),
                "{reason:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_the_server_asks_for_is_kept_unless_it_ends_after_the_deadline() {
        let wait = Some(Duration::from_secs(42));
        let mut budget = budget(false);
        assert_eq!(budget.pause_after(RetryReason::Limited, wait), wait);
        tokio::time::advance(Duration::from_secs(900 - 42)).await;
        assert_eq!(budget.pause_after(RetryReason::Limited, wait), None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_kind_of_failure_uses_up_no_budget_of_another() {
        let mut budget = budget(true);
        for _ in 0..20 {
            assert!(budget.pause_after(RetryReason::Limited, None).is_some());
        }
        for reason in [RetryReason::ServerFailure, RetryReason::Interrupted] {
            let pauses = std::iter::from_fn(|| budget.pause_after(reason, None));
            assert_eq!(pauses.count(), 4, "{reason:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_stay_in_bounds() {
        let mut budget = budget(true);
        let pauses = (0..50).filter_map(|_| budget.pause_after(RetryReason::Unreachable, None));
        assert!(pauses.into_iter().all(|pause| pause <= 2 * LONGEST_PAUSE));
    }
}
