//! What a resource wants to become of its entity.

use std::collections::BTreeSet;

use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use nautes_model::layout::ManifestPath;
use nautes_model::tree::ManifestTree;

use super::error::{Error, Trees};
use super::object_id::ObjectFormat;
use super::snapshot::{VerifiedAt, blob_id};

/// Whether an entity is new to its resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PutMode {
    /// It is: an entity of the same name that differs belongs to somebody else.
    Create,
    /// It is not; it was last verified there, if that is known. An entity that another writer
    /// changed since is not overwritten.
    Update(Option<VerifiedAt>),
}

/// Whether the rules of the model are checked before a change is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Checks {
    /// They are.
    Full,
    /// They are not: `insecure_skip_check`. Changes of others are still checked.
    Skip,
}

/// What to do.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Create(Box<Entity>),
    Update(Box<Entity>),
    Delete(EntityKey),
    /// Judges a creation without making it.
    Check(Box<Entity>),
    /// Makes sure that there is a kustomization.
    Initialise,
}

/// One change of a configuration repository.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) action: Action,
    pub(super) checks: Checks,
    expected: Expected,
}

/// Which manifest may be overwritten or deleted.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Expected {
    /// The one that is there when the change is first looked at.
    First,
    /// The one with this hash; none if there was none.
    Blob(Option<String>),
}

impl Change {
    pub(super) fn put(entity: Entity, mode: PutMode, checks: Checks) -> Self {
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
            checks,
            expected,
        }
    }

    pub(super) fn delete(key: EntityKey, checks: Checks) -> Self {
        Self {
            action: Action::Delete(key),
            checks,
            expected: Expected::First,
        }
    }

    pub(super) fn check(entity: Entity, checks: Checks) -> Self {
        Self {
            action: Action::Check(Box::new(entity)),
            checks,
            expected: Expected::First,
        }
    }

    pub(super) fn initialise() -> Self {
        Self {
            action: Action::Initialise,
            checks: Checks::Full,
            expected: Expected::First,
        }
    }

    /// The entity that it is about.
    pub(super) fn key(&self) -> Option<EntityKey> {
        match &self.action {
            Action::Create(entity) | Action::Update(entity) | Action::Check(entity) => {
                Some(entity.key())
            }
            Action::Delete(key) => Some(key.clone()),
            Action::Initialise => None,
        }
    }

    /// The entity that it creates, if it does.
    pub(super) fn created(&self) -> Option<EntityKey> {
        match &self.action {
            Action::Create(entity) => Some(entity.key()),
            Action::Update(_) | Action::Delete(_) | Action::Check(_) | Action::Initialise => None,
        }
    }

    /// Whether it changes anything.
    pub(super) fn has_effect(&self) -> bool {
        !matches!(self.action, Action::Check(_))
    }

    /// Notes which manifest is there when the change is first looked at, so that a later one of
    /// another writer is told from it.
    pub(super) fn pin(&mut self, tree: &ManifestTree, format: ObjectFormat) {
        if let (Expected::First, Some(key)) = (&self.expected, self.key()) {
            self.expected = Expected::Blob(blob_id(tree, &key, format));
        }
    }

    /// Makes the change in a tree, whatever the rules say of the result.
    ///
    /// `claimed` are the entities that other requests of this process have created: deleting one
    /// of these is no longer the business of the request that had it before. A creation adds its
    /// own.
    pub(super) fn apply(
        &self,
        tree: &mut ManifestTree,
        claimed: &mut BTreeSet<EntityKey>,
        format: ObjectFormat,
    ) -> Result<(), Error> {
        match &self.action {
            Action::Create(entity) | Action::Check(entity) => {
                let key = entity.key();
                if let Some((_, manifest)) = tree.find(&key) {
                    let differences = manifest.differences(entity);
                    if !differences.is_empty() {
                        return Err(Error::Exists { key, differences });
                    }
                }
                put(tree, entity)?;
                claimed.insert(key);
                Ok(())
            }
            Action::Update(entity) => {
                let key = entity.key();
                let same = tree
                    .find(&key)
                    .is_none_or(|(_, manifest)| manifest.differences(entity).is_empty());
                if !same && !self.expects_what_is_there(tree, &key, format) {
                    return Err(Error::Changed { key });
                }
                remove_unreadable(tree, &key);
                put(tree, entity)
            }
            Action::Delete(key) if claimed.contains(key) => Ok(()),
            Action::Delete(key) => {
                if tree.contains(key) && !self.expects_what_is_there(tree, key, format) {
                    return Err(Error::Changed { key: key.clone() });
                }
                remove_unreadable(tree, key);
                tree.remove(key);
                Ok(())
            }
            Action::Initialise => Ok(()),
        }
    }

    fn expects_what_is_there(
        &self,
        tree: &ManifestTree,
        key: &EntityKey,
        format: ObjectFormat,
    ) -> bool {
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
        }),
    })
}

/// Removes what lies in the place of an entity and cannot be read: a manifest that was broken by
/// hand.
fn remove_unreadable(tree: &mut ManifestTree, key: &EntityKey) {
    let broken: Vec<String> = tree
        .broken_files()
        .map(|(path, _)| path)
        .filter(|path| is_place_of(path, key))
        .map(str::to_owned)
        .collect();
    for path in broken {
        tree.remove_file(&path);
    }
}

/// Whether a path is the place that the layout gives an entity.
pub(super) fn is_place_of(path: &str, key: &EntityKey) -> bool {
    path.parse::<ManifestPath>()
        .is_ok_and(|place| place.key() == key)
}
