//! The contents of files by their blob ids, each read once.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{TryStreamExt, stream};
use nautes_model::layout::Repository;
use nautes_model::tree::ManifestTree;

use crate::backends::gitlab::{self, GitLab, Kind};
use crate::backends::http::TransportError;

use super::archive::{self, Archive};
use super::listing::{Listing, is_model_file};
use super::object_id::ObjectFormat;

/// Up to so many files are read one by one; for more, an archive is cheaper.
const MAX_SINGLE_READS: usize = 3;

/// How many files are read concurrently.
const CONCURRENCY: usize = 8;

/// The contents of the files of one project that were read so far.
#[derive(Debug)]
pub(super) struct Contents {
    gitlab: GitLab,
    project: u64,
    layout: Repository,
    by_blob: Mutex<HashMap<String, Arc<str>>>,
    distrusts_archives: AtomicBool,
    /// Whether GitLab has refused an archive for a minute, so that asking again is of no use.
    is_limited: AtomicBool,
}

impl Contents {
    pub(super) fn new(gitlab: GitLab, project: u64, layout: Repository) -> Self {
        Self {
            gitlab,
            project,
            layout,
            by_blob: Mutex::default(),
            distrusts_archives: AtomicBool::new(false),
            is_limited: AtomicBool::new(false),
        }
    }

    /// Takes only files whose blob id matches out of archives from now on.
    pub(super) fn distrust_archives(&self) {
        self.distrusts_archives.store(true, Ordering::Relaxed);
    }

    /// Lists the files of a commit.
    pub(super) async fn list(&self, commit: &str) -> Result<Arc<Listing>, gitlab::Error> {
        let entries = self.gitlab.tree(self.project, commit).await?;
        Ok(Arc::new(Listing::new(self.layout, entries)))
    }

    /// Returns the content of a file by its blob id.
    pub(super) async fn get(&self, blob: &str) -> Result<Arc<str>, gitlab::Error> {
        if let Some(known) = self.known().get(blob).cloned() {
            return Ok(known);
        }
        let content = self.gitlab.blob(self.project, blob).await?;
        Ok(self.remember(blob, &content))
    }

    /// Reads all manifests of a commit: the first time from an archive, later only those that differ.
    pub(super) async fn read_all(&self, commit: &str) -> Result<ManifestTree, gitlab::Error> {
        let first = self.known().is_empty();
        if first && let Some(tree) = self.read_archive(commit).await? {
            return Ok(tree);
        }
        let listing = self.list(commit).await?;
        self.read(commit, &listing).await
    }

    /// Reads all manifests of a commit from an archive; `None` when GitLab serves none that can be
    /// trusted.
    pub(super) async fn read_archive(
        &self,
        commit: &str,
    ) -> Result<Option<ManifestTree>, gitlab::Error> {
        let archive = self.trusted_archive(commit).await?;
        Ok(archive.map(|archive| self.remember_all(commit, archive.files)))
    }

    /// Reads all manifests of a branch, and which commit it is at, from an archive; `None` when
    /// GitLab serves none that can be trusted.
    pub(super) async fn read_branch(
        &self,
        branch: &str,
    ) -> Result<Option<(String, ManifestTree)>, gitlab::Error> {
        // A tag may have the name of the branch.
        let reference = format!("refs/heads/{branch}");
        let archive = self.trusted_archive(&reference).await?;
        Ok(archive.and_then(|archive| {
            let commit = archive.commit?;
            let tree = self.remember_all(&commit, archive.files);
            Some((commit, tree))
        }))
    }

    async fn trusted_archive(&self, reference: &str) -> Result<Option<Archive>, gitlab::Error> {
        if self.distrusts_archives.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let archive = self.unpack_archive(reference).await?;
        let files = &archive.files;
        let is_trusted = !files.is_empty() && !files.keys().any(|path| is_attributes(path));
        Ok(is_trusted.then_some(archive))
    }

    fn remember_all(&self, commit: &str, files: BTreeMap<String, Vec<u8>>) -> ManifestTree {
        let format = ObjectFormat::from_id(commit);
        let files = files.into_iter().map(|(path, content)| {
            (
                path,
                self.remember(&format.blob_id(&content), &content)
                    .to_string(),
            )
        });
        ManifestTree::from_files(self.layout, files)
    }

    /// Reads the manifests of a listing, as far as they are not known yet.
    pub(super) async fn read(
        &self,
        commit: &str,
        listing: &Listing,
    ) -> Result<ManifestTree, gitlab::Error> {
        if self.unknown(listing).len() > MAX_SINGLE_READS {
            let format = ObjectFormat::from_id(commit);
            for (path, content) in self.unpack_archive(commit).await?.files {
                let blob = format.blob_id(&content);
                if listing.blob(&path) == Some(&blob) {
                    self.remember(&blob, &content);
                }
            }
        }
        stream::iter(self.unknown(listing).into_iter().map(Ok))
            .try_for_each_concurrent(CONCURRENCY, async |blob: &str| {
                self.get(blob).await.map(drop)
            })
            .await?;
        let mut tree = ManifestTree::new(self.layout);
        for (path, blob) in listing.blobs() {
            let content = self.get(blob).await?;
            tree.put_file(path, &*content);
        }
        Ok(tree)
    }

    /// Returns the model's files, and git attributes, out of an archive; nothing when GitLab serves
    /// no archive, which it limits to a few a minute, or when it is too large to be read.
    async fn unpack_archive(&self, reference: &str) -> Result<Archive, gitlab::Error> {
        if self.is_limited.load(Ordering::Relaxed) {
            return Ok(Archive::default());
        }
        let wanted = |path: &str| is_model_file(self.layout, path) || is_attributes(path);
        match self.gitlab.archive(self.project, reference).await {
            Ok(packed) => Ok(archive::unpack(&packed, wanted).unwrap_or_default()),
            Err(error)
                if matches!(
                    error.kind(),
                    Kind::Transport(TransportError::Limited { .. } | TransportError::TooLarge)
                        | Kind::NotFound
                ) =>
            {
                tracing::debug!(%error, "no archive; reading manifests one by one");
                if matches!(
                    error.kind(),
                    Kind::Transport(TransportError::Limited { .. })
                ) {
                    self.is_limited.store(true, Ordering::Relaxed);
                }
                Ok(Archive::default())
            }
            Err(error) => Err(error),
        }
    }

    fn unknown<'l>(&self, listing: &'l Listing) -> Vec<&'l str> {
        let known = self.known();
        let blobs = listing.blobs().values().map(String::as_str);
        blobs.filter(|blob| !known.contains_key(*blob)).collect()
    }

    fn remember(&self, blob: &str, content: &[u8]) -> Arc<str> {
        let content: Arc<str> = String::from_utf8_lossy(content).into();
        self.known().insert(blob.to_owned(), Arc::clone(&content));
        content
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<str>>> {
        self.by_blob.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Git attributes can make an archive differ from the files: left out, or with other line ends.
fn is_attributes(path: &str) -> bool {
    path == ".gitattributes" || path.ends_with("/.gitattributes")
}
