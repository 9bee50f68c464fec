//! Counts the operations in flight, since Terraform does not say which one is the last of a run.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of operations in flight.
#[derive(Debug, Default)]
pub(super) struct InFlight(AtomicUsize);

/// An operation in flight, until this is dropped.
#[derive(Debug)]
pub(super) struct Entry<'a>(&'a AtomicUsize);

impl InFlight {
    pub(super) fn begin(&self) -> Entry<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Entry(&self.0)
    }
}

impl Entry<'_> {
    /// Ends the operation, and returns whether none is left.
    pub(super) fn end_as_last(self) -> bool {
        let Self(count) = self;
        std::mem::forget(self);
        count.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_last_operation_counts() {
        let in_flight = InFlight::default();
        let (first, second, cancelled) = (in_flight.begin(), in_flight.begin(), in_flight.begin());
        assert!(!second.end_as_last());
        drop(cancelled);
        assert!(first.end_as_last());
        assert!(in_flight.begin().end_as_last());
    }
}
