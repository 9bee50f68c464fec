//! One change of a configuration repository: an entity that is put or deleted.

use std::collections::BTreeSet;

use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use nautes_model::layout::ManifestPath;
use nautes_model::tree::ManifestTree;

use super::error::{Error, Trees};
use super::object_id::ObjectFormat;
use super::snapshot::{VerifiedAt, blob_id};

/// Whether a put creates or updates an entity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PutMode {
    /// Creates it. An existing entity of the same name with other fields is an error.
    Create,
    /// Updates it. It was last verified there, if that is known: an entity that another writer has
    /// changed since is not overwritten.
    Update(Option<VerifiedAt>),
}

/// Whether a change is validated against the rules of the model.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Validation {
    /// Refuses a change that violates a rule.
    Full,
    /// Makes the change whatever it violates: `insecure_skip_check`.
    Skip,
}

/// What a change does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Create(Box<Entity>),
    Update(Box<Entity>),
    Delete(EntityKey),
    /// Validates a creation without making it.
    DryRun(Box<Entity>),
    /// Creates the kustomization if there is none.
    Initialize,
}

/// One change of a configuration repository.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) action: Action,
    pub(super) validation: Validation,
    expected: Expected,
}

/// Which manifest the change may overwrite or delete.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Expected {
    /// The one that is there when the change is first judged.
    First,
    /// The one with this blob id; `None` if there was none.
    Blob(Option<String>),
}

impl Change {
    pub(super) fn put(entity: Entity, mode: PutMode, validation: Validation) -> Self {
        let entity = Box::new(entity);
        let (action, verified) = match mode {
            PutMode::Create => (Action::Create(entity), None),
            PutMode::Update(verified) => (Action::Update(entity), verified),
        };
        let expected = verified.map_or(Expected::First, |verified| {
            Expected::Blob(Some(verified.blob_id))
        });
        Self {
            action,
            validation,
            expected,
        }
    }

    pub(super) fn delete(key: EntityKey, validation: Validation) -> Self {
        Self {
            action: Action::Delete(key),
            validation,
            expected: Expected::First,
        }
    }

    pub(super) fn dry_run(entity: Entity, validation: Validation) -> Self {
        Self {
            action: Action::DryRun(Box::new(entity)),
            validation,
            expected: Expected::First,
        }
    }

    pub(super) fn initialize() -> Self {
        Self {
            action: Action::Initialize,
            validation: Validation::Full,
            expected: Expected::First,
        }
    }

    /// The entity that is put, deleted or validated.
    pub(super) fn key(&self) -> Option<EntityKey> {
        match &self.action {
            Action::Create(entity) | Action::Update(entity) | Action::DryRun(entity) => {
                Some(entity.key())
            }
            Action::Delete(key) => Some(key.clone()),
            Action::Initialize => None,
        }
    }

    /// The entity that the change creates, if it is a creation.
    pub(super) fn created(&self) -> Option<EntityKey> {
        match &self.action {
            Action::Create(entity) => Some(entity.key()),
            Action::Update(_) | Action::Delete(_) | Action::DryRun(_) | Action::Initialize => None,
        }
    }

    /// The entity whose manifest the change writes or deletes.
    pub(super) fn written_key(&self) -> Option<EntityKey> {
        self.key().filter(|_| self.has_effect())
    }

    /// Whether the change writes anything.
    pub(super) fn has_effect(&self) -> bool {
        !matches!(self.action, Action::DryRun(_))
    }

    /// Pins the manifest that is there when the change is first judged, so that one that another
    /// writer puts there later is not overwritten.
    pub(super) fn pin(&mut self, tree: &ManifestTree, format: ObjectFormat) {
        if let (Expected::First, Some(key)) = (&self.expected, self.key()) {
            self.expected = Expected::Blob(blob_id(tree, &key, format));
        }
    }

    /// Applies the change to a tree, whatever rules the result violates.
    ///
    /// `created` are the entities that requests of this process have created: a deletion leaves
    /// these alone, since they belong to another resource by now. A creation adds its own.
    pub(super) fn apply(
        &self,
        tree: &mut ManifestTree,
        created: &mut BTreeSet<EntityKey>,
        format: ObjectFormat,
    ) -> Result<(), Error> {
        match &self.action {
            Action::Create(entity) | Action::DryRun(entity) => {
                let key = entity.key();
                if let Some((_, manifest)) = tree.find(&key) {
                    let differences = manifest.differences(entity);
                    if !differences.is_empty() {
                        return Err(Error::Exists { key, differences });
                    }
                }
                put(tree, entity)?;
                created.insert(key);
                Ok(())
            }
            Action::Update(entity) => {
                let key = entity.key();
                let is_same = tree
                    .find(&key)
                    .is_none_or(|(_, manifest)| manifest.differences(entity).is_empty());
                if !is_same && !self.expects_current(tree, &key, format) {
                    return Err(Error::Changed { key });
                }
                remove_unreadable(tree, &key);
                put(tree, entity)
            }
            Action::Delete(key) if created.contains(key) => Ok(()),
            Action::Delete(key) => {
                if tree.contains(key) && !self.expects_current(tree, key, format) {
                    return Err(Error::Changed { key: key.clone() });
                }
                remove_unreadable(tree, key);
                tree.remove(key);
                Ok(())
            }
            Action::Initialize => Ok(()),
        }
    }

    fn expects_current(&self, tree: &ManifestTree, key: &EntityKey, format: ObjectFormat) -> bool {
        match &self.expected {
            Expected::First => true,
            Expected::Blob(blob) => *blob == blob_id(tree, key, format),
        }
    }
}

fn put(tree: &mut ManifestTree, entity: &Entity) -> Result<(), Error> {
    tree.put(entity).map_err(|taken| Error::Refused {
        key: entity.key(),
        violations: vec![taken.into()],
        trees: Box::new(Trees {
            before: tree.clone(),
            after: tree.clone(),
            clusters: None,
        }),
    })
}

/// Removes an unreadable file from the path of an entity: a manifest that was broken by hand.
fn remove_unreadable(tree: &mut ManifestTree, key: &EntityKey) {
    let broken: Vec<String> = tree
        .invalid_files()
        .map(|(path, _)| path)
        .filter(|path| is_path_of(path, key))
        .map(str::to_owned)
        .collect();
    for path in broken {
        tree.remove_file(&path);
    }
}

/// Whether a path is the one that the layout gives an entity.
pub(super) fn is_path_of(path: &str, key: &EntityKey) -> bool {
    path.parse::<ManifestPath>()
        .is_ok_and(|path| path.key() == key)
}
