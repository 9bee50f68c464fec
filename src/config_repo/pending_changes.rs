//! The changes of one branch that are not made yet, and what to do with them next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use nautes_model::layout::Repository;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::awaited::awaited;
use super::batch::Outcome;
use super::batch_window::BatchWindow;
use super::change::Change;
use super::error::Error;
use super::snapshot::Snapshot;
use super::validation_inputs::OtherProducts;
use crate::wait_graph::{Position, RequestId, Target, Version, WaitGraph, Writers};

/// A parked change is judged once more before it is given up, unless it was so recently.
const RECENT: Duration = Duration::from_secs(1);

/// A change that was made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// The branch after the change.
    pub(super) snapshot: Arc<Snapshot>,
    /// Whether the entity that it creates was there before.
    pub(super) took_over: bool,
}

/// A change that was made, or why it was not.
pub(super) type Answer = Result<Made, Error>;

/// A change, and where to answer it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) change: Change,
    pub(super) other_products: OtherProducts,
    /// The request that waits for the answer; `None` if it waits for no other request.
    pub(super) request: Option<RequestId>,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// A change that is refused until another one is made.
#[derive(Debug)]
struct Parked {
    item: Item,
    request: RequestId,
    refusal: Error,
    /// The version of the wait graph when it was last judged.
    seen: Version,
    judged_at: Instant,
}

/// The changes that are not made yet.
#[derive(Debug)]
pub(super) struct PendingChanges {
    graph: WaitGraph,
    repository: Repository,
    window: BatchWindow,
    pending: VecDeque<Item>,
    parked: VecDeque<Parked>,
    has_worker: bool,
}

/// What the worker does next.
#[derive(Debug)]
pub(super) enum Step {
    /// Make these changes.
    Run(Vec<Item>),
    /// Wait for a change of the queue or of the wait graph, at most until then.
    Wait(Option<Instant>),
    /// End: there is nothing to do.
    End,
}

impl PendingChanges {
    pub(super) fn new(graph: WaitGraph, repository: Repository) -> Self {
        Self {
            graph,
            repository,
            window: BatchWindow::default(),
            pending: VecDeque::new(),
            parked: VecDeque::new(),
            has_worker: false,
        }
    }

    /// Adds a change, and returns whether a worker must be started for it.
    pub(super) fn add(&mut self, item: Item, now: Instant) -> bool {
        self.window.arrived(now);
        self.pending.push_back(item);
        !std::mem::replace(&mut self.has_worker, true)
    }

    /// Decides what to do next.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        self.pending.retain(|item| !item.reply.is_closed());
        self.parked.retain(|parked| !parked.item.reply.is_closed());
        if !self.pending.is_empty() {
            let waiting = self.pending.len() + self.parked.len();
            return match self.window.deadline(waiting, self.writers()) {
                Some(deadline) if deadline > now => Step::Wait(Some(deadline)),
                _ => Step::Run(self.take()),
            };
        }
        if self.parked.is_empty() {
            self.has_worker = false;
            return Step::End;
        }
        self.step_of_parked(now)
    }

    fn step_of_parked(&mut self, now: Instant) -> Step {
        let mut deadline = None;
        let mut index = 0;
        while let Some(parked) = self.parked.get(index) {
            match self.graph.position(parked.request, parked.seen, now) {
                Position::Retry => return Step::Run(self.take()),
                Position::GiveUp if parked.judged_at + RECENT < now => {
                    return Step::Run(self.take());
                }
                Position::GiveUp => {
                    self.give_up(index, now);
                    // Whose turn it is now is judged anew, from the longest parked on.
                    index = 0;
                    deadline = None;
                    continue;
                }
                Position::Waiting(until) => {
                    deadline = [deadline, until].into_iter().flatten().min();
                }
                // Only the request itself can move its object.
                Position::BreakCycle => {}
            }
            index += 1;
        }
        if self.parked.is_empty() {
            self.has_worker = false;
            return Step::End;
        }
        Step::Wait(deadline)
    }

    /// Takes everything. What was parked comes first, since it arrived first.
    fn take(&mut self) -> Vec<Item> {
        self.window.taken(self.writers().here);
        let parked = self.parked.drain(..).map(|parked| parked.item);
        parked.chain(self.pending.drain(..)).collect()
    }

    fn give_up(&mut self, index: usize, now: Instant) {
        if let Some(Parked {
            item,
            request,
            refusal,
            ..
        }) = self.parked.remove(index)
        {
            self.graph.gave_up(request, now);
            // The receiver may have been dropped; then nobody needs the answer.
            let _ = item.reply.send(Err(refusal));
        }
    }

    fn writers(&self) -> Writers {
        self.graph.writers(self.repository)
    }

    /// Answers or parks changes that were judged; `before` is the version of the wait graph when
    /// that began.
    pub(super) fn finish(
        &mut self,
        items: Vec<Item>,
        outcomes: Vec<Outcome>,
        before: Version,
        now: Instant,
    ) {
        self.window.answered(self.writers().here, now);
        let mut refused = Vec::new();
        let mut answers = Vec::new();
        let mut own_writes = 0;
        for (item, outcome) in items.into_iter().zip(outcomes) {
            match (item.request, outcome) {
                (Some(request), Err(refusal)) if refusal.may_resolve() => {
                    refused.push((item, request, refusal));
                }
                (request, outcome) => {
                    if let (Some(request), Ok(_), Some(key)) =
                        (request, &outcome, item.change.written_key())
                    {
                        let target = Target::Manifest(self.repository, key);
                        self.graph.wrote(request, &target);
                        own_writes += 1;
                    }
                    answers.push((item, outcome));
                }
            }
        }
        // What was refused was judged beside the writes of its own batch.
        let after = self.graph.version();
        let seen = if after == before.plus(own_writes) {
            after
        } else {
            before
        };
        for (item, request, refusal) in refused {
            self.graph.wait(request, awaited(&refusal, self.repository));
            self.parked.push_back(Parked {
                item,
                request,
                refusal,
                seen,
                judged_at: now,
            });
        }
        for (item, outcome) in answers {
            if let Some(request) = item.request {
                self.graph.resume(request);
            }
            let took_over = item.change.took_over();
            let answer = outcome.map(|snapshot| Made {
                snapshot,
                took_over,
            });
            let _ = item.reply.send(answer);
        }
    }

    /// Drops everything, because the worker was stopped half-way.
    pub(super) fn abandon(&mut self) {
        self.has_worker = false;
        self.pending.clear();
        self.parked.clear();
    }
}

#[cfg(test)]
mod tests {
    use nautes_model::{EntityKey, EntityName, Kind, ProductId};

    use super::*;
    use crate::config_repo::Validation;
    use crate::wait_graph::{PATIENCE, Request};

    const SHOP: Repository = Repository::Product(ProductId::new(1));

    struct Pending {
        answer: oneshot::Receiver<Answer>,
        _request: Request,
    }

    fn environment(name: &str) -> EntityKey {
        EntityKey::new(Kind::Environment, EntityName::new(name).unwrap())
    }

    impl PendingChanges {
        fn delete(&mut self, name: &str) -> Pending {
            let (reply, answer) = oneshot::channel();
            let key = environment(name);
            let request = self.graph.begin([Target::Manifest(SHOP, key.clone())]);
            let item = Item {
                change: Change::delete(key, Validation::Full),
                other_products: OtherProducts::default(),
                request: Some(request.id()),
                reply,
            };
            self.add(item, Instant::now());
            Pending {
                answer,
                _request: request,
            }
        }

        /// Lets time pass until there is something to run, and refuses it because of an entity
        /// that no request writes.
        async fn refuse_all(&mut self) -> usize {
            loop {
                match self.step(Instant::now()) {
                    Step::Run(items) => {
                        let before = self.graph.version();
                        let refusals = items.iter().map(|_| Err(refusal())).collect();
                        let count = items.len();
                        self.finish(items, refusals, before, Instant::now());
                        return count;
                    }
                    Step::Wait(Some(until)) => tokio::time::sleep_until(until).await,
                    step => panic!("{step:?}"),
                }
            }
        }
    }

    fn refusal() -> Error {
        Error::Exists {
            key: environment("foreign"),
            differences: Vec::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_parked_gives_up_first_after_a_last_look_and_the_rest_together() {
        let mut changes = PendingChanges::new(WaitGraph::default(), SHOP);
        let begun = Instant::now();
        let (mut first, mut second) = (changes.delete("a"), changes.delete("b"));
        assert_eq!(changes.refuse_all().await, 2);
        assert_eq!(changes.refuse_all().await, 2, "the last look");
        assert!(begun.elapsed() >= PATIENCE);
        let Step::Wait(Some(until)) = changes.step(Instant::now()) else {
            panic!("the other one gets a little more time")
        };
        assert!(first.answer.try_recv().unwrap().is_err());
        assert!(second.answer.try_recv().is_err());
        tokio::time::sleep_until(until).await;
        assert!(matches!(changes.step(Instant::now()), Step::End));
        assert!(second.answer.try_recv().unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_whose_answer_nobody_awaits_is_dropped() {
        let mut changes = PendingChanges::new(WaitGraph::default(), SHOP);
        drop(changes.delete("a"));
        assert!(matches!(changes.step(Instant::now()), Step::End));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_parked_is_tried_again_with_the_next_change() {
        let mut changes = PendingChanges::new(WaitGraph::default(), SHOP);
        let _parked = changes.delete("a");
        assert_eq!(changes.refuse_all().await, 1);
        let _next = changes.delete("b");
        assert_eq!(changes.refuse_all().await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_parked_is_tried_again_when_another_repository_has_what_it_waits_for() {
        let graph = WaitGraph::default();
        let mut changes = PendingChanges::new(graph.clone(), SHOP);
        let elsewhere = Target::Manifest(Repository::Tenant, environment("foreign"));
        let other = graph.begin([elsewhere.clone()]);
        let waiting = changes.delete("a");
        assert_eq!(changes.refuse_all().await, 1);
        let parked = changes.parked.front().unwrap().request;
        graph.wait(
            parked,
            vec![crate::wait_graph::Awaited::Target(elsewhere.clone())],
        );
        assert!(matches!(changes.step(Instant::now()), Step::Wait(None)));
        other.wrote(&elsewhere);
        assert!(matches!(changes.step(Instant::now()), Step::Run(_)));
        drop(waiting);
    }
}
