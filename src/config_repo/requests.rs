//! Which requests of a product are in flight and which of them are parked.
//!
//! A parked request waits for a change that another request may bring. When every request in
//! flight has been parked for a while, none can come, and the one that waited longest gives up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::traffic::{Flow, Traffic};

/// Time for which every request must be parked before one gives up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Time that the others get after one has given up: its end makes room for a request that the
/// client has held back, and that one may bring what they wait for.
const GRACE: Duration = Duration::from_millis(500);

/// The number of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct RequestId(u64);

/// The requests in flight for one product.
#[derive(Debug, Default)]
pub(super) struct Requests {
    traffic: Arc<Traffic>,
    next: u64,
    in_flight: BTreeMap<RequestId, bool>,
    deadlock: Option<Instant>,
}

impl Requests {
    pub(super) fn new(traffic: Arc<Traffic>) -> Self {
        Self {
            traffic,
            ..Self::default()
        }
    }

    /// What is going on for all products.
    pub(super) fn flow(&self) -> Flow {
        self.traffic.flow()
    }

    /// Begins a request.
    pub(super) fn begin(&mut self) -> RequestId {
        self.traffic.begin();
        let id = RequestId(self.next);
        self.next += 1;
        self.in_flight.insert(id, false);
        self.deadlock = None;
        id
    }

    /// Ends a request. The end of one that was parked leaves the others as they are.
    pub(super) fn end(&mut self, id: RequestId, now: Instant) {
        if self.in_flight.remove(&id).is_some() {
            self.traffic.end();
        }
        self.judge(now);
    }

    /// Notes that a request waits for others.
    pub(super) fn park(&mut self, id: RequestId, now: Instant) {
        if let Some(parked) = self.in_flight.get_mut(&id) {
            *parked = true;
        }
        self.judge(now);
    }

    /// Notes that a request goes on.
    pub(super) fn resume(&mut self, id: RequestId) {
        if let Some(parked) = self.in_flight.get_mut(&id) {
            *parked = false;
            self.deadlock = None;
        }
    }

    /// When one of the parked requests must give up; none while some request goes on.
    pub(super) fn deadlock(&self) -> Option<Instant> {
        self.deadlock
    }

    /// Notes that a request gave up.
    pub(super) fn gave_up(&mut self, now: Instant) {
        if let Some(deadlock) = &mut self.deadlock {
            *deadlock = now + GRACE;
        }
    }

    fn judge(&mut self, now: Instant) {
        let all_parked =
            !self.in_flight.is_empty() && self.in_flight.values().all(|parked| *parked);
        self.deadlock = all_parked.then(|| self.deadlock.unwrap_or(now + PATIENCE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nobody_gives_up_while_a_request_goes_on() {
        let mut requests = Requests::default();
        let now = Instant::now();
        let waiting = requests.begin();
        let busy = requests.begin();
        requests.park(waiting, now);
        assert_eq!(requests.deadlock(), None);
        requests.end(busy, now);
        assert_eq!(requests.deadlock(), Some(now + PATIENCE));
        requests.begin();
        assert_eq!(requests.deadlock(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_begins_when_the_last_one_is_parked() {
        let mut requests = Requests::default();
        let (first, second) = (requests.begin(), requests.begin());
        let begun = Instant::now();
        requests.park(first, begun);
        let later = begun + Duration::from_secs(60);
        requests.park(second, later);
        assert_eq!(requests.deadlock(), Some(later + PATIENCE));
        requests.resume(first);
        assert_eq!(requests.deadlock(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_others_get_a_little_time_after_one_gave_up() {
        let mut requests = Requests::default();
        let (first, second) = (requests.begin(), requests.begin());
        let begun = Instant::now();
        requests.park(first, begun);
        requests.park(second, begun);
        let over = begun + PATIENCE;
        requests.gave_up(over);
        requests.end(first, over);
        assert_eq!(requests.deadlock(), Some(over + GRACE));
    }
}
