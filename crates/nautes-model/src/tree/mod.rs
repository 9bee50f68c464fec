//! The content of one configuration repository, parsed.
//!
//! Every file is kept as it was given. Those that may hold a manifest are parsed; what cannot be
//! read, or is of an unknown kind, stays and is reported by [`crate::validation`] alone. Cloning
//! copies no text, so a change is made on a clone and compared with [`ManifestTree::changes_since`].

mod access;
mod kustomization;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use kustomization::{Kustomization, KustomizationError};

use crate::entity::Entity;
use crate::kind::EntityKey;
use crate::layout::{ManifestPath, Repository};
use crate::manifest::{self, Manifest, ManifestError};

/// The content of one configuration repository.
#[derive(Debug, Clone)]
pub struct ManifestTree {
    repository: Repository,
    files: BTreeMap<Arc<str>, Arc<File>>,
    /// Where each entity is; in a sound tree it is in one place.
    places: BTreeMap<EntityKey, BTreeSet<Arc<str>>>,
}

#[derive(Debug)]
struct File {
    text: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Manifest(Box<Manifest>),
    Broken(ManifestError),
    /// A file that holds no manifest by its place.
    Other,
}

/// The place of a new entity is that of another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the place of the {key}, `{path}`, is that of another manifest")]
pub struct PlaceTaken {
    /// The new entity.
    pub key: EntityKey,
    /// Its place.
    pub path: ManifestPath,
    /// The entity that is there; none if the file cannot be read.
    pub by: Option<EntityKey>,
}

/// How one file differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChange<'a> {
    /// The file is new.
    Created {
        /// Its path.
        path: &'a str,
        /// Its text.
        text: &'a str,
    },
    /// The file has another text.
    Updated {
        /// Its path.
        path: &'a str,
        /// Its new text.
        text: &'a str,
    },
    /// The file is gone.
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
            places: BTreeMap::new(),
        }
    }

    /// Reads a tree from paths and texts.
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

    /// Returns which repository it is.
    pub fn repository(&self) -> Repository {
        self.repository
    }

    /// Adds a file, or replaces its text.
    pub fn put_file(&mut self, path: &str, text: impl Into<String>) {
        self.remove_file(path);
        let text = text.into();
        let content = if self.repository.holds_manifests(path) {
            match Manifest::parse(&text, self.repository.product()) {
                Ok(manifest) => Content::Manifest(Box::new(manifest)),
                Err(error) => Content::Broken(error),
            }
        } else {
            Content::Other
        };
        let path: Arc<str> = path.into();
        if let Content::Manifest(manifest) = &content {
            self.places
                .entry(manifest.key())
                .or_default()
                .insert(Arc::clone(&path));
        }
        self.files.insert(path, Arc::new(File { text, content }));
    }

    /// Removes a file and tells whether it was there.
    pub fn remove_file(&mut self, path: &str) -> bool {
        let Some(file) = self.files.remove(path) else {
            return false;
        };
        if let Content::Manifest(manifest) = &file.content {
            let key = manifest.key();
            if let Some(paths) = self.places.get_mut(&key) {
                paths.remove(path);
                if paths.is_empty() {
                    self.places.remove(&key);
                }
            }
        }
        true
    }

    /// Adds an entity, or gives its manifest new content.
    ///
    /// A manifest that already describes the entity is left as it is. One that lies in the right
    /// folder under another name keeps its place; from another folder it moves.
    pub fn put(&mut self, entity: &Entity) -> Result<(), PlaceTaken> {
        let key = entity.key();
        let place = ManifestPath::of(entity);
        let Some((path, manifest)) = self.find(&key) else {
            return self.put_new(entity, place, manifest::render(entity));
        };
        if manifest.differences(entity).is_empty() {
            return Ok(());
        }
        let text = manifest.updated(entity);
        let path = path.to_owned();
        if path
            .rsplit_once('/')
            .is_some_and(|(folder, _)| folder == place.folder())
        {
            self.put_file(&path, text);
            Ok(())
        } else {
            self.put_new(entity, place, text)?;
            self.remove_file(&path);
            Ok(())
        }
    }

    fn put_new(
        &mut self,
        entity: &Entity,
        place: ManifestPath,
        text: String,
    ) -> Result<(), PlaceTaken> {
        if let Some(file) = self.files.get(place.as_str()) {
            let by = match &file.content {
                Content::Manifest(manifest) => Some(manifest.key()),
                Content::Broken(_) | Content::Other => None,
            };
            return Err(PlaceTaken {
                key: entity.key(),
                path: place,
                by,
            });
        }
        self.put_file(place.as_str(), text);
        Ok(())
    }

    /// Removes an entity from wherever it is and tells whether it was there.
    pub fn remove(&mut self, key: &EntityKey) -> bool {
        let Some(paths) = self.places.get(key).cloned() else {
            return false;
        };
        for path in paths {
            self.remove_file(&path);
        }
        true
    }

    /// Lists the files that differ from an older tree, by path.
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
