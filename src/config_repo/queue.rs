//! The queue of one branch: changes of parallel requests, made in batches by one worker.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::EntityKey;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::change::Change;
use super::error::Error;
use super::remote::Remote;
use super::requests::RequestId;
use super::run::{Author, Runner, Verdict};
use super::surroundings::{Neighbours, Surroundings};
use super::traffic::Traffic;
use super::waiting::{Item, Step, Waiting};

/// The queue of one branch.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) remote: Arc<Remote>,
    author: Author,
    surroundings: Surroundings,
    waiting: Mutex<Waiting>,
    traffic: Arc<Traffic>,
    news: Notify,
    /// The entities that requests of this process have created.
    claimed: Mutex<BTreeSet<EntityKey>>,
}

impl Queue {
    pub(super) fn new(
        remote: Arc<Remote>,
        author: Author,
        surroundings: Surroundings,
        traffic: Arc<Traffic>,
    ) -> Self {
        Self {
            remote,
            author,
            surroundings,
            waiting: Mutex::new(Waiting::new(Arc::clone(&traffic))),
            traffic,
            news: Notify::new(),
            claimed: Mutex::default(),
        }
    }

    /// Begins a request.
    pub(super) fn begin(&self) -> RequestId {
        self.waiting().requests.begin()
    }

    /// Ends a request.
    pub(super) fn end(&self, request: RequestId) {
        self.waiting().requests.end(request, Instant::now());
        self.news.notify_one();
    }

    /// Makes a change, together with those of other requests, and tells what became of it.
    /// Dropping the future takes the change back unless it is being made already.
    pub(super) async fn make(
        self: &Arc<Self>,
        change: Change,
        neighbours: Neighbours,
        request: RequestId,
    ) -> Verdict {
        // Before the channel, so that the change is taken back when this is dropped.
        let mut waiter = Waiter {
            queue: self,
            request,
            is_answered: false,
        };
        let (reply, answer) = oneshot::channel();
        let item = Item {
            change,
            neighbours,
            request,
            reply,
        };
        let must_start = self.waiting().add(item, Instant::now());
        if must_start {
            tokio::spawn(
                Worker {
                    queue: Arc::clone(self),
                    ended: false,
                }
                .work(),
            );
        }
        self.news.notify_one();
        let verdict = answer.await.unwrap_or(Err(Error::Interrupted));
        waiter.is_answered = true;
        verdict
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claimed(&self) -> MutexGuard<'_, BTreeSet<EntityKey>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, mut items: Vec<Item>) {
        let _batch = self.traffic.batch();
        let mut changes: Vec<Change> = items.iter().map(|item| item.change.clone()).collect();
        let neighbours = items
            .iter()
            .flat_map(|item| item.neighbours.clone())
            .collect::<Neighbours>();
        let runner = Runner {
            remote: &self.remote,
            author: &self.author,
            surroundings: &self.surroundings,
            neighbours,
        };
        let mut claimed = self.claimed().clone();
        let verdicts = runner.run(&mut changes, &mut claimed).await;
        *self.claimed() = claimed;
        for (item, change) in items.iter_mut().zip(changes) {
            item.change = change;
        }
        self.waiting().settle(items, verdicts, Instant::now());
    }
}

/// Who waits for a change.
struct Waiter<'a> {
    queue: &'a Queue,
    request: RequestId,
    is_answered: bool,
}

impl Drop for Waiter<'_> {
    /// A request that no longer waits may yet bring what others wait for.
    fn drop(&mut self) {
        if !self.is_answered {
            self.queue.waiting().requests.resume(self.request);
            self.queue.news.notify_one();
        }
    }
}

/// Who makes the changes of a queue, as long as there are any.
struct Worker {
    queue: Arc<Queue>,
    ended: bool,
}

impl Worker {
    async fn work(mut self) {
        let queue = Arc::clone(&self.queue);
        while !self.ended {
            // Listened to before it is decided what to do, so that none is missed.
            let answers = pin!(queue.traffic.answers());
            let step = queue.waiting().step(Instant::now());
            match step {
                Step::Run(items) => queue.run(items).await,
                Step::Wait(Some(until)) => {
                    tokio::select! {
                        () = queue.news.notified() => {}
                        () = answers => {}
                        () = sleep_until(until) => {}
                    }
                }
                Step::Wait(None) => queue.news.notified().await,
                Step::End => self.ended = true,
            }
        }
    }
}

impl Drop for Worker {
    /// Those who wait must not wait for ever when the worker is stopped half-way.
    fn drop(&mut self) {
        if !self.ended {
            self.queue.waiting().abandon();
        }
    }
}
