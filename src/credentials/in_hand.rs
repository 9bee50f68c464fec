//! Repositories whose own keys are being made at this moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::RepositoryId;

/// Repositories whose own keys are being made by this process, so that two keys with one title are
/// nothing left behind.
#[derive(Debug, Default)]
pub(super) struct InHand(Mutex<Vec<RepositoryId>>);

/// Ends with the work on the repository.
#[derive(Debug)]
pub(super) struct Held {
    among: Arc<InHand>,
    repository: RepositoryId,
}

impl InHand {
    fn held(&self) -> MutexGuard<'_, Vec<RepositoryId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(self: &Arc<Self>, repository: RepositoryId) -> Held {
        self.held().push(repository);
        Held {
            among: Arc::clone(self),
            repository,
        }
    }

    pub(super) fn contains(&self, repository: RepositoryId) -> bool {
        self.held().contains(&repository)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.among.held();
        let at = held.iter().position(|held| *held == self.repository);
        if let Some(at) = at {
            held.swap_remove(at);
        }
    }
}
