//! The parsed content of a configuration repository.
//!
//! A tree keeps the text of every file. It parses the files that may hold a manifest; those that
//! cannot be parsed, or are of an unknown kind, stay and are only reported by
//! [`crate::validation`]. Cloning is cheap because texts are shared, so a change is made on a clone
//! and compared with [`ManifestTree::changes_since`].

mod access;
mod kustomization;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

pub use kustomization::{Kustomization, KustomizationError};

use crate::entity::Entity;
use crate::kind::EntityKey;
use crate::layout::{ManifestPath, Repository};
use crate::manifest::{self, Manifest, ManifestError};

/// The parsed content of a configuration repository.
#[derive(Debug, Clone)]
pub struct ManifestTree {
    repository: Repository,
    files: BTreeMap<Arc<str>, Arc<File>>,
    /// The paths of each entity's manifests; one in a valid tree.
    paths: BTreeMap<EntityKey, BTreeSet<Arc<str>>>,
}

#[derive(Debug)]
struct File {
    text: String,
    content: Content,
    /// The text as a kustomization, parsed when it is first needed; `None` if it is not one.
    kustomization: OnceLock<Option<Kustomization>>,
}

#[derive(Debug)]
enum Content {
    Manifest(Box<Manifest>),
    Invalid(ManifestError),
    /// A file whose path is not that of a manifest.
    Other,
}

/// The path of a new entity's manifest is occupied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path of the {key}, `{path}`, is occupied by another file")]
pub struct PathTaken {
    /// The new entity.
    pub key: EntityKey,
    /// The path of its manifest.
    pub path: ManifestPath,
    /// The entity at the path; `None` if the file holds no entity.
    pub occupant: Option<EntityKey>,
}

/// A difference of one file between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChange<'a> {
    /// The file is new.
    Created {
        /// Its path.
        path: &'a str,
        /// Its text.
        text: &'a str,
    },
    /// The file has a different text.
    Updated {
        /// Its path.
        path: &'a str,
        /// Its new text.
        text: &'a str,
    },
    /// The file was deleted.
    Deleted {
        /// Its path.
        path: &'a str,
    },
}

impl ManifestTree {
    /// Makes an empty tree.
    pub fn new(repository: Repository) -> Self {
        Self {
            repository,
            files: BTreeMap::new(),
            paths: BTreeMap::new(),
        }
    }

    /// Makes a tree from paths and texts.
    pub fn from_files<P, T>(repository: Repository, files: impl IntoIterator<Item = (P, T)>) -> Self
    where
        P: AsRef<str>,
        T: Into<String>,
    {
        let mut tree = Self::new(repository);
        for (path, text) in files {
            tree.put_file(path.as_ref(), text);
        }
        tree
    }

    /// Returns the repository.
    pub fn repository(&self) -> Repository {
        self.repository
    }

    /// Adds a file, or replaces its text.
    pub fn put_file(&mut self, path: &str, text: impl Into<String>) {
        self.remove_file(path);
        let text = text.into();
        let content = if self.repository.may_hold_manifest(path) {
            match Manifest::parse(&text, self.repository.product()) {
                Ok(manifest) => Content::Manifest(Box::new(manifest)),
                Err(error) => Content::Invalid(error),
            }
        } else {
            Content::Other
        };
        let path: Arc<str> = path.into();
        if let Content::Manifest(manifest) = &content {
            self.paths
                .entry(manifest.key())
                .or_default()
                .insert(Arc::clone(&path));
        }
        let file = File {
            text,
            content,
            kustomization: OnceLock::new(),
        };
        self.files.insert(path, Arc::new(file));
    }

    /// Removes a file, and returns whether it existed.
    pub fn remove_file(&mut self, path: &str) -> bool {
        let Some(file) = self.files.remove(path) else {
            return false;
        };
        if let Content::Manifest(manifest) = &file.content {
            let key = manifest.key();
            if let Some(paths) = self.paths.get_mut(&key) {
                paths.remove(path);
                if paths.is_empty() {
                    self.paths.remove(&key);
                }
            }
        }
        true
    }

    /// Adds an entity, or updates its manifest.
    ///
    /// A manifest that already describes the entity stays as it is. One with another file name in
    /// the right folder keeps its path; one in another folder is moved.
    pub fn put(&mut self, entity: &Entity) -> Result<(), PathTaken> {
        let key = entity.key();
        let target = ManifestPath::from(entity);
        let Some((path, manifest)) = self.find(&key) else {
            return self.put_new(entity, target, manifest::render(entity));
        };
        let is_in_folder = path
            .rsplit_once('/')
            .is_some_and(|(folder, _)| folder == target.folder());
        let is_same = manifest.differences(entity).is_empty();
        if is_in_folder && is_same {
            return Ok(());
        }
        let text = if is_same {
            self.file(path).unwrap_or_default().to_owned()
        } else {
            manifest.render_with(entity)
        };
        let path = path.to_owned();
        if is_in_folder {
            self.put_file(&path, text);
            Ok(())
        } else {
            self.put_new(entity, target, text)?;
            self.remove_file(&path);
            Ok(())
        }
    }

    fn put_new(
        &mut self,
        entity: &Entity,
        path: ManifestPath,
        text: String,
    ) -> Result<(), PathTaken> {
        if let Some(file) = self.files.get(path.as_str()) {
            let occupant = match &file.content {
                Content::Manifest(manifest) => Some(manifest.key()),
                Content::Invalid(_) | Content::Other => None,
            };
            return Err(PathTaken {
                key: entity.key(),
                path,
                occupant,
            });
        }
        self.put_file(path.as_str(), text);
        Ok(())
    }

    /// Removes all manifests of an entity, and returns whether there were any.
    pub fn remove(&mut self, key: &EntityKey) -> bool {
        let Some(paths) = self.paths.get(key).cloned() else {
            return false;
        };
        for path in paths {
            self.remove_file(&path);
        }
        true
    }

    /// Returns the files that differ from an older tree, by path.
    pub fn changes_since<'a>(&'a self, base: &'a Self) -> Vec<FileChange<'a>> {
        let mut changes: BTreeMap<&str, FileChange<'a>> = BTreeMap::new();
        for (path, file) in &self.files {
            let path: &str = path;
            let text = file.text.as_str();
            match base.files.get(path) {
                None => {
                    changes.insert(path, FileChange::Created { path, text });
                }
                Some(old) if old.text != text => {
                    changes.insert(path, FileChange::Updated { path, text });
                }
                Some(_) => {}
            }
        }
        for path in base.files.keys() {
            if !self.files.contains_key(path) {
                changes.insert(path, FileChange::Deleted { path });
            }
        }
        changes.into_values().collect()
    }
}
