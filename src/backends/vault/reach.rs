//! For how long nothing has got through, over all calls of a client.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Shared by all calls, so that each of many does not wait out the whole limit for itself.
#[derive(Debug, Default)]
pub(super) struct Reach {
    failing_since: Mutex<Option<Instant>>,
}

impl Reach {
    /// Notes that a call that began then has failed, and tells for how long calls have been failing.
    pub(super) fn failed(&self, begun: Instant) -> Duration {
        self.failing_since().get_or_insert(begun).elapsed()
    }

    /// Notes that a call was answered.
    pub(super) fn answered(&self) {
        *self.failing_since() = None;
    }

    fn failing_since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        let guard = self.failing_since.lock();
        guard.unwrap_or_else(PoisonError::into_inner)
    }
}
