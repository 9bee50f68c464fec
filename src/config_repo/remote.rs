//! A branch as GitLab has it: what is read of it, and kept so that it is read once.

use std::sync::{Arc, Mutex, PoisonError};

use nautes_model::layout::Repository;
use nautes_model::tree::{Kustomization, ManifestTree};
use tokio::sync::OnceCell;

use crate::backends::gitlab::{self, GitLab};

use super::contents::Contents;
use super::listing::Listing;
use super::snapshot::Snapshot;

/// One branch of one configuration repository.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) gitlab: GitLab,
    pub(super) project: u64,
    pub(super) branch: String,
    pub(super) layout: Repository,
    contents: Contents,
    view: Mutex<Arc<View>>,
}

/// What is known of the branch since it was last looked at. Everything is read when it is first
/// asked for, by one of those who ask; the others wait for it.
#[derive(Debug, Default)]
pub(super) struct View {
    head: OnceCell<Option<String>>,
    listing: OnceCell<Arc<Listing>>,
    kustomization: OnceCell<Option<Kustomization>>,
    snapshot: OnceCell<Arc<Snapshot>>,
}

impl View {
    /// Whether nothing was asked for yet, so that everything will be as it is then.
    pub(super) fn is_blank(&self) -> bool {
        self.head.get().is_none()
    }

    /// The whole content, if it is known already.
    pub(super) fn known_snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.get()
    }
}

impl Remote {
    pub(super) fn new(gitlab: GitLab, project: u64, branch: String, layout: Repository) -> Self {
        let contents = Contents::new(gitlab.clone(), project, layout);
        Self {
            gitlab,
            project,
            branch,
            layout,
            contents,
            view: Mutex::default(),
        }
    }

    /// What is known of the branch now.
    pub(super) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for the head again. If the branch has not moved, everything that is known stays.
    pub(super) async fn look_again(&self) -> Result<Arc<View>, gitlab::Error> {
        let head = self.gitlab.head(self.project, &self.branch).await?;
        let known = self.view();
        if known.head.get() == Some(&head) {
            return Ok(known);
        }
        Ok(self.replace(View {
            head: OnceCell::new_with(Some(head)),
            ..View::default()
        }))
    }

    /// Notes that the branch is at a snapshot now.
    pub(super) fn advance(&self, snapshot: Arc<Snapshot>) {
        let head = snapshot.commit().map(str::to_owned);
        self.replace(View {
            head: OnceCell::new_with(Some(head)),
            snapshot: OnceCell::new_with(Some(snapshot)),
            ..View::default()
        });
    }

    /// Forgets what is known of the branch, and from now on reads it file by file: GitLab finds
    /// other files than we do.
    pub(super) fn distrust(&self) {
        self.contents.distrust_archives();
        self.forget();
    }

    /// Forgets where the branch is, after something went wrong half-way.
    pub(super) fn forget(&self) {
        self.replace(View::default());
    }

    fn replace(&self, view: View) -> Arc<View> {
        let view = Arc::new(view);
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&view);
        view
    }

    /// The head; none for an empty repository.
    pub(super) async fn head(&self, view: &View) -> Result<Option<String>, gitlab::Error> {
        let read = || self.gitlab.head(self.project, &self.branch);
        view.head.get_or_try_init(read).await.cloned()
    }

    /// The files at a view's head.
    pub(super) async fn listing(
        &self,
        view: &View,
        head: &str,
    ) -> Result<Arc<Listing>, gitlab::Error> {
        let read = || self.contents.list(head);
        view.listing.get_or_try_init(read).await.cloned()
    }

    /// The kustomization at a view's head; none if there is none that can be read.
    pub(super) async fn kustomization<'v>(
        &self,
        view: &'v View,
        listing: &Listing,
    ) -> Result<Option<&'v Kustomization>, gitlab::Error> {
        let read = async || {
            let Some(blob) = listing.blob(self.layout.kustomization_path()) else {
                return Ok(None);
            };
            let text = self.contents.get(blob).await?;
            Ok::<_, gitlab::Error>(Kustomization::parse(&text).ok())
        };
        Ok(view.kustomization.get_or_try_init(read).await?.as_ref())
    }

    /// The whole content at a view's head.
    pub(super) async fn snapshot(&self, view: &View) -> Result<Arc<Snapshot>, gitlab::Error> {
        let read = async || {
            let Some(head) = self.head(view).await? else {
                return Ok(Arc::new(Snapshot::new(
                    None,
                    ManifestTree::new(self.layout),
                )));
            };
            let tree = match view.listing.get() {
                Some(listing) => self.contents.read(&head, listing).await?,
                None => self.contents.read_all(&head).await?,
            };
            Ok::<_, gitlab::Error>(Arc::new(Snapshot::new(Some(head), tree)))
        };
        view.snapshot.get_or_try_init(read).await.cloned()
    }

    /// The whole content at any commit.
    pub(super) async fn tree_at(&self, commit: &str) -> Result<ManifestTree, gitlab::Error> {
        self.contents.read_all(commit).await
    }

    /// The content of a file by its hash.
    pub(super) async fn content(&self, blob: &str) -> Result<Arc<str>, gitlab::Error> {
        self.contents.get(blob).await
    }
}
