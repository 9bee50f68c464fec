//! When a failed call is tried again. An effect is never repeated unless repeating changes nothing.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::error::Kind;
use super::options::Limits;

/// Longest wait between two attempts that nobody asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The waits of one call that are still to come.
#[derive(Debug)]
pub(super) struct Retry<'a> {
    limits: &'a Limits,
    repeatable: bool,
    pauses: ExponentialBackoff,
}

impl<'a> Retry<'a> {
    /// Begins a call. `repeatable` is whether sending it twice does what sending it once does.
    pub(super) fn new(repeatable: bool, limits: &'a Limits) -> Self {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(limits.first_retry)
            .with_max_delay(LONGEST_PAUSE)
            .without_max_times()
            .with_jitter()
            .build();
        Self {
            limits,
            repeatable,
            pauses,
        }
    }

    /// Decides after a failure: the wait before the next attempt, or none to give up.
    ///
    /// `spent` is the time since the call began; `failing` the time for which no call of the client
    /// has got through.
    pub(super) fn after(
        &mut self,
        failure: &Kind,
        spent: Duration,
        failing: Duration,
    ) -> Option<Duration> {
        let pause = self.pauses.next().unwrap_or(LONGEST_PAUSE);
        let (wait, over, limit) = match failure {
            Kind::Unreachable => (pause, failing + self.limits.connect, self.limits.failing),
            Kind::NotReady => (pause, spent, self.limits.failing),
            Kind::Limited { wait } => (wait.unwrap_or(pause), spent, self.limits.call),
            Kind::Interrupted { .. } | Kind::Server { .. } if self.repeatable => {
                (pause, failing, self.limits.failing)
            }
            _ => return None,
        };
        (over + wait < limit).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const NO_TIME: Duration = Duration::ZERO;

    const SERVER: Kind = Kind::Server {
        status: StatusCode::BAD_GATEWAY,
    };

    #[test]
    fn an_effect_that_may_have_happened_is_repeated_only_if_that_changes_nothing() {
        let limits = Limits::default();
        for failure in [SERVER, Kind::Interrupted { timed_out: true }] {
            let after =
                |repeatable| Retry::new(repeatable, &limits).after(&failure, NO_TIME, NO_TIME);
            assert!(after(true).is_some(), "{failure:?}");
            assert_eq!(after(false), None, "{failure:?}");
        }
    }

    #[test]
    fn what_was_certainly_not_processed_is_tried_again() {
        let limits = Limits::default();
        for failure in [
            Kind::Unreachable,
            Kind::NotReady,
            Kind::Limited { wait: None },
        ] {
            let after = Retry::new(false, &limits).after(&failure, NO_TIME, NO_TIME);
            assert!(after.is_some(), "{failure:?}");
        }
    }

    #[test]
    fn a_server_that_fails_is_given_up_when_its_time_is_over() {
        let limits = Limits::default();
        for failure in [Kind::Unreachable, SERVER] {
            let after = Retry::new(true, &limits).after(&failure, NO_TIME, limits.failing);
            assert_eq!(after, None, "{failure:?}");
        }
    }

    #[test]
    fn a_refusal_is_final() {
        let limits = Limits::default();
        for failure in [Kind::Sealed, Kind::Invalid, Kind::Conflict, Kind::Untrusted] {
            let after = Retry::new(true, &limits).after(&failure, NO_TIME, NO_TIME);
            assert_eq!(after, None, "{failure:?}");
        }
    }
}
