//! Waiting for objects, and what to say when they do not come.

mod gone;
mod ready;
mod report;

pub use self::gone::{NotGone, NotGoneError};
pub use self::ready::{NotReadyError, WaitError};
pub use self::report::{Event, PodTrouble, Unready};

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The pauses between two looks: short at first, then longer.
pub(crate) struct Pauses {
    next: Duration,
    deadline: Instant,
}

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

impl Pauses {
    pub(crate) fn until(deadline: Instant) -> Self {
        Self {
            next: FIRST,
            deadline,
        }
    }

    /// Sleeps before the next look; returns whether there is time for one.
    pub(crate) async fn pause(&mut self) -> bool {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        sleep(self.next.min(left)).await;
        self.next = (self.next * 3 / 2).min(LONGEST);
        true
    }
}
