//! Who waits for a distribution, and who is told about what failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::RepositoryId;
use tokio::sync::oneshot;

use super::run::{LinkFailure, Run};
use crate::credentials::error::Error;

/// On whose behalf a distribution is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiter {
    /// A repository: what fails on it is its error.
    Repository(RepositoryId),
    /// A binding: what fails on the repository that it opens is its error, unless that
    /// repository waits too.
    Binding {
        /// The repository that it opens.
        repository: RepositoryId,
    },
}

/// The distribution of one product's keys: one run at a time.
#[derive(Debug)]
pub(super) struct Distributor {
    run: Run,
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Waiting {
    waiter: Waiter,
    reply: oneshot::Sender<Result<(), Error>>,
}

impl Distributor {
    pub(super) fn new(run: Run) -> Self {
        Self {
            run,
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Waits for the first run that begins from now on. Dropping the future stops none.
    pub(super) async fn settle(self: Arc<Self>, waiter: Waiter) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.waiting().push(Waiting { waiter, reply });
        tokio::spawn(self.run_for_those_who_wait());
        answer.await.unwrap_or(Err(Error::Interrupted))
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run_for_those_who_wait(self: Arc<Self>) {
        let _turn = self.turn.lock().await;
        let mut waiting = std::mem::take(&mut *self.waiting());
        waiting.retain(|waiting| !waiting.reply.is_closed());
        if waiting.is_empty() {
            return;
        }
        let outcome = self.run.run().await;
        let waiters: Vec<Waiter> = waiting.iter().map(|waiting| waiting.waiter).collect();
        for Waiting { waiter, reply } in waiting {
            let told = match &outcome {
                Ok(failures) => told(waiter, &waiters, failures),
                Err(error) => Err(error.clone()),
            };
            // Who does not wait any more needs no answer.
            let _ = reply.send(told);
        }
    }
}

/// What one of those who wait is told about what failed.
fn told(waiter: Waiter, waiters: &[Waiter], failures: &[LinkFailure]) -> Result<(), Error> {
    let repository = waiter.repository();
    let is_told_to_another = matches!(waiter, Waiter::Binding { .. })
        && waiters.contains(&Waiter::Repository(repository));
    let failures: Vec<LinkFailure> = failures
        .iter()
        .filter(|failure| failure.on == repository && !is_told_to_another)
        .cloned()
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Error::Links { failures })
    }
}
