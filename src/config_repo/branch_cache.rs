//! One branch in GitLab, and a cache of what was read of it, so that everything is read once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::installation::Installation;
use nautes_model::layout::Repository;
use nautes_model::tree::{Kustomization, ManifestTree};
use tokio::sync::OnceCell;

use crate::backends::gitlab::{self, GitLab};

use super::contents::Contents;
use super::listing::Listing;
use super::object_id::ObjectFormat;
use super::snapshot::Snapshot;

/// One branch of one configuration repository.
#[derive(Debug)]
pub(super) struct BranchCache {
    pub(super) gitlab: GitLab,
    /// The Nautes installation that reads further files of the branch, which are written with the manifests.
    pub(super) installation: Option<Installation>,
    pub(super) project: u64,
    /// When the project was created, where that is not known otherwise.
    pub(super) created_at: Option<String>,
    pub(super) name: String,
    pub(super) layout: Repository,
    contents: Contents,
    cached: Mutex<Arc<Cached>>,
}

/// What is known of the branch at one head. Everything is read by the first caller who asks for
/// it; concurrent callers share the read.
#[derive(Debug, Default)]
pub(super) struct Cached {
    head: OnceCell<Option<String>>,
    listing: OnceCell<Arc<Listing>>,
    kustomization: OnceCell<Option<Kustomization>>,
    snapshot: OnceCell<Arc<Snapshot>>,
}

impl Cached {
    /// Whether nothing was read yet.
    pub(super) fn is_empty(&self) -> bool {
        self.head.get().is_none()
    }

    /// The whole content, if it was read already.
    pub(super) fn known_snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.get()
    }
}

impl BranchCache {
    pub(super) fn new(gitlab: GitLab, project: u64, name: String, layout: Repository) -> Self {
        let contents = Contents::new(gitlab.clone(), project, layout);
        Self {
            gitlab,
            project,
            created_at: None,
            name,
            layout,
            contents,
            installation: None,
            cached: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of the branch now.
    pub(super) fn cached(&self) -> Arc<Cached> {
        Arc::clone(&self.lock())
    }

    /// Reads the head again. If the branch has not moved, everything that is known stays.
    pub(super) async fn refresh(&self) -> Result<Arc<Cached>, gitlab::Error> {
        let before = self.cached();
        let head = self
            .gitlab
            .head_unless_empty(self.project, &self.name)
            .await?;
        let mut cached = self.lock();
        // Another caller may have replaced it in the meantime with something newer than this answer.
        let is_current = Arc::ptr_eq(&before, &cached);
        if is_current && before.head.get() != Some(&head) {
            *cached = Arc::new(Cached {
                head: OnceCell::new_with(Some(head)),
                ..Cached::default()
            });
        }
        Ok(Arc::clone(&cached))
    }

    /// Records that the branch is at a snapshot now.
    pub(super) fn advance(&self, snapshot: Arc<Snapshot>) {
        let head = snapshot.commit().map(str::to_owned);
        *self.lock() = Arc::new(Cached {
            head: OnceCell::new_with(Some(head)),
            snapshot: OnceCell::new_with(Some(snapshot)),
            ..Cached::default()
        });
    }

    /// Forgets everything and reads files one by one from now on: GitLab has other files than its
    /// archive.
    pub(super) fn distrust_archives(&self) {
        self.contents.distrust_archives();
        self.invalidate();
    }

    /// Forgets everything, after something failed half-way.
    pub(super) fn invalidate(&self) {
        *self.lock() = Arc::default();
    }

    /// The head; `None` for an empty repository.
    pub(super) async fn head(&self, cached: &Cached) -> Result<Option<String>, gitlab::Error> {
        let read = || self.gitlab.head_unless_empty(self.project, &self.name);
        cached.head.get_or_try_init(read).await.cloned()
    }

    /// The files at a head.
    pub(super) async fn listing(
        &self,
        cached: &Cached,
        head: &str,
    ) -> Result<Arc<Listing>, gitlab::Error> {
        let read = || self.contents.list(head);
        cached.listing.get_or_try_init(read).await.cloned()
    }

    /// The kustomization; `None` if there is none that can be parsed. It is read only if it is not
    /// the one that follows from the listing, which its blob id tells.
    pub(super) async fn kustomization<'c>(
        &self,
        cached: &'c Cached,
        listing: &Listing,
    ) -> Result<Option<&'c Kustomization>, gitlab::Error> {
        let read = async || {
            let Some(blob) = listing.blob(self.layout.kustomization_path()) else {
                return Ok(None);
            };
            let rendered = Kustomization::render(self.layout, listing.manifests());
            let text: Arc<str> = if ObjectFormat::from_id(blob).blob_id(rendered.as_bytes()) == blob
            {
                rendered.into()
            } else {
                self.contents.get(blob).await?
            };
            Ok::<_, gitlab::Error>(Kustomization::parse(&text).ok())
        };
        Ok(cached.kustomization.get_or_try_init(read).await?.as_ref())
    }

    /// The head, and the whole content if the head was not known yet and GitLab serves both in one
    /// archive of the branch.
    async fn head_and_archive(
        &self,
        cached: &Cached,
    ) -> Result<(Option<String>, Option<ManifestTree>), gitlab::Error> {
        let mut archived = None;
        let read = async || match self.contents.read_branch(&self.name).await? {
            Some((head, tree)) => {
                archived = Some(tree);
                Ok(Some(head))
            }
            None => {
                self.gitlab
                    .head_unless_empty(self.project, &self.name)
                    .await
            }
        };
        let head = cached.head.get_or_try_init(read).await?.clone();
        Ok((head, archived))
    }

    /// The whole content.
    pub(super) async fn snapshot(&self, cached: &Cached) -> Result<Arc<Snapshot>, gitlab::Error> {
        let read = async || {
            let (head, archived) = self.head_and_archive(cached).await?;
            let Some(head) = head else {
                return Ok(Arc::new(Snapshot::new(
                    None,
                    ManifestTree::new(self.layout),
                )));
            };
            let tree = match (archived, cached.listing.get()) {
                (Some(tree), _) => tree,
                (None, Some(listing)) => self.contents.read(&head, listing).await?,
                (None, None) => self.contents.read_all(&head).await?,
            };
            Ok::<_, gitlab::Error>(Arc::new(Snapshot::new(Some(head), tree)))
        };
        cached.snapshot.get_or_try_init(read).await.cloned()
    }

    /// The whole content, if it is known or an archive tells it; `None` otherwise.
    pub(super) async fn cheap_snapshot(
        &self,
        cached: &Cached,
    ) -> Result<Option<Arc<Snapshot>>, gitlab::Error> {
        if let Some(known) = cached.snapshot.get() {
            return Ok(Some(Arc::clone(known)));
        }
        let (Some(head), archived) = self.head_and_archive(cached).await? else {
            return Ok(None);
        };
        let archived = match archived {
            Some(archived) => Some(archived),
            None => self.contents.read_archive(&head).await?,
        };
        let Some(tree) = archived else {
            return Ok(None);
        };
        let snapshot = async || Arc::new(Snapshot::new(Some(head), tree));
        Ok(Some(Arc::clone(
            cached.snapshot.get_or_init(snapshot).await,
        )))
    }

    /// The whole content at any commit.
    pub(super) async fn tree_at(&self, commit: &str) -> Result<ManifestTree, gitlab::Error> {
        self.contents.read_all(commit).await
    }

    /// The content of a file by its blob id.
    pub(super) async fn content(&self, blob: &str) -> Result<Arc<str>, gitlab::Error> {
        self.contents.get(blob).await
    }
}
