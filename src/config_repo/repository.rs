//! A configuration repository, as a lifecycle sees it.

use std::sync::Arc;

use nautes_model::EntityKey;
use nautes_model::entity::Entity;

use super::change::{Change, Checks, PutMode};
use super::error::Error;
use super::queue::Queue;
use super::read::Reading;
use super::requests::RequestId;
use super::snapshot::{Snapshot, VerifiedAt};
use super::surroundings::Neighbours;

/// A configuration repository, open for one request.
///
/// As long as it is held, the request counts as being in flight: changes of others that cannot be
/// made yet wait for what it may bring. So open it at the beginning of a request, hold it to the
/// end, and let each request have its own.
#[derive(Debug)]
pub struct Repository {
    queue: Arc<Queue>,
    request: RequestId,
    neighbours: Neighbours,
}

/// A change that was made.
#[derive(Clone, Debug)]
pub struct Written {
    /// Where the entity is verified now; none if it was deleted.
    pub verified: Option<VerifiedAt>,
    /// The repository after it.
    pub snapshot: Arc<Snapshot>,
}

impl Repository {
    pub(super) fn open(queue: Arc<Queue>) -> Self {
        let request = queue.begin();
        Self {
            queue,
            request,
            neighbours: Neighbours::new(),
        }
    }

    /// Lets changes be judged beside the repositories of other products too.
    pub fn set_neighbours(&mut self, snapshots: impl IntoIterator<Item = Arc<Snapshot>>) {
        self.neighbours = snapshots
            .into_iter()
            .filter_map(|snapshot| Some((snapshot.tree().product()?, snapshot)))
            .collect();
    }

    /// Reads an entity.
    ///
    /// `verified` is where it was last verified. If the branch is still at that commit, nothing
    /// else is read; otherwise the tree is listed, once for all who ask, and the manifest is read
    /// only if its hash is another.
    pub async fn read(
        &self,
        key: &EntityKey,
        verified: Option<&VerifiedAt>,
    ) -> Result<Reading, Error> {
        Ok(self.queue.remote.read(key, verified).await?)
    }

    /// The whole repository as it is known: read once, and kept up to date by the changes that
    /// are made here.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, Error> {
        let remote = &self.queue.remote;
        Ok(remote.snapshot(&remote.view()).await?)
    }

    /// The whole repository as it is now, after one look at the branch: for decisions that
    /// cannot be taken back.
    pub async fn fresh_snapshot(&self) -> Result<Arc<Snapshot>, Error> {
        let remote = &self.queue.remote;
        Ok(remote.snapshot(&*remote.look_again().await?).await?)
    }

    /// Saves an entity.
    ///
    /// It is committed together with the changes of other requests. A manifest that is as it
    /// shall be is left alone. A change that is refused only because of another manifest waits
    /// for a change of that one, as long as some request is in flight that could bring it.
    pub async fn put(
        &self,
        entity: Entity,
        mode: PutMode,
        checks: Checks,
    ) -> Result<Written, Error> {
        let key = entity.key();
        let snapshot = self.make(Change::put(entity, mode, checks)).await?;
        Ok(Written {
            verified: snapshot.verified(&key),
            snapshot,
        })
    }

    /// Judges the creation of an entity as [`Repository::put`] would, and creates nothing: for who
    /// must know that the manifest will be accepted before something else is made.
    ///
    /// It waits for changes of other requests like a creation, fails with the same errors, and is
    /// answered together with the changes that it was judged by. Nothing is reserved: the creation
    /// that follows is judged again. A code repository that has no number yet is checked as
    /// [`RepositoryId::UNASSIGNED`](nautes_model::RepositoryId::UNASSIGNED).
    pub async fn check(&self, entity: Entity, checks: Checks) -> Result<Arc<Snapshot>, Error> {
        self.make(Change::check(entity, checks)).await
    }

    /// Deletes an entity; one that does not exist is deleted already, and one that another
    /// request of this process has created is left alone.
    pub async fn delete(&self, key: &EntityKey, checks: Checks) -> Result<Written, Error> {
        let snapshot = self.make(Change::delete(key.clone(), checks)).await?;
        Ok(Written {
            verified: None,
            snapshot,
        })
    }

    /// Makes sure that there is a kustomization, as a repository has from its first day on. In an
    /// empty repository this makes the branch.
    pub async fn initialise(&self) -> Result<Arc<Snapshot>, Error> {
        self.make(Change::initialise()).await
    }

    async fn make(&self, change: Change) -> Result<Arc<Snapshot>, Error> {
        self.queue
            .make(change, self.neighbours.clone(), self.request)
            .await
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        self.queue.end(self.request);
    }
}
