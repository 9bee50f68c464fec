//! Reading trees.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::object::tree::EntryMode;

use super::error::{Context, Error};
use super::repository::Repository;

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path from the root of the repository.
    pub path: String,
    /// Object ID.
    pub id: ObjectId,
    /// Mode, which tells files, links, folders and submodules apart.
    pub mode: EntryMode,
}

impl Entry {
    /// Returns the last segment of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Returns the type in the API: `blob`, `tree` or `commit`.
    pub const fn kind(&self) -> &'static str {
        if self.mode.is_tree() {
            "tree"
        } else if self.mode.is_commit() {
            "commit"
        } else {
            "blob"
        }
    }

    /// Returns the mode as git prints it: `100644`.
    pub fn octal_mode(&self) -> String {
        format!("{:06o}", self.mode.value())
    }

    /// Returns whether it is an executable file.
    pub const fn is_executable(&self) -> bool {
        self.mode.is_executable()
    }
}

/// Recent folder listings, kept because clients page through them. Trees never change, so listings
/// stay valid.
#[derive(Debug, Default)]
pub(super) struct Listings {
    recent: Mutex<VecDeque<(ListingKey, Arc<Vec<Entry>>)>>,
}

/// Identifies a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ListingKey {
    tree: ObjectId,
    path: String,
    is_recursive: bool,
}

impl Listings {
    const KEPT: usize = 4;

    fn get(&self, key: &ListingKey) -> Option<Arc<Vec<Entry>>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let found = recent.iter().find(|(known, _)| known == key);
        found.map(|(_, entries)| Arc::clone(entries))
    }

    fn keep(&self, key: ListingKey, entries: &Arc<Vec<Entry>>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_front((key, Arc::clone(entries)));
        recent.truncate(Self::KEPT);
    }
}

impl Repository {
    /// Returns the entry at a path of a commit; the root has no entry.
    pub fn entry(&self, commit: ObjectId, path: &str) -> Result<Option<Entry>, Error> {
        let tree = self.root_tree(commit)?;
        let found = tree
            .lookup_entry(
                path.split('/')
                    .filter(|segment| !segment.is_empty())
                    .map(str::as_bytes),
            )
            .context("read a tree")?;
        Ok(found.map(|entry| Entry {
            path: path.to_owned(),
            id: entry.object_id(),
            mode: entry.mode(),
        }))
    }

    /// Returns the entries below a path of a commit; `None` if the path is not a folder. Folders
    /// come before files; with `is_recursive`, the content of a folder follows it, as in git's own
    /// listing.
    pub fn list(
        &self,
        commit: ObjectId,
        path: &str,
        is_recursive: bool,
    ) -> Result<Option<Arc<Vec<Entry>>>, Error> {
        let path = path.trim_matches('/');
        let tree = if path.is_empty() {
            self.root_tree(commit)?.id
        } else {
            match self.entry(commit, path)? {
                Some(entry) if entry.mode.is_tree() => entry.id,
                _ => return Ok(None),
            }
        };
        let key = ListingKey {
            tree,
            path: path.to_owned(),
            is_recursive,
        };
        if let Some(entries) = self.listings().get(&key) {
            return Ok(Some(entries));
        }
        let mut entries = Vec::new();
        self.list_tree(tree, path, is_recursive, &mut entries)?;
        if !is_recursive {
            entries.sort_by_key(|entry| !entry.mode.is_tree());
        }
        let entries = Arc::new(entries);
        self.listings().keep(key, &entries);
        Ok(Some(entries))
    }

    fn list_tree(
        &self,
        tree: ObjectId,
        prefix: &str,
        is_recursive: bool,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Error> {
        let tree = self.git.find_tree(tree).context("read a tree")?;
        for entry in tree.iter() {
            let entry = entry.context("read a tree")?;
            let name = entry.filename().to_str_lossy();
            let path = if prefix.is_empty() {
                name.into_owned()
            } else {
                format!("{prefix}/{name}")
            };
            let entry = Entry {
                path,
                id: entry.object_id(),
                mode: entry.mode(),
            };
            if is_recursive && entry.mode.is_tree() {
                let (below, path) = (entry.id, entry.path.clone());
                entries.push(entry);
                self.list_tree(below, &path, is_recursive, entries)?;
            } else {
                entries.push(entry);
            }
        }
        Ok(())
    }

    /// Returns the root tree of a commit.
    pub(super) fn root_tree(&self, commit: ObjectId) -> Result<gix::Tree<'_>, Error> {
        self.git
            .find_commit(commit)
            .context("read a commit")?
            .tree()
            .context("read a tree")
    }
}
