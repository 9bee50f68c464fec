//! Questions that a plan can do without an answer to.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;

/// How long a plan waits for such an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether questions that a plan can do without are still asked: after one that was not answered in
/// time, no more.
#[derive(Debug, Default)]
pub(super) struct Courtesy {
    is_over: AtomicBool,
}

impl Courtesy {
    /// Waits for an answer; `None` if there is none in time.
    pub(super) async fn ask<T>(&self, question: impl Future<Output = T>) -> Option<T> {
        if self.is_over.load(Ordering::Relaxed) {
            return None;
        }
        let answer = timeout(PATIENCE, question).await.ok();
        if answer.is_none() {
            self.is_over.store(true, Ordering::Relaxed);
        }
        answer
    }
}
