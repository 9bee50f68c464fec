//! How long a queue collects changes before it commits them.
//!
//! Parallel requests arrive within milliseconds of each other and a commit takes hundreds of them,
//! so a short window saves whole commits. It is a debounce: it closes when no change has arrived
//! for a while, and at once when every request that may still write to the repository waits here
//! and they are as many as the client has lately had in flight. While requests write to other
//! repositories, each of their answers may bring another change here, so it stays open longer.

use std::time::Duration;

use tokio::time::Instant;

use crate::wait_graph::Writers;

/// The window closes when no change has arrived, and none was answered, for so long.
const QUIET: Duration = Duration::from_millis(50);

/// The longest that the window stays open.
const LONGEST: Duration = Duration::from_millis(300);

/// The window of one queue.
#[derive(Debug, Default)]
pub(super) struct BatchWindow {
    opened: Option<Instant>,
    last_arrival: Option<Instant>,
    /// When the last batch was answered, so that the client can send further requests.
    last_answer: Option<Instant>,
    /// How many requests the client lately had in flight at once; `None` before the first batch.
    usual: Option<usize>,
}

impl BatchWindow {
    /// Registers a change that joined the queue.
    pub(super) fn arrived(&mut self, now: Instant) {
        self.opened.get_or_insert(now);
        self.last_arrival = Some(now);
    }

    /// Returns when to commit the changes that wait here; `None` commits at once.
    ///
    /// `waiting` of the requests that may write to the repository wait here.
    pub(super) fn deadline(&self, waiting: usize, writers: Writers) -> Option<Instant> {
        let (opened, last_arrival) = (self.opened?, self.last_arrival?);
        let open_since = self.last_answer.max(Some(opened))?;
        if writers.elsewhere > 0 {
            return Some(open_since + LONGEST);
        }
        let all_wait = waiting >= writers.here;
        if all_wait && self.usual.is_some_and(|usual| waiting >= usual) {
            return None;
        }
        let quiet_since = self.last_answer.max(Some(last_arrival))?;
        Some((quiet_since + QUIET).min(open_since + LONGEST))
    }

    /// Registers that everything that waited was taken.
    pub(super) fn taken(&mut self, writers: usize) {
        self.opened = None;
        self.last_arrival = None;
        self.usual = Some(writers);
    }

    /// Registers that a batch is about to be answered, while so many requests are in flight.
    pub(super) fn answered(&mut self, writers: usize, now: Instant) {
        self.last_answer = Some(now);
        self.usual = self.usual.max(Some(writers));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_here(here: usize) -> Writers {
        Writers { here, elsewhere: 0 }
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_closes_when_it_is_quiet_and_at_the_latest_after_a_while() {
        let mut window = BatchWindow::default();
        let start = Instant::now();
        window.arrived(start);
        assert_eq!(window.deadline(1, only_here(1)), Some(start + QUIET));
        for tick in 1..=20 {
            window.arrived(start + 20 * tick * Duration::from_millis(1));
        }
        assert_eq!(window.deadline(21, only_here(21)), Some(start + LONGEST));
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_closes_at_once_when_all_wait_and_are_as_many_as_usual() {
        let mut window = BatchWindow::default();
        window.taken(7);
        window.answered(10, Instant::now());
        window.arrived(Instant::now());
        assert!(
            window.deadline(9, only_here(9)).is_some(),
            "one more is usual"
        );
        assert!(
            window.deadline(9, only_here(10)).is_some(),
            "another one is under way"
        );
        assert_eq!(window.deadline(10, only_here(10)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_one_request_at_a_time_does_not_wait() {
        let mut window = BatchWindow::default();
        window.taken(1);
        window.answered(1, Instant::now());
        window.arrived(Instant::now());
        assert_eq!(window.deadline(1, only_here(1)), None);
        assert!(
            window.deadline(1, only_here(2)).is_some(),
            "another one is under way"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn changes_that_came_during_a_batch_wait_for_the_successors_of_those_it_answered() {
        let mut window = BatchWindow::default();
        window.taken(10);
        let came = Instant::now();
        window.arrived(came);
        let answered = came + 2 * LONGEST;
        window.answered(10, answered);
        assert_eq!(window.deadline(5, only_here(5)), Some(answered + QUIET));
    }

    #[tokio::test(start_paused = true)]
    async fn the_window_stays_open_while_other_repositories_are_written() {
        let mut window = BatchWindow::default();
        let start = Instant::now();
        window.arrived(start);
        let writers = Writers {
            here: 1,
            elsewhere: 2,
        };
        assert_eq!(window.deadline(1, writers), Some(start + LONGEST));
    }
}
