//! The repositories of an instance, opened once and found by number.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gix::ObjectId;

use super::error::{Context, Error};
use super::history::History;
use super::reference::head_file;
use super::tree::Listings;

/// All repositories below one folder.
#[derive(Debug)]
pub struct Repositories {
    folder: PathBuf,
    open: Mutex<HashMap<u64, Arc<Shared>>>,
}

#[derive(Debug)]
struct Shared {
    git: gix::ThreadSafeRepository,
    history: History,
    listings: Listings,
}

impl Repositories {
    /// Uses a folder, which is created with the first repository.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            open: Mutex::default(),
        }
    }

    /// Returns the folder of a repository.
    pub fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.git"))
    }

    /// Creates an empty repository with HEAD at `default_branch`.
    pub fn create(&self, number: u64, default_branch: &str) -> Result<(), Error> {
        let path = self.path(number);
        std::fs::create_dir_all(&path).context("create the folder of a repository")?;
        gix::ThreadSafeRepository::init(
            &path,
            gix::create::Kind::Bare,
            gix::create::Options::default(),
        )
        .context("create a repository")?;
        std::fs::write(path.join("HEAD"), head_file(default_branch))
            .context("set the default branch")
    }

    /// Opens a repository.
    pub fn open(&self, number: u64) -> Result<Repository, Error> {
        let shared = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(shared) = open.get(&number) {
                Arc::clone(shared)
            } else {
                let shared = Arc::new(Shared::open(&self.path(number))?);
                open.insert(number, Arc::clone(&shared));
                shared
            }
        };
        let mut git = shared.git.to_thread_local();
        // A listing or a commit reads the same trees many times.
        git.object_cache_size_if_unset(4 << 20);
        Ok(Repository { git, shared })
    }

    /// Removes a repository from disk, if it exists.
    pub fn remove(&self, number: u64) -> Result<(), Error> {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&number);
        match std::fs::remove_dir_all(self.path(number)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other.context("remove a repository"),
        }
    }
}

impl Shared {
    fn open(path: &Path) -> Result<Self, Error> {
        let options = gix::open::Options::isolated().open_path_as_is(true);
        let git =
            gix::ThreadSafeRepository::open_opts(path, options).context("open a repository")?;
        Ok(Self {
            git,
            history: History::default(),
            listings: Listings::default(),
        })
    }
}

/// A repository, used by one request.
pub struct Repository {
    pub(super) git: gix::Repository,
    shared: Arc<Shared>,
}

impl Repository {
    /// Returns the cache of its history.
    pub(super) fn history_cache(&self) -> &History {
        &self.shared.history
    }

    /// Returns the cache of its listings.
    pub(super) fn listings(&self) -> &Listings {
        &self.shared.listings
    }

    /// Returns its folder.
    pub fn path(&self) -> &Path {
        self.git.git_dir()
    }

    /// Returns the commit of a branch, tag, object ID or other revision.
    pub fn resolve(&self, revision: &str) -> Option<ObjectId> {
        if revision.is_empty() || revision.starts_with('-') {
            return None;
        }
        let id = self.git.rev_parse_single(revision).ok()?;
        let commit = id.object().ok()?.peel_to_commit().ok()?;
        Some(commit.id)
    }

    /// Returns the content of a blob; `None` if no blob has this ID.
    pub fn blob(&self, id: ObjectId) -> Result<Option<Vec<u8>>, Error> {
        let object = self.git.try_find_object(id).context("read an object")?;
        Ok(object
            .and_then(|object| object.try_into_blob().ok())
            .map(|mut blob| blob.take_data()))
    }

    /// Returns the size of a blob in bytes.
    pub fn blob_size(&self, id: ObjectId) -> Result<Option<u64>, Error> {
        let header = self.git.try_find_header(id).context("read an object")?;
        Ok(header
            .filter(|header| header.kind() == gix::object::Kind::Blob)
            .map(|header| header.size()))
    }
}
