//! A tree that is being changed. It knows at every moment what is at a path, edits included, which
//! the tree editor of `gix` does not: it answers only for the folders that it has loaded.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::bstr::BString;
use gix::object::tree::{EntryKind, EntryMode};
use gix::objs::Tree;
use gix::objs::tree::Entry;

use super::error::{Attempt, Error};
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
    /// A folder that nobody has looked into.
    Stored(ObjectId),
    Open(BTreeMap<BString, Node>),
}

/// The tree, loaded folder by folder as paths are asked for.
pub(super) struct Draft<'a> {
    repository: &'a Repository,
    root: Node,
}

impl<'a> Draft<'a> {
    /// Begins with a tree, or with nothing.
    pub(super) fn new(repository: &'a Repository, tree: Option<ObjectId>) -> Self {
        let root = tree.map_or_else(|| Node::Open(BTreeMap::new()), Node::Stored);
        Self { repository, root }
    }

    /// Looks at a path.
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

    /// Puts a leaf at a path, in place of whatever is there or is a file on the way.
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

    /// Removes whatever is at a path; folders that become empty vanish when the tree is written.
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

    /// Writes the folders that were looked into and gives the id of the root tree.
    pub(super) fn write(self) -> Result<ObjectId, Error> {
        match self.root.write(self.repository)? {
            Some(leaf) => Ok(leaf.id),
            None => write_tree(self.repository, Vec::new()),
        }
    }
}

impl Node {
    /// The entries of a folder, loaded; `None` for a leaf.
    fn open(
        &mut self,
        repository: &Repository,
    ) -> Result<Option<&mut BTreeMap<BString, Node>>, Error> {
        if let Self::Stored(id) = *self {
            let tree = repository.git.find_tree(id).attempt("read a tree")?;
            let mut entries = BTreeMap::new();
            for entry in tree.iter() {
                let entry = entry.attempt("read a tree")?;
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

    /// Writes what is below; `None` for an empty folder.
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
    // Git sorts folders as if their names ended in a slash.
    entries.sort();
    let id = repository
        .git
        .write_object(Tree { entries })
        .attempt("write a tree")?;
    Ok(id.detach())
}
