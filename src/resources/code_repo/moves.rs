//! Which paths the requests of this run give up, so that others may wait for them.
//!
//! Terraform changes resources in any order. A repository that takes the name of another one can do so when that one
//! has given it up; where the names go round in a circle, one has to step aside first.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nautes_model::ProductId;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// How long a request that gives up a path may take to appear.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long GitLab may go on to hold a path that was given up.
const RETRY: Duration = Duration::from_millis(500);

/// The moves of this run that are not finished.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    going_on: Mutex<HashMap<u64, Move>>,
    ended: Notify,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Move {
    product: ProductId,
    from: String,
    /// None for a deletion.
    to: Option<String>,
}

/// A move that goes on until this is dropped.
pub(super) struct Moving<'a> {
    moves: &'a Moves,
    project: u64,
}

impl Moves {
    fn going_on(&self) -> MutexGuard<'_, HashMap<u64, Move>> {
        self.going_on.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a project gives up its path, for another one or because it is deleted.
    pub(super) fn begin(
        &self,
        product: ProductId,
        project: u64,
        from: &str,
        to: Option<&str>,
    ) -> Moving<'_> {
        let (from, to) = (from.to_owned(), to.map(str::to_owned));
        let begun = Move { product, from, to };
        self.going_on().insert(project, begun);
        self.ended.notify_waiters();
        Moving {
            moves: self,
            project,
        }
    }

    /// Whether a request of this run is about to give up a path.
    pub(super) fn gives_up(&self, product: ProductId, path: &str) -> bool {
        let going_on = self.going_on();
        let mut moves = going_on.values();
        moves.any(|other| other.product == product && other.from == path)
    }

    /// Whether this project has to give up its path first, because it and others wait for each other in a circle.
    pub(super) fn steps_aside(&self, project: u64) -> bool {
        let going_on = self.going_on();
        let circle = circle(&going_on, project);
        circle.iter().min() == Some(&project)
    }

    /// Waits until a move begins or ends, or it is time to try again.
    async fn news(&self) {
        let _ = timeout(RETRY, self.ended.notified()).await;
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        self.moves.going_on().remove(&self.project);
        self.moves.ended.notify_waiters();
    }
}

/// The projects that wait for each other in a circle with this one; empty if there is none.
fn circle(moves: &HashMap<u64, Move>, project: u64) -> Vec<u64> {
    let mut members = Vec::new();
    let mut at = project;
    while let Some(Move {
        product,
        to: Some(to),
        ..
    }) = moves.get(&at)
    {
        members.push(at);
        let next = moves
            .iter()
            .find(|(_, other)| other.product == *product && other.from == *to);
        match next {
            Some((next, _)) if *next == project => return members,
            Some((next, _)) if !members.contains(next) => at = *next,
            _ => break,
        }
    }
    Vec::new()
}

/// Decides how long a path that is taken is waited for.
pub(super) struct Wait<'a> {
    moves: &'a Moves,
    product: ProductId,
    path: &'a str,
    hopeless_at: Instant,
}

impl<'a> Wait<'a> {
    pub(super) fn new(moves: &'a Moves, product: ProductId, path: &'a str) -> Self {
        Self {
            moves,
            product,
            path,
            hopeless_at: Instant::now() + PATIENCE,
        }
    }

    /// Waits before the next attempt; `false` says that nobody gives up the path.
    pub(super) async fn another_attempt(&mut self) -> bool {
        if self.moves.gives_up(self.product, self.path) {
            self.hopeless_at = Instant::now() + PATIENCE;
        } else if Instant::now() >= self.hopeless_at {
            return false;
        }
        self.moves.news().await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: ProductId = ProductId::new(1);

    #[test]
    fn one_of_those_that_wait_for_each_other_in_a_circle_steps_aside() {
        let moves = Moves::default();
        let _one = moves.begin(SHOP, 7, "a", Some("b"));
        let _two = moves.begin(SHOP, 8, "b", Some("c"));
        assert!(!moves.steps_aside(7), "the circle is not closed");
        let _three = moves.begin(SHOP, 9, "c", Some("a"));
        let aside = [7, 8, 9].map(|project| moves.steps_aside(project));
        assert_eq!(aside, [true, false, false]);
    }

    #[test]
    fn who_waits_for_a_circle_is_no_part_of_it() {
        let moves = Moves::default();
        let _one = moves.begin(SHOP, 7, "a", Some("b"));
        let _two = moves.begin(SHOP, 8, "b", Some("a"));
        let _behind = moves.begin(SHOP, 3, "c", Some("a"));
        assert!(!moves.steps_aside(3));
    }

    #[test]
    fn moves_in_other_products_do_not_matter() {
        let moves = Moves::default();
        let _one = moves.begin(SHOP, 7, "a", Some("b"));
        let _two = moves.begin(ProductId::new(2), 8, "b", Some("a"));
        assert!(!moves.steps_aside(7));
        assert!(!moves.gives_up(SHOP, "b"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_path_is_waited_for_as_long_as_somebody_gives_it_up() {
        let moves = Moves::default();
        let deletion = moves.begin(SHOP, 7, "a", None);
        let mut wait = Wait::new(&moves, SHOP, "a");
        for _ in 0..20 {
            assert!(wait.another_attempt().await);
        }
        drop(deletion);
        let begun = Instant::now();
        while wait.another_attempt().await {}
        assert!(begun.elapsed() + RETRY >= PATIENCE);
    }
}
