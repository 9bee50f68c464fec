//! Which requests of this process wait for which others.
//!
//! Terraform runs resources in parallel and, where no reference orders them, in any order. So a
//! request may find that something is missing, or in its way, that another request is about to
//! write or to remove. It then waits here, in one graph for the whole process, whatever it waits
//! for: a manifest in some repository or a path in GitLab.
//!
//! ```text
//! WaitGraph ── begin ──> Request            names what it may write, for as long as it may
//!                           │ wait_for
//!                          Wait ── next ──> try again, give up, or break a cycle
//!                           │
//!                         Graph: pure       which can still be helped, and which gives up when
//! ```
//!
//! - A request that waits is tried again when something that it waits for was written.
//! - It gives up when, for [`PATIENCE`](graph::PATIENCE), nothing in flight may write what it waits for. A request
//!   that itself waits in vain counts as one that writes nothing, so requests that wait for each
//!   other in a cycle all give up.
//! - The one that has waited longest gives up first, since its end may let the client send the
//!   request that the others need. If none comes within [`GRACE`](graph::GRACE), the others give up together.
//! - A cycle of renames is broken at once: one request moves its own object aside.
//!
//! Reads take no part in it. Dropping a [`Request`] or a [`Wait`], as a cancelled operation does,
//! takes it out of the graph.

mod graph;
mod target;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nautes_model::layout::Repository;
use terraform_plugin::waiting::{WaitGuard, waiting_for};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::{Instant, sleep, sleep_until};

#[cfg(test)]
pub(crate) use self::graph::PATIENCE;
pub(crate) use self::graph::{Position, RequestId, Version, Writers};
pub use self::target::{Awaited, Target};

use self::graph::Graph;

/// How long after one request another one that Terraform sends at the same time may begin.
const SETTLING_TIME: Duration = Duration::from_secs(1);

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The requests in flight in this process, and what they wait for.
#[derive(Clone, Debug, Default)]
pub struct WaitGraph(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    graph: Mutex<Graph>,
    changed: Notify,
}

/// A request in flight, from its beginning until this is dropped.
#[derive(Debug)]
pub struct Request {
    graph: WaitGraph,
    id: RequestId,
}

/// What a waiting request does next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Something that it waits for has changed: try again.
    Retry,
    /// It and others wait to take each other's paths: move its own object aside, then try again.
    BreakCycle,
    /// Nothing in flight can help: try a last time, then fail.
    GiveUp,
}

/// A request that is refused for now. It counts as waiting while [`Wait::next`] is pending, and
/// from a [`Next::GiveUp`] on.
#[derive(Debug)]
pub struct Wait<'a> {
    request: &'a Request,
    awaited: Vec<Awaited>,
    moves_from: Option<Target>,
    seen: Version,
}

impl WaitGraph {
    /// Begins a request that may write these targets.
    pub fn begin(&self, targets: impl IntoIterator<Item = Target>) -> Request {
        let id = self.change(|graph| graph.begin(targets.into_iter().collect(), Instant::now()));
        Request {
            graph: self.clone(),
            id,
        }
    }

    /// Whether any request has begun, so that changes are being applied.
    pub(crate) fn has_begun(&self) -> bool {
        self.lock().has_begun()
    }

    /// Counts the requests in flight that may write a manifest of a repository, and of others.
    pub(crate) fn writers(&self, repository: Repository) -> Writers {
        self.lock().writers(repository)
    }

    /// The number of writes so far.
    pub(crate) fn version(&self) -> Version {
        self.lock().version()
    }

    /// Registers that a request has written a target, for the last time.
    pub(crate) fn wrote(&self, request: RequestId, target: &Target) {
        self.change(|graph| graph.wrote(request, target, Instant::now()));
    }

    /// Registers that a request waits; one that waits already keeps its place.
    pub(crate) fn wait(&self, request: RequestId, awaited: Vec<Awaited>) {
        self.change(|graph| graph.wait(request, awaited, None, Instant::now()));
    }

    /// Registers that a request waits no longer.
    pub(crate) fn resume(&self, request: RequestId) {
        self.change(|graph| graph.resume(request, Instant::now()));
    }

    /// Where a waiting request stands; `seen` is the version before its last attempt.
    pub(crate) fn position(&self, request: RequestId, seen: Version, now: Instant) -> Position {
        self.lock().position(request, seen, now)
    }

    /// Registers that a waiting request has given up.
    pub(crate) fn gave_up(&self, request: RequestId, now: Instant) {
        self.change(|graph| graph.gave_up(request, now));
    }

    /// Completes at the next change of the graph after this call.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.0.changed.notified()
    }

    fn lock(&self) -> MutexGuard<'_, Graph> {
        self.0.graph.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Graph) -> T) -> T {
        let result = change(&mut self.lock());
        self.0.changed.notify_waiters();
        result
    }
}

impl Request {
    pub(crate) fn id(&self) -> RequestId {
        self.id
    }

    /// Adds a target that the request may write.
    pub fn may_write(&self, target: Target) {
        self.graph
            .change(|graph| graph.may_write(self.id, target, Instant::now()));
    }

    /// Registers that the request will not write a target after all.
    pub fn release(&self, target: &Target) {
        self.graph
            .change(|graph| graph.release(self.id, target, Instant::now()));
    }

    /// Whether another request in flight may write a target.
    pub fn is_contended(&self, target: &Target) -> bool {
        self.graph.lock().is_contended(self.id, target)
    }

    /// Whether another request may write a target, now or within a second: Terraform sends requests
    /// that do not depend on each other in any order.
    pub async fn is_contended_soon(&self, target: &Target) -> bool {
        let end = Instant::now() + SETTLING_TIME;
        while !self.is_contended(target) {
            if Instant::now() >= end {
                return false;
            }
            sleep(POLL_INTERVAL).await;
        }
        true
    }

    /// Registers with the operation that it waits for what the request waits for in this graph, or else for `what`.
    pub(crate) fn waiting_for(&self, what: String) -> WaitGuard {
        let (graph, id) = (self.graph.clone(), self.id);
        waiting_for(move || match graph.lock().awaited(id) {
            Some(awaited) if !awaited.is_empty() => {
                format!(
                    "another request of this run to change {}",
                    awaited.join(", ")
                )
            }
            _ => what.clone(),
        })
    }

    /// Registers that the request has written a target, for the last time: what waits for it is
    /// tried again.
    pub fn wrote(&self, target: &Target) {
        self.graph.wrote(self.id, target);
    }

    /// Prepares to wait, before the first attempt: no write that follows is missed.
    pub fn wait_for(&self, awaited: impl IntoIterator<Item = Awaited>) -> Wait<'_> {
        Wait {
            request: self,
            awaited: awaited.into_iter().collect(),
            moves_from: None,
            seen: self.graph.version(),
        }
    }

    /// Prepares to wait for a path that the request's object is to take in exchange for `from`.
    pub fn wait_to_move(&self, from: Target, to: Target) -> Wait<'_> {
        let mut wait = self.wait_for([Awaited::Target(to)]);
        wait.moves_from = Some(from);
        wait
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.graph
            .change(|graph| graph.end(self.id, Instant::now()));
    }
}

impl Wait<'_> {
    /// Waits until there is something to do. The future can be dropped at any time.
    pub async fn next(&mut self) -> Next {
        let Request { graph, id } = self.request;
        let (awaited, moves_from) = (self.awaited.clone(), self.moves_from.clone());
        let _waiting = self
            .request
            .waiting_for("another request of this run".to_owned());
        graph.change(|graph| graph.wait(*id, awaited, moves_from, Instant::now()));
        loop {
            let changed = pin!(graph.changed());
            let now = Instant::now();
            let next = match graph.position(*id, self.seen, now) {
                Position::Retry => Next::Retry,
                Position::BreakCycle => Next::BreakCycle,
                Position::GiveUp => {
                    graph.gave_up(*id, now);
                    return Next::GiveUp;
                }
                Position::Waiting(None) => {
                    changed.await;
                    continue;
                }
                Position::Waiting(Some(until)) => {
                    tokio::select! {
                        () = changed => {}
                        () = sleep_until(until) => {}
                    }
                    continue;
                }
            };
            self.seen = graph.version();
            graph.resume(*id);
            return next;
        }
    }

    /// Registers that the object was moved aside: its former path is free.
    pub fn moved_aside(&mut self) {
        if let Some(from) = self.moves_from.take() {
            self.request.wrote(&from);
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.request.graph.resume(self.request.id);
    }
}
