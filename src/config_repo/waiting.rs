//! The changes of one branch that wait, and what to do with them next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::change::Change;
use super::error::Error;
use super::pacing::Pacing;
use super::requests::{RequestId, Requests};
use super::run::Verdict;
use super::surroundings::Neighbours;
use super::traffic::Traffic;

/// A parked change is looked at once more before it is given up, unless that was done so recently.
const RECENT: Duration = Duration::from_secs(1);

/// A change that waits, and who waits for it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) change: Change,
    pub(super) neighbours: Neighbours,
    pub(super) request: RequestId,
    pub(super) reply: oneshot::Sender<Verdict>,
}

/// A change that only another change can make possible.
#[derive(Debug)]
struct Parked {
    item: Item,
    refusal: Error,
    looked_at: Instant,
}

/// The changes that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) requests: Requests,
    pacing: Pacing,
    pending: VecDeque<Item>,
    parked: VecDeque<Parked>,
    working: bool,
}

/// What the worker does next.
#[derive(Debug)]
pub(super) enum Step {
    /// Make these changes.
    Run(Vec<Item>),
    /// Wait for news, at most until then.
    Wait(Option<Instant>),
    /// End: nothing waits.
    End,
}

impl Waiting {
    pub(super) fn new(traffic: Arc<Traffic>) -> Self {
        Self {
            requests: Requests::new(traffic),
            ..Self::default()
        }
    }

    /// Adds a change. Tells whether a worker must be started for it.
    pub(super) fn add(&mut self, item: Item, now: Instant) -> bool {
        self.pacing.arrived(now);
        self.pending.push_back(item);
        !std::mem::replace(&mut self.working, true)
    }

    /// Decides what to do next.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        self.pending.retain(|item| !item.reply.is_closed());
        self.parked.retain(|parked| !parked.item.reply.is_closed());
        if !self.pending.is_empty() {
            let waiting = self.pending.len() + self.parked.len();
            return match self.pacing.due(waiting, self.requests.flow()) {
                Some(due) if due > now => Step::Wait(Some(due)),
                _ => Step::Run(self.take()),
            };
        }
        let Some(longest) = self.parked.front() else {
            self.working = false;
            return Step::End;
        };
        match self.requests.deadlock() {
            Some(deadlock) if deadlock <= now && longest.looked_at + RECENT < now => {
                Step::Run(self.take())
            }
            Some(deadlock) if deadlock <= now => {
                self.give_up_longest(now);
                Step::Wait(self.requests.deadlock())
            }
            deadlock => Step::Wait(deadlock),
        }
    }

    /// Takes everything that waits. What was parked comes first, as it came first.
    fn take(&mut self) -> Vec<Item> {
        self.pacing.taken(self.requests.flow());
        let parked = self.parked.drain(..).map(|parked| parked.item);
        parked.chain(self.pending.drain(..)).collect()
    }

    fn give_up_longest(&mut self, now: Instant) {
        if let Some(Parked { item, refusal, .. }) = self.parked.pop_front() {
            self.requests.gave_up(now);
            // Whoever waited may have stopped waiting; then nobody needs the answer.
            let _ = item.reply.send(Err(refusal));
        }
    }

    /// Takes in what became of changes: answers them, or parks them.
    pub(super) fn settle(&mut self, items: Vec<Item>, verdicts: Vec<Verdict>, now: Instant) {
        self.pacing.answered(self.requests.flow(), now);
        for (item, verdict) in items.into_iter().zip(verdicts) {
            match verdict {
                Err(refusal) if refusal.curable_by_another_change() => {
                    self.requests.park(item.request, now);
                    self.parked.push_back(Parked {
                        item,
                        refusal,
                        looked_at: now,
                    });
                }
                verdict => {
                    self.requests.resume(item.request);
                    let _ = item.reply.send(verdict);
                }
            }
        }
    }

    /// Drops everything, because the worker has ended half-way.
    pub(super) fn abandon(&mut self) {
        self.working = false;
        self.pending.clear();
        self.parked.clear();
    }
}

#[cfg(test)]
mod tests {
    use nautes_model::{EntityKey, EntityName, Kind};

    use super::*;
    use crate::config_repo::Checks;

    struct Request {
        answer: oneshot::Receiver<Verdict>,
    }

    impl Waiting {
        fn request(&mut self, name: &str) -> Request {
            let (reply, answer) = oneshot::channel();
            let key = EntityKey::new(Kind::Environment, EntityName::new(name).unwrap());
            let item = Item {
                change: Change::delete(key, Checks::Full),
                neighbours: Neighbours::new(),
                request: self.requests.begin(),
                reply,
            };
            self.add(item, Instant::now());
            Request { answer }
        }

        /// Lets time pass until there is something to run, and refuses it for the time being.
        async fn refuse_all(&mut self) -> usize {
            loop {
                match self.step(Instant::now()) {
                    Step::Run(items) => {
                        let count = items.len();
                        let refusals = items.iter().map(|item| Err(refusal(item))).collect();
                        self.settle(items, refusals, Instant::now());
                        return count;
                    }
                    Step::Wait(Some(until)) => tokio::time::sleep_until(until).await,
                    step => panic!("{step:?}"),
                }
            }
        }
    }

    fn refusal(item: &Item) -> Error {
        Error::Exists {
            key: item.change.key().unwrap(),
            differences: Vec::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_parked_gives_up_first_after_a_last_look() {
        let mut waiting = Waiting::default();
        let begun = Instant::now();
        let (mut first, mut second) = (waiting.request("a"), waiting.request("b"));
        assert_eq!(waiting.refuse_all().await, 2);
        assert_eq!(waiting.refuse_all().await, 2, "the last look");
        assert!(begun.elapsed() >= Duration::from_secs(3));
        assert!(matches!(waiting.step(Instant::now()), Step::Wait(Some(_))));
        assert!(first.answer.try_recv().unwrap().is_err());
        assert!(
            second.answer.try_recv().is_err(),
            "the other one gets a little more time"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_nobody_waits_for_any_more_is_dropped() {
        let mut waiting = Waiting::default();
        drop(waiting.request("a"));
        assert!(matches!(waiting.step(Instant::now()), Step::End));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_parked_is_tried_again_with_the_next_change() {
        let mut waiting = Waiting::default();
        let _parked = waiting.request("a");
        assert_eq!(waiting.refuse_all().await, 1);
        let _next = waiting.request("b");
        assert_eq!(waiting.refuse_all().await, 2);
    }
}
