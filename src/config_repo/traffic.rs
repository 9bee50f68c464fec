//! What is going on in all repositories of a process, as far as it tells which requests can come.
//!
//! A client sends only so many requests at once, for whatever product. So while a batch is made
//! in one repository, its requests hold places that will be free for changes of others.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

/// The requests and batches of a process.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    flow: Mutex<Flow>,
    answers: Notify,
}

/// The traffic of one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    /// Requests in flight.
    pub(super) in_flight: usize,
    /// Batches that are being made.
    pub(super) batches: usize,
    /// When the requests of a batch were last answered.
    pub(super) answered: Option<Instant>,
}

/// A batch that is being made. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Batch<'a>(&'a Traffic);

impl Traffic {
    fn lock(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The traffic of this moment.
    pub(super) fn flow(&self) -> Flow {
        *self.lock()
    }

    /// Notes that a request begins.
    pub(super) fn begin(&self) {
        self.lock().in_flight += 1;
    }

    /// Notes that a request has ended.
    pub(super) fn end(&self) {
        self.lock().in_flight -= 1;
    }

    /// Notes that a batch begins.
    pub(super) fn batch(&self) -> Batch<'_> {
        self.lock().batches += 1;
        Batch(self)
    }

    /// Ends with the next batch that ends, in whatever repository.
    pub(super) fn answers(&self) -> Notified<'_> {
        self.answers.notified()
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        let mut flow = self.0.lock();
        flow.batches -= 1;
        flow.answered = Some(Instant::now());
        drop(flow);
        self.0.answers.notify_waiters();
    }
}
