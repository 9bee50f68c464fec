//! How long the queue collects changes before it commits them.
//!
//! Parallel requests arrive within milliseconds of each other and a commit takes hundreds of them,
//! so a short wait saves whole commits. Who waits for an answer sends nothing new: the wait ends
//! early when every request of the process waits here and they are as many as the client has sent
//! at once before, and it is dropped while the client sends one request at a time. It is prolonged
//! while batches are made elsewhere.

use std::time::Duration;

use tokio::time::Instant;

use super::traffic::Flow;

/// Time without a new change after which collecting ends.
const QUIET: Duration = Duration::from_millis(50);

/// Longest time for which a change is kept waiting for others although nothing else is in its way.
const LONGEST: Duration = Duration::from_millis(300);

/// After so many changes that were alone in the process, one that is alone does not wait.
const SINGLES: u32 = 2;

/// The rhythm of one queue.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    /// How many requests the client has lately had in flight at once.
    usual: usize,
    singles: u32,
    arrivals: Option<Arrivals>,
    /// When the last batch of this queue was answered.
    free: Option<Instant>,
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

    /// Tells when changes shall be committed of which `waiting` wait here; `None` is at once.
    pub(super) fn due(&self, waiting: usize, flow: Flow) -> Option<Instant> {
        let arrivals = self.arrivals?;
        let all_wait = waiting >= flow.in_flight;
        let as_many_as_usual = self.usual > 1 && flow.in_flight >= self.usual;
        let one_at_a_time = self.singles >= SINGLES && flow.in_flight <= 1;
        if all_wait && (as_many_as_usual || one_at_a_time) {
            return None;
        }
        let kept_since = self
            .free
            .map_or(arrivals.first, |free| free.max(arrivals.first));
        let latest = kept_since + LONGEST;
        if flow.batches > 0 {
            return Some(latest);
        }
        let since = flow
            .answered
            .map_or(arrivals.last, |answered| answered.max(arrivals.last));
        Some(latest.min(since + QUIET))
    }

    /// Notes that all changes that wait here were taken.
    pub(super) fn taken(&mut self, flow: Flow) {
        self.arrivals = None;
        self.usual = flow.in_flight;
        self.singles = if flow.in_flight <= 1 {
            self.singles + 1
        } else {
            0
        };
    }

    /// Notes that changes are about to be answered, each of which makes room for another request.
    pub(super) fn answered(&mut self, flow: Flow, now: Instant) {
        self.free = Some(now);
        self.usual = self.usual.max(flow.in_flight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(in_flight: usize) -> Flow {
        Flow {
            in_flight,
            ..Flow::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn collecting_ends_when_it_is_quiet_and_at_the_latest_after_a_while() {
        let mut pacing = Pacing::default();
        let start = Instant::now();
        pacing.arrived(start);
        assert_eq!(pacing.due(1, flow(1)), Some(start + QUIET));
        for tick in 1..=20 {
            pacing.arrived(start + 20 * tick * Duration::from_millis(1));
        }
        assert_eq!(pacing.due(21, flow(21)), Some(start + LONGEST));
    }

    #[tokio::test(start_paused = true)]
    async fn collecting_ends_as_soon_as_all_wait_and_are_as_many_as_usual() {
        let mut pacing = Pacing::default();
        pacing.arrived(Instant::now());
        pacing.taken(flow(7));
        pacing.answered(flow(10), Instant::now());
        pacing.arrived(Instant::now());
        assert!(pacing.due(9, flow(9)).is_some(), "one more is usual");
        assert!(
            pacing.due(9, flow(10)).is_some(),
            "another one has not come yet"
        );
        assert_eq!(pacing.due(10, flow(10)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_usual_is_forgotten_when_it_was_waited_for_in_vain() {
        let mut pacing = Pacing::default();
        pacing.arrived(Instant::now());
        pacing.taken(flow(10));
        pacing.arrived(Instant::now());
        assert!(pacing.due(4, flow(4)).is_some());
        pacing.taken(flow(4));
        pacing.arrived(Instant::now());
        assert_eq!(pacing.due(4, flow(4)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn changes_that_come_one_at_a_time_do_not_wait_until_there_are_more() {
        let mut pacing = Pacing::default();
        for _ in 0..SINGLES {
            pacing.arrived(Instant::now());
            assert!(pacing.due(1, flow(1)).is_some());
            pacing.taken(flow(1));
        }
        pacing.arrived(Instant::now());
        assert_eq!(pacing.due(1, flow(1)), None);
        assert!(pacing.due(1, flow(2)).is_some(), "another one may come");
    }

    #[tokio::test(start_paused = true)]
    async fn batches_elsewhere_are_waited_for_because_their_end_makes_room() {
        let mut pacing = Pacing::default();
        let start = Instant::now();
        pacing.arrived(start);
        let elsewhere = Flow {
            in_flight: 4,
            batches: 1,
            answered: None,
        };
        assert_eq!(pacing.due(1, elsewhere), Some(start + LONGEST));
        let answered = start + 2 * QUIET;
        let ended = Flow {
            in_flight: 1,
            batches: 0,
            answered: Some(answered),
        };
        assert_eq!(pacing.due(1, ended), Some(answered + QUIET));
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_while_a_batch_was_made_waits_for_those_who_were_answered() {
        let mut pacing = Pacing::default();
        pacing.taken(flow(5));
        let came = Instant::now();
        pacing.arrived(came);
        let answered = came + 2 * LONGEST;
        pacing.answered(flow(10), answered);
        let ended = Flow {
            in_flight: 5,
            batches: 0,
            answered: Some(answered),
        };
        assert_eq!(pacing.due(5, ended), Some(answered + QUIET));
    }
}
