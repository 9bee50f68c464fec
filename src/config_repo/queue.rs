//! The queue of one branch: changes of parallel requests, made in batches by one worker.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::batch::{CommitOptions, Runner};
use super::branch_cache::BranchCache;
use super::change::{Change, Created};
use super::error::Error;
use super::pending_changes::{Answer, Item, PendingChanges, Step};
use super::validation_inputs::{OtherProducts, ValidationInputs};
use crate::wait_graph::{Request, RequestId, WaitGraph};

/// The queue of one branch.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) branch: Arc<BranchCache>,
    pub(super) graph: WaitGraph,
    options: CommitOptions,
    inputs: ValidationInputs,
    changes: Mutex<PendingChanges>,
    wake: Notify,
    /// The entities that this process has created.
    created: Mutex<Created>,
}

impl Queue {
    pub(super) fn new(
        branch: Arc<BranchCache>,
        options: CommitOptions,
        inputs: ValidationInputs,
        graph: WaitGraph,
    ) -> Self {
        let changes = PendingChanges::new(graph.clone(), branch.layout);
        Self {
            branch,
            graph,
            options,
            inputs,
            changes: Mutex::new(changes),
            wake: Notify::new(),
            created: Mutex::default(),
        }
    }

    /// Makes a change, together with those of other requests, and returns its outcome. Dropping
    /// the future withdraws the change unless it is being made already.
    ///
    /// Without a request, a change that is refused does not wait for others.
    pub(super) async fn make(
        self: &Arc<Self>,
        change: Change,
        other_products: OtherProducts,
        request: Option<&Request>,
    ) -> Answer {
        let request = request.map(Request::id);
        // Before the channel, so that it is dropped after it: the change is withdrawn by then.
        let mut caller = Caller {
            queue: self,
            request,
            is_answered: false,
        };
        let (reply, answer) = oneshot::channel();
        let item = Item {
            change,
            other_products,
            request,
            reply,
        };
        if self.changes().add(item, Instant::now()) {
            let worker = Worker {
                queue: Arc::clone(self),
                ended: false,
            };
            tokio::spawn(worker.work());
        }
        self.wake.notify_one();
        let outcome = answer.await.unwrap_or(Err(Error::Interrupted));
        caller.is_answered = true;
        outcome
    }

    fn changes(&self) -> MutexGuard<'_, PendingChanges> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn created(&self) -> MutexGuard<'_, Created> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, mut items: Vec<Item>) {
        let before = self.graph.version();
        let mut changes: Vec<Change> = items.iter().map(|item| item.change.clone()).collect();
        let mut other_products = OtherProducts::default();
        for item in &items {
            other_products.extend(&item.other_products);
        }
        let runner = Runner {
            branch: &self.branch,
            options: &self.options,
            inputs: &self.inputs,
            other_products,
        };
        let mut created = self.created().clone();
        let outcomes = runner.run(&mut changes, &mut created).await;
        *self.created() = created;
        for (item, change) in items.iter_mut().zip(changes) {
            item.change = change;
        }
        self.changes()
            .finish(items, outcomes, before, Instant::now());
    }
}

/// The caller of [`Queue::make`] while it awaits the answer.
struct Caller<'a> {
    queue: &'a Queue,
    request: Option<RequestId>,
    is_answered: bool,
}

impl Drop for Caller<'_> {
    /// A cancelled caller no longer waits, and may still unblock others.
    fn drop(&mut self) {
        if let (Some(request), false) = (self.request, self.is_answered) {
            self.queue.graph.resume(request);
            self.queue.wake.notify_one();
        }
    }
}

/// Makes the changes of a queue for as long as there are any.
struct Worker {
    queue: Arc<Queue>,
    ended: bool,
}

impl Worker {
    async fn work(mut self) {
        let queue = Arc::clone(&self.queue);
        while !self.ended {
            // Created before the decision, so that no change of the graph after it is missed.
            let graph_changed = pin!(queue.graph.changed());
            let step = queue.changes().step(Instant::now());
            match step {
                Step::Run(items) => queue.run(items).await,
                Step::Wait(until) => {
                    let deadline = async {
                        match until {
                            Some(until) => sleep_until(until).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        () = queue.wake.notified() => {}
                        () = graph_changed => {}
                        () = deadline => {}
                    }
                }
                Step::End => self.ended = true,
            }
        }
    }
}

impl Drop for Worker {
    /// Callers must not wait for ever when the worker is stopped half-way.
    fn drop(&mut self) {
        if !self.ended {
            self.queue.changes().abandon();
        }
    }
}
