//! The graph itself: requests, what they may write and what they wait for. It does no waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nautes_model::layout::Repository;
use tokio::time::Instant;

use super::target::{Awaited, Target};

/// How long nothing in flight may be able to help before a request gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// How long the others wait, after one has given up, for a request that its end makes room for.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// Identifies a request; later ones are greater.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct RequestId(u64);

/// A position in the order of writes; later ones are greater.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Version(usize);

impl Version {
    /// The version after so many further writes.
    pub(crate) fn plus(self, writes: usize) -> Self {
        Self(self.0 + writes)
    }
}

/// Where a waiting request stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Position {
    /// Something that it waits for was written.
    Retry,
    /// It is the one to break the cycle of renames that it is part of.
    BreakCycle,
    /// Nothing in flight has been able to help for long enough.
    GiveUp,
    /// It waits on; it gives up at this time unless something changes.
    Waiting(Option<Instant>),
}

/// The requests in flight that may write a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Writers {
    /// Those of the repository that was asked about.
    pub(crate) here: usize,
    /// Those of other repositories.
    pub(crate) elsewhere: usize,
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    next_id: u64,
    requests: BTreeMap<RequestId, Entry>,
    /// Everything that was written, in order.
    written: Vec<Target>,
    last_give_up: Option<GiveUp>,
}

#[derive(Debug)]
struct Entry {
    may_write: Vec<Target>,
    /// What it would write if its last attempt succeeded, after it has given up.
    given_up: Vec<Target>,
    wait: Option<WaitEntry>,
}

#[derive(Debug)]
struct WaitEntry {
    awaited: Vec<Awaited>,
    /// The path that the request's object will give up for the one that it waits for.
    moves_from: Option<Target>,
    since: Instant,
    /// Since when nothing in flight can help; `None` while something can.
    hopeless_since: Option<Instant>,
}

#[derive(Debug)]
struct GiveUp {
    at: Instant,
    /// Whether a request has begun since.
    made_room: bool,
}

impl Graph {
    pub(super) fn begin(&mut self, may_write: Vec<Target>, now: Instant) -> RequestId {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        let entry = Entry {
            may_write,
            given_up: Vec::new(),
            wait: None,
        };
        self.requests.insert(id, entry);
        if let Some(give_up) = &mut self.last_give_up {
            give_up.made_room = true;
        }
        self.update(now);
        id
    }

    pub(super) fn has_begun(&self) -> bool {
        self.next_id > 0
    }

    pub(super) fn end(&mut self, id: RequestId, now: Instant) {
        self.requests.remove(&id);
        self.update(now);
    }

    pub(super) fn may_write(&mut self, id: RequestId, target: Target, now: Instant) {
        if let Some(entry) = self.requests.get_mut(&id)
            && !entry.may_write.contains(&target)
        {
            entry.may_write.push(target);
        }
        self.update(now);
    }

    pub(super) fn release(&mut self, id: RequestId, target: &Target, now: Instant) {
        if let Some(entry) = self.requests.get_mut(&id) {
            entry.may_write.retain(|other| other != target);
        }
        self.update(now);
    }

    pub(super) fn wrote(&mut self, id: RequestId, target: &Target, now: Instant) {
        if let Some(entry) = self.requests.get_mut(&id) {
            // Its last attempt has succeeded, so it goes on.
            entry.may_write.append(&mut entry.given_up);
        }
        self.written.push(target.clone());
        self.release(id, target, now);
    }

    pub(super) fn is_contended(&self, id: RequestId, target: &Target) -> bool {
        let mut others = self.requests.iter().filter(|(other, _)| **other != id);
        others.any(|(_, other)| other.may_write.contains(target))
    }

    pub(super) fn wait(
        &mut self,
        id: RequestId,
        awaited: Vec<Awaited>,
        moves_from: Option<Target>,
        now: Instant,
    ) {
        if let Some(entry) = self.requests.get_mut(&id) {
            let earlier = entry.wait.take();
            entry.wait = Some(WaitEntry {
                awaited,
                moves_from,
                since: earlier.as_ref().map_or(now, |wait| wait.since),
                hopeless_since: earlier.and_then(|wait| wait.hopeless_since),
            });
        }
        self.update(now);
    }

    pub(super) fn resume(&mut self, id: RequestId, now: Instant) {
        if let Some(entry) = self.requests.get_mut(&id) {
            entry.wait = None;
        }
        self.update(now);
    }

    pub(super) fn gave_up(&mut self, id: RequestId, now: Instant) {
        // What it may write will not be written: the others are not to wait for its end.
        if let Some(entry) = self.requests.get_mut(&id) {
            entry.given_up.append(&mut entry.may_write);
        }
        let is_one_of_all = self
            .last_give_up
            .as_ref()
            .is_some_and(|last| !last.made_room && last.at + GRACE <= now);
        if !is_one_of_all {
            self.last_give_up = Some(GiveUp {
                at: now,
                made_room: false,
            });
        }
        self.update(now);
    }

    pub(super) fn writers(&self, repository: Repository) -> Writers {
        let (mut here, mut elsewhere) = (0, 0);
        for entry in self.requests.values() {
            let mut repositories = entry.may_write.iter().filter_map(|target| match target {
                Target::Manifest(of, _) => Some(*of),
                _ => None,
            });
            match repositories.next() {
                Some(of) if of == repository => here += 1,
                Some(_) => elsewhere += 1,
                None => {}
            }
        }
        Writers { here, elsewhere }
    }

    pub(super) fn version(&self) -> Version {
        Version(self.written.len())
    }

    pub(super) fn position(&self, id: RequestId, seen: Version, now: Instant) -> Position {
        let Some(wait) = self.wait_of(id) else {
            return Position::Waiting(None);
        };
        let written = self.written.iter().skip(seen.0);
        if written
            .into_iter()
            .any(|target| covers(&wait.awaited, target))
        {
            return Position::Retry;
        }
        if self.cycle_of_moves(id).iter().min() == Some(&id) {
            return Position::BreakCycle;
        }
        match self.gives_up_at(id) {
            Some(at) if at <= now => Position::GiveUp,
            at => Position::Waiting(at),
        }
    }

    /// What a waiting request waits for, apart from what it may write itself; `None` if it does not wait.
    pub(super) fn awaited(&self, id: RequestId) -> Option<Vec<String>> {
        let entry = self.requests.get(&id)?;
        let wait = entry.wait.as_ref()?;
        let others = wait
            .awaited
            .iter()
            .filter(|awaited| !entry.may_write.iter().any(|own| awaited.covers(own)));
        Some(others.map(ToString::to_string).collect())
    }

    fn wait_of(&self, id: RequestId) -> Option<&WaitEntry> {
        self.requests.get(&id)?.wait.as_ref()
    }

    /// When a request gives up if nothing changes; `None` while it can be helped, or while it is
    /// another one's turn.
    fn gives_up_at(&self, id: RequestId) -> Option<Instant> {
        let due = self.wait_of(id)?.hopeless_since? + PATIENCE;
        match &self.last_give_up {
            Some(last) if !last.made_room => Some(due.max(last.at + GRACE)),
            _ => (self.first_to_give_up() == Some(id)).then_some(due),
        }
    }

    fn first_to_give_up(&self) -> Option<RequestId> {
        let order = |(id, entry): (&RequestId, &Entry)| {
            let wait = entry.wait.as_ref()?;
            Some((wait.hopeless_since?, wait.since, *id))
        };
        self.requests
            .iter()
            .filter_map(order)
            .min()
            .map(|(_, _, id)| id)
    }

    /// The requests that wait to take each other's paths in a cycle with this one; empty if there
    /// is no such cycle.
    fn cycle_of_moves(&self, id: RequestId) -> Vec<RequestId> {
        let mut members = Vec::new();
        let mut at = id;
        while let Some(wait) = self.wait_of(at).filter(|wait| wait.moves_from.is_some()) {
            members.push(at);
            let holder = self.requests.iter().find_map(|(holder, entry)| {
                let from = entry.wait.as_ref()?.moves_from.as_ref()?;
                covers(&wait.awaited, from).then_some(*holder)
            });
            match holder {
                Some(holder) if holder == id => return members,
                Some(holder) if !members.contains(&holder) => at = holder,
                _ => break,
            }
        }
        Vec::new()
    }

    /// Notes for each waiting request since when nothing in flight can help it.
    fn update(&mut self, now: Instant) {
        let helped = self.helped();
        for (id, entry) in &mut self.requests {
            if let Some(wait) = &mut entry.wait {
                wait.hopeless_since = match wait.hopeless_since {
                    _ if helped.contains(id) => None,
                    None => Some(now),
                    since => since,
                };
            }
        }
    }

    /// The requests that go on, and those that wait for something that one of them may write,
    /// directly or through others.
    fn helped(&self) -> BTreeSet<RequestId> {
        let mut helped: BTreeSet<RequestId> = self
            .requests
            .iter()
            .filter(|(_, entry)| entry.wait.is_none())
            .map(|(id, _)| *id)
            .collect();
        loop {
            let is_helped = |(id, entry): &(&RequestId, &Entry)| {
                let Some(wait) = entry.wait.as_ref().filter(|_| !helped.contains(id)) else {
                    return false;
                };
                let mut helpers = self
                    .requests
                    .iter()
                    .filter(|(helper, _)| helper != id && helped.contains(helper));
                helpers.any(|(_, helper)| {
                    helper
                        .may_write
                        .iter()
                        .any(|target| covers(&wait.awaited, target))
                })
            };
            let more: Vec<RequestId> = self
                .requests
                .iter()
                .filter(is_helped)
                .map(|(id, _)| *id)
                .collect();
            if more.is_empty() {
                return helped;
            }
            helped.extend(more);
        }
    }
}

fn covers(awaited: &[Awaited], target: &Target) -> bool {
    awaited.iter().any(|awaited| awaited.covers(target))
}
