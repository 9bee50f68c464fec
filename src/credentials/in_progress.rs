//! Repositories whose own deploy keys this process is creating at this moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::RepositoryId;

/// The repositories whose own deploy keys are being created. Two keys with one title are normal on
/// these, and left behind by an interrupted run on all others.
#[derive(Debug, Default)]
pub(super) struct InProgress(Mutex<Vec<RepositoryId>>);

/// Removes its repository from [`InProgress`] when it is dropped.
#[derive(Debug)]
pub(super) struct InProgressGuard {
    in_progress: Arc<InProgress>,
    repository: RepositoryId,
}

impl InProgress {
    fn repositories(&self) -> MutexGuard<'_, Vec<RepositoryId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(self: &Arc<Self>, repository: RepositoryId) -> InProgressGuard {
        self.repositories().push(repository);
        InProgressGuard {
            in_progress: Arc::clone(self),
            repository,
        }
    }

    pub(super) fn contains(&self, repository: RepositoryId) -> bool {
        self.repositories().contains(&repository)
    }
}

impl Drop for InProgressGuard {
    fn drop(&mut self) {
        let mut repositories = self.in_progress.repositories();
        let position = repositories
            .iter()
            .position(|other| *other == self.repository);
        if let Some(position) = position {
            repositories.swap_remove(position);
        }
    }
}
