//! When a failed call is tried again. It never repeats an effect: a call that is not idempotent
//! is repeated only if it was certainly not processed.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use http::Method;

use super::error::Kind;
use super::options::Limits;

/// Longest wait between two attempts that nobody asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often a call is tried again when the server failed or the connection broke.
const RETRIES_AFTER_FAILURE: u32 = 4;

/// How often a call is tried again when another call held the object.
const RETRIES_WHEN_LOCKED: u32 = 8;

/// What has happened to one call so far, and the waits that are still to come.
#[derive(Debug)]
pub(super) struct Retry<'a> {
    limits: &'a Limits,
    idempotent: bool,
    pauses: ExponentialBackoff,
    failures: u32,
}

impl<'a> Retry<'a> {
    /// Begins a call.
    pub(super) fn new(method: &Method, limits: &'a Limits) -> Self {
        // RFC 9110 section 9.2.2: repeating one of these does what a single one does.
        let idempotent = matches!(
            *method,
            Method::GET | Method::HEAD | Method::PUT | Method::DELETE
        );
        Self::with(idempotent, limits)
    }

    /// Begins a call that is repeated only after it was looked up that it had no effect.
    pub(super) fn of_what_can_be_looked_up(limits: &'a Limits) -> Self {
        Self::with(true, limits)
    }

    fn with(idempotent: bool, limits: &'a Limits) -> Self {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(limits.first_retry)
            .with_max_delay(LONGEST_PAUSE)
            .without_max_times()
            .with_jitter()
            .build();
        Self {
            limits,
            idempotent,
            pauses,
            failures: 0,
        }
    }

    /// Decides after a failure: the wait before the next attempt, or none to give up.
    ///
    /// `spent` is the time since the call began; `unreachable` the time for which no call of the
    /// client has got through.
    pub(super) fn after(
        &mut self,
        failure: &Kind,
        spent: Duration,
        unreachable: Duration,
    ) -> Option<Duration> {
        self.failures += 1;
        let pause = self.pauses.next().unwrap_or(LONGEST_PAUSE);
        let wait = match failure {
            Kind::Unreachable => {
                let next_ends = unreachable + pause + self.limits.connect;
                (next_ends <= self.limits.unreachable).then_some(pause)
            }
            Kind::Limited { wait, .. } => Some(wait.unwrap_or(pause)),
            Kind::Interrupted { .. } if self.idempotent => {
                (self.failures <= RETRIES_AFTER_FAILURE).then_some(pause)
            }
            Kind::Server { wait, .. } if self.idempotent => {
                (self.failures <= RETRIES_AFTER_FAILURE).then(|| wait.unwrap_or(pause))
            }
            Kind::Locked if self.idempotent => {
                (self.failures <= RETRIES_WHEN_LOCKED).then_some(pause)
            }
            _ => None,
        }?;
        (spent + wait < self.limits.call).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;

    const NO_TIME: Duration = Duration::ZERO;

    fn server_error() -> Kind {
        Kind::Server {
            status: StatusCode::BAD_GATEWAY,
            wait: None,
        }
    }

    #[test]
    fn an_effect_that_may_have_happened_is_not_repeated() {
        let limits = Limits::default();
        for failure in [
            server_error(),
            Kind::Interrupted { timed_out: true },
            Kind::Locked,
            Kind::UnexpectedBody,
        ] {
            let after = Retry::new(&Method::POST, &limits).after(&failure, NO_TIME, NO_TIME);
            assert_eq!(after, None, "{failure:?}");
        }
    }

    #[test]
    fn what_was_certainly_not_processed_is_tried_again_whatever_the_method() {
        let limits = Limits::default();
        for failure in [
            Kind::Unreachable,
            Kind::Limited {
                wait: None,
                everything: true,
            },
        ] {
            let after = Retry::new(&Method::POST, &limits).after(&failure, NO_TIME, NO_TIME);
            assert!(after.is_some(), "{failure:?}");
        }
    }

    #[test]
    fn the_wait_that_the_server_asks_for_is_kept() {
        let limits = Limits::default();
        let wait = Some(Duration::from_secs(42));
        let failure = Kind::Limited {
            wait,
            everything: false,
        };
        assert_eq!(
            Retry::new(&Method::GET, &limits).after(&failure, NO_TIME, NO_TIME),
            wait
        );
        let too_late = limits.call;
        assert_eq!(
            Retry::new(&Method::GET, &limits).after(&failure, too_late, NO_TIME),
            None
        );
    }

    #[test]
    fn an_unreachable_host_is_given_up_when_its_time_is_over() {
        let limits = Limits::default();
        let mut retry = Retry::new(&Method::GET, &limits);
        assert_eq!(
            retry.after(&Kind::Unreachable, NO_TIME, limits.unreachable),
            None
        );
    }

    #[test]
    fn a_refusal_is_final() {
        let limits = Limits::default();
        for failure in [
            Kind::Invalid,
            Kind::Taken,
            Kind::NotFound,
            Kind::Unauthorized,
        ] {
            let after = Retry::new(&Method::GET, &limits).after(&failure, NO_TIME, NO_TIME);
            assert_eq!(after, None, "{failure:?}");
        }
    }

    proptest! {
        #[test]
        fn retries_end_and_pauses_stay_in_bounds(seed in 0..3_u8) {
            let limits = Limits::default();
            let failure = match seed {
                0 => server_error(),
                1 => Kind::Locked,
                _ => Kind::Interrupted { timed_out: false },
            };
            let mut retry = Retry::new(&Method::GET, &limits);
            let pauses: Vec<_> =
                std::iter::from_fn(|| retry.after(&failure, NO_TIME, NO_TIME)).collect();
            prop_assert!(pauses.len() <= RETRIES_WHEN_LOCKED as usize);
            prop_assert!(pauses.iter().all(|pause| *pause <= 2 * LONGEST_PAUSE));
        }
    }
}
