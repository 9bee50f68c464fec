//! A configuration repository, as resources use it.

use std::sync::Arc;

use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use nautes_model::layout;

use super::change::{Change, PutMode, Validation};
use super::error::Error;
use super::pending_changes::{Answer, Made};
use super::queue::Queue;
use super::read::Reading;
use super::snapshot::{Snapshot, VerifiedAt};
use super::validation_inputs::OtherProducts;
use crate::claim::Claim;
use crate::wait_graph::{Request, Target};

/// A configuration repository. Clones share everything.
#[derive(Clone, Debug)]
pub struct Repository {
    queue: Arc<Queue>,
    other_products: OtherProducts,
    claim: Option<Claim>,
}

/// A change that was made.
#[derive(Clone, Debug)]
pub struct Written {
    /// Where the entity is verified now; `None` if it was deleted.
    pub verified: Option<VerifiedAt>,
    /// The repository after the change.
    pub snapshot: Arc<Snapshot>,
    /// Whether the entity was created over an equal one that was there before.
    pub took_over: bool,
}

impl Repository {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self {
            queue,
            other_products: OtherProducts::default(),
            claim: None,
        }
    }

    /// Which repository it is.
    pub fn layout(&self) -> layout::Repository {
        self.queue.branch.layout
    }

    /// The number of its GitLab project.
    pub fn project(&self) -> u64 {
        self.queue.branch.project
    }

    /// When the GitLab project of the tenant's repository was created; `None` for that of a product.
    pub fn created_at(&self) -> Option<&str> {
        self.queue.branch.created_at.as_deref()
    }

    /// The name of its branch.
    pub fn branch(&self) -> &str {
        &self.queue.branch.name
    }

    /// Validates changes against the repositories of other products too.
    #[must_use]
    pub fn beside(mut self, others: impl IntoIterator<Item = Self>) -> Self {
        let branches = others
            .into_iter()
            .filter(|other| other.layout() != self.layout())
            .map(|other| Arc::clone(&other.queue.branch));
        self.other_products = OtherProducts::new(branches.collect());
        self
    }

    /// Makes changes for an instance in the state.
    #[must_use]
    pub fn with_claim(self, claim: Option<Claim>) -> Self {
        Self { claim, ..self }
    }

    /// Begins a request that may write the manifest of an entity.
    pub fn begin(&self, key: EntityKey) -> Request {
        self.queue.graph.begin([self.target(key)])
    }

    /// The manifest of an entity, as a target of a request.
    pub fn target(&self, key: EntityKey) -> Target {
        Target::Manifest(self.layout(), key)
    }

    /// Reads an entity.
    ///
    /// `verified` is where it was last verified. If the branch is still at that commit, nothing
    /// else is read. Otherwise the tree is listed, once for all callers, and the manifest is read
    /// only if its blob id is another.
    pub async fn read(
        &self,
        key: &EntityKey,
        verified: Option<&VerifiedAt>,
    ) -> Result<Reading, Error> {
        Ok(self.queue.branch.read(key, verified).await?)
    }

    /// Returns the whole repository as it is known: read once, and updated by the changes that are
    /// made here.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, Error> {
        let branch = &self.queue.branch;
        Ok(branch.snapshot(&branch.cached()).await?)
    }

    /// Whether the branch is missing beside others.
    pub async fn lacks_branch(&self) -> Result<bool, Error> {
        let branch = &self.queue.branch;
        match branch.head(&branch.cached()).await {
            Ok(_) => Ok(false),
            Err(error) if error.is_branch_not_found() => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a folder has files, as this process knows the branch. It need not be one of manifests.
    pub async fn has_folder(&self, folder: &str) -> Result<bool, Error> {
        let branch = &self.queue.branch;
        let Some(head) = branch.head(&branch.cached()).await? else {
            return Ok(false);
        };
        let prefix = format!("{folder}/");
        let entries = branch.gitlab.tree(branch.project, &head).await?;
        Ok(entries.iter().any(|entry| entry.path.starts_with(&prefix)))
    }

    /// Returns the whole repository as this process knows it, or as an archive tells it:
    /// for what a plan can do without.
    pub async fn cheap_snapshot(&self) -> Result<Option<Arc<Snapshot>>, Error> {
        let branch = &self.queue.branch;
        Ok(branch.cheap_snapshot(&branch.cached()).await?)
    }

    /// Returns the whole repository as it is now, after reading the head: for decisions that
    /// cannot be taken back.
    pub async fn fresh_snapshot(&self) -> Result<Arc<Snapshot>, Error> {
        let branch = &self.queue.branch;
        Ok(branch.snapshot(&*branch.refresh().await?).await?)
    }

    /// Saves an entity.
    ///
    /// It is committed together with the changes of other requests; a manifest that already
    /// describes the entity is left alone. A change that is refused only because of another
    /// manifest waits for that one, as long as a request in flight may write it.
    pub async fn put(
        &self,
        request: &Request,
        entity: Entity,
        mode: PutMode,
        validation: Validation,
    ) -> Result<Written, Error> {
        let key = entity.key();
        let change = Change::put(entity, mode, validation);
        let Made {
            snapshot,
            took_over,
        } = self.make(change, Some(request)).await?;
        Ok(Written {
            verified: snapshot.verified(&key),
            snapshot,
            took_over,
        })
    }

    /// Judges a deletion without making it.
    pub async fn dry_run_deletion(
        &self,
        request: &Request,
        key: &EntityKey,
        validation: Validation,
    ) -> Result<(), Error> {
        let change = Change::delete(key.clone(), validation).into_dry_run();
        self.make(change, Some(request)).await.map(drop)
    }

    /// Validates the creation of an entity as [`Repository::put`] would, and creates nothing: for
    /// callers that create something else first and must know that the manifest will be accepted.
    ///
    /// It waits for changes of other requests as a creation does, and fails with the same errors.
    /// Nothing is reserved: the creation that follows is validated again. A code repository that
    /// has no number yet is [`RepositoryId::UNASSIGNED`](nautes_model::RepositoryId::UNASSIGNED).
    pub async fn dry_run(
        &self,
        request: &Request,
        entity: Entity,
        mode: PutMode,
        validation: Validation,
    ) -> Result<Arc<Snapshot>, Error> {
        let change = Change::put(entity, mode, validation).into_dry_run();
        Ok(self.make(change, Some(request)).await?.snapshot)
    }

    /// Deletes an entity. One that does not exist is deleted already; one that this process has
    /// created for another instance is left alone.
    pub async fn delete(
        &self,
        request: &Request,
        key: &EntityKey,
        validation: Validation,
    ) -> Result<Written, Error> {
        let change = Change::delete(key.clone(), validation);
        let made = self.make(change, Some(request)).await?;
        Ok(Written {
            verified: None,
            snapshot: made.snapshot,
            took_over: false,
        })
    }

    /// Creates the kustomization if there is none. In an empty repository this creates the branch.
    pub async fn initialize(&self) -> Result<Arc<Snapshot>, Error> {
        Ok(self.make(Change::initialize(), None).await?.snapshot)
    }

    async fn make(&self, change: Change, request: Option<&Request>) -> Answer {
        let change = change.with_claim(self.claim.clone());
        let other_products = self.other_products.clone();
        self.queue.make(change, other_products, request).await
    }
}
