//! How long the queue collects changes before it commits them.
//!
//! Parallel requests arrive within milliseconds of each other and a commit takes hundreds of them,
//! so a short wait saves whole commits. The wait ends early when as many changes are there as can
//! be expected, and it is dropped while changes come one at a time.

use std::time::Duration;

use tokio::time::Instant;

/// Time without a new change after which collecting ends.
const QUIET: Duration = Duration::from_millis(50);

/// Longest time for which a change is kept waiting for others.
const LONGEST: Duration = Duration::from_millis(300);

/// After so many batches of one change, there is no wait at all.
const SINGLES: u32 = 2;

/// The rhythm of one queue.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    expected: usize,
    singles: u32,
    arrivals: Option<Arrivals>,
}

#[derive(Clone, Copy, Debug)]
struct Arrivals {
    first: Instant,
    last: Instant,
}

impl Pacing {
    /// Notes a change that joined the queue.
    pub(super) fn arrived(&mut self, now: Instant) {
        let first = self.arrivals.map_or(now, |arrivals| arrivals.first);
        self.arrivals = Some(Arrivals { first, last: now });
    }

    /// Tells when `waiting` changes shall be committed; `None` is at once.
    pub(super) fn due(&self, waiting: usize) -> Option<Instant> {
        let arrivals = self.arrivals?;
        let enough = self.expected > 1 && waiting >= self.expected;
        if enough || self.singles >= SINGLES {
            return None;
        }
        Some((arrivals.last + QUIET).min(arrivals.first + LONGEST))
    }

    /// Notes that a batch of `size` changes was taken.
    pub(super) fn taken(&mut self, size: usize) {
        self.arrivals = None;
        self.singles = if size == 1 { self.singles + 1 } else { 0 };
    }

    /// Notes that `answered` requests were answered while `waiting` changes had joined the queue:
    /// each answered one makes room for another, so that many can be expected.
    pub(super) fn answered(&mut self, answered: usize, waiting: usize) {
        self.expected = answered + waiting;
        if waiting > 0 {
            self.singles = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn collecting_ends_when_it_is_quiet_and_at_the_latest_after_a_while() {
        let mut pacing = Pacing::default();
        let start = Instant::now();
        pacing.arrived(start);
        assert_eq!(pacing.due(1), Some(start + QUIET));
        for tick in 1..=20 {
            pacing.arrived(start + 20 * tick * Duration::from_millis(1));
        }
        assert_eq!(pacing.due(21), Some(start + LONGEST));
    }

    #[tokio::test(start_paused = true)]
    async fn collecting_ends_as_soon_as_a_batch_is_as_large_as_can_be_expected() {
        let mut pacing = Pacing::default();
        pacing.arrived(Instant::now());
        pacing.taken(7);
        pacing.answered(7, 3);
        pacing.arrived(Instant::now());
        assert!(pacing.due(9).is_some());
        assert_eq!(pacing.due(10), None);
    }

    #[tokio::test(start_paused = true)]
    async fn changes_that_come_one_at_a_time_do_not_wait_until_there_are_more() {
        let mut pacing = Pacing::default();
        for _ in 0..SINGLES {
            pacing.arrived(Instant::now());
            pacing.taken(1);
            pacing.answered(1, 0);
        }
        pacing.arrived(Instant::now());
        assert_eq!(pacing.due(1), None);
        pacing.taken(1);
        pacing.answered(1, 9);
        pacing.arrived(Instant::now());
        assert!(pacing.due(9).is_some());
    }
}
