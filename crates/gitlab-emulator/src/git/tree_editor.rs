//! An editable tree that knows, at any time, what is at a path, including earlier edits. The tree
//! editor of `gix` knows this only for folders that it has loaded.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::bstr::BString;
use gix::object::tree::{EntryKind, EntryMode};
use gix::objs::Tree;
use gix::objs::tree::Entry;

use super::error::{Context, Error};
use super::repository::Repository;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A folder.
    Folder,
    /// A file, link or submodule.
    Leaf(Leaf),
}

/// A file, link or submodule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) id: ObjectId,
    pub(super) mode: EntryMode,
}

#[derive(Debug)]
enum Node {
    Leaf(Leaf),
    /// A folder that was not loaded.
    Stored(ObjectId),
    Open(BTreeMap<BString, Node>),
}

/// The tree, whose folders are loaded on demand.
pub(super) struct TreeEditor<'a> {
    repository: &'a Repository,
    root: Node,
}

impl<'a> TreeEditor<'a> {
    /// Starts with a tree, or with an empty one.
    pub(super) fn new(repository: &'a Repository, tree: Option<ObjectId>) -> Self {
        let root = tree.map_or_else(|| Node::Open(BTreeMap::new()), Node::Stored);
        Self { repository, root }
    }

    /// Returns what is at a path.
    pub(super) fn find(&mut self, path: &str) -> Result<Found, Error> {
        let mut node = &mut self.root;
        for segment in path.split('/') {
            let Some(entries) = node.open(self.repository)? else {
                return Ok(Found::Nothing);
            };
            match entries.get_mut(segment.as_bytes()) {
                Some(below) => node = below,
                None => return Ok(Found::Nothing),
            }
        }
        Ok(match node {
            Node::Leaf(leaf) => Found::Leaf(*leaf),
            Node::Stored(_) | Node::Open(_) => Found::Folder,
        })
    }

    /// Puts a leaf at a path. Replaces what is there, and any file that is in the way of a folder.
    pub(super) fn put(&mut self, path: &str, leaf: Leaf) -> Result<(), Error> {
        let mut node = &mut self.root;
        for segment in path.split('/') {
            if node.open(self.repository)?.is_none() {
                *node = Node::Open(BTreeMap::new());
            }
            let Some(entries) = node.open(self.repository)? else {
                return Ok(());
            };
            node = entries
                .entry(BString::from(segment))
                .or_insert_with(|| Node::Open(BTreeMap::new()));
        }
        *node = Node::Leaf(leaf);
        Ok(())
    }

    /// Removes what is at a path; folders that become empty disappear when the tree is written.
    pub(super) fn remove(&mut self, path: &str) -> Result<(), Error> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut node = &mut self.root;
        for segment in folder.split('/').filter(|segment| !segment.is_empty()) {
            let Some(entries) = node.open(self.repository)? else {
                return Ok(());
            };
            match entries.get_mut(segment.as_bytes()) {
                Some(below) => node = below,
                None => return Ok(()),
            }
        }
        if let Some(entries) = node.open(self.repository)? {
            entries.remove(name.as_bytes());
        }
        Ok(())
    }

    /// Writes the changed folders and returns the ID of the root tree.
    pub(super) fn write(self) -> Result<ObjectId, Error> {
        match self.root.write(self.repository)? {
            Some(leaf) => Ok(leaf.id),
            None => write_tree(self.repository, Vec::new()),
        }
    }
}

impl Node {
    /// Loads a folder and returns its entries; `None` for a leaf.
    fn open(
        &mut self,
        repository: &Repository,
    ) -> Result<Option<&mut BTreeMap<BString, Node>>, Error> {
        if let Self::Stored(id) = *self {
            let tree = repository.git.find_tree(id).context("read a tree")?;
            let mut entries = BTreeMap::new();
            for entry in tree.iter() {
                let entry = entry.context("read a tree")?;
                let (id, mode) = (entry.object_id(), entry.mode());
                let node = if mode.is_tree() {
                    Self::Stored(id)
                } else {
                    Self::Leaf(Leaf { id, mode })
                };
                entries.insert(entry.filename().to_owned(), node);
            }
            *self = Self::Open(entries);
        }
        match self {
            Self::Open(entries) => Ok(Some(entries)),
            Self::Leaf(_) | Self::Stored(_) => Ok(None),
        }
    }

    /// Writes a node; `None` for an empty folder.
    fn write(self, repository: &Repository) -> Result<Option<Leaf>, Error> {
        let folder = EntryKind::Tree.into();
        match self {
            Self::Leaf(leaf) => Ok(Some(leaf)),
            Self::Stored(id) => Ok(Some(Leaf { id, mode: folder })),
            Self::Open(nodes) => {
                let mut entries = Vec::with_capacity(nodes.len());
                for (filename, node) in nodes {
                    if let Some(Leaf { id, mode }) = node.write(repository)? {
                        entries.push(Entry {
                            mode,
                            filename,
                            oid: id,
                        });
                    }
                }
                if entries.is_empty() {
                    return Ok(None);
                }
                let id = write_tree(repository, entries)?;
                Ok(Some(Leaf { id, mode: folder }))
            }
        }
    }
}

fn write_tree(repository: &Repository, mut entries: Vec<Entry>) -> Result<ObjectId, Error> {
    // git sorts folders as if their names ended in a slash.
    entries.sort();
    let id = repository
        .git
        .write_object(Tree { entries })
        .context("write a tree")?;
    Ok(id.detach())
}
