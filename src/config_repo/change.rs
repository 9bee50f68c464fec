//! One change of a configuration repository: an entity that is put or deleted.

use std::collections::BTreeMap;

use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use nautes_model::layout::ManifestPath;
use nautes_model::tree::ManifestTree;

use super::error::{Error, Trees};
use super::object_id::ObjectFormat;
use super::snapshot::{VerifiedAt, blob_id};
use crate::claim::Claim;

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
    /// Creates the kustomization if there is none.
    Initialize,
}

/// One change of a configuration repository.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) action: Action,
    pub(super) validation: Validation,
    /// Whether it is judged alone, and not made.
    is_dry_run: bool,
    /// The instance in the state for which it is made, if that is known.
    pub(super) claim: Option<Claim>,
    expected: Expected,
    took_over: bool,
}

/// The entities that this process has created or taken over, with the instances that hold them.
pub(super) type Created = BTreeMap<EntityKey, Option<Claim>>;

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
            expected,
            ..Self::new(action, validation)
        }
    }

    pub(super) fn delete(key: EntityKey, validation: Validation) -> Self {
        Self::new(Action::Delete(key), validation)
    }

    /// Judges the change without making it.
    pub(super) fn into_dry_run(self) -> Self {
        Self {
            is_dry_run: true,
            ..self
        }
    }

    pub(super) fn initialize() -> Self {
        Self::new(Action::Initialize, Validation::Full)
    }

    /// Whether it creates the kustomization if there is none.
    pub(super) fn is_initialization(&self) -> bool {
        matches!(self.action, Action::Initialize)
    }

    fn new(action: Action, validation: Validation) -> Self {
        Self {
            action,
            validation,
            is_dry_run: false,
            claim: None,
            expected: Expected::First,
            took_over: false,
        }
    }

    /// Makes the change for an instance in the state.
    pub(super) fn with_claim(self, claim: Option<Claim>) -> Self {
        Self { claim, ..self }
    }

    /// Whether the entity that the change creates was there before.
    pub(super) fn took_over(&self) -> bool {
        self.took_over
    }

    /// The entity that is put, deleted or validated.
    pub(super) fn key(&self) -> Option<EntityKey> {
        match &self.action {
            Action::Create(entity) | Action::Update(entity) => Some(entity.key()),
            Action::Delete(key) => Some(key.clone()),
            Action::Initialize => None,
        }
    }

    /// Records what the change has created, or that what it has deleted is not held any more.
    pub(super) fn record(&self, created: &mut Created) {
        match &self.action {
            Action::Create(entity) => {
                created.insert(entity.key(), self.claim.clone());
            }
            Action::Delete(key) if self.may_delete(key, created) => {
                created.remove(key);
            }
            Action::Delete(_) | Action::Update(_) | Action::Initialize => {}
        }
    }

    /// Whether the entity is not by now that of another instance, which this process has created.
    fn may_delete(&self, key: &EntityKey, created: &Created) -> bool {
        let holder = created.get(key);
        holder.is_none_or(|holder| holder.is_some() && *holder == self.claim)
    }

    /// The entity whose manifest the change writes or deletes.
    pub(super) fn written_key(&self) -> Option<EntityKey> {
        self.key().filter(|_| self.has_effect())
    }

    /// Whether the change writes anything.
    pub(super) fn has_effect(&self) -> bool {
        !self.is_dry_run
    }

    /// Pins the manifest that is there when the change is first judged, so that one that another
    /// writer puts there later is not overwritten.
    pub(super) fn pin(&mut self, tree: &ManifestTree, created: &Created, format: ObjectFormat) {
        if let Action::Create(entity) = &self.action
            && created.get(&entity.key()) != Some(&self.claim)
        {
            self.took_over = tree.contains(&entity.key());
        }
        if let (Expected::First, Some(key)) = (&self.expected, self.key()) {
            self.expected = Expected::Blob(blob_id(tree, &key, format));
        }
    }

    /// Applies the change to a tree, whatever rules the result violates.
    ///
    /// `created` are the entities that this process has created: a deletion leaves alone those of
    /// another instance, and a creation takes none of them over. A creation adds its own.
    pub(super) fn apply(
        &self,
        tree: &mut ManifestTree,
        created: &mut Created,
        format: ObjectFormat,
    ) -> Result<(), Error> {
        match &self.action {
            Action::Create(entity) => {
                let key = entity.key();
                let found = tree.find(&key);
                let path = found.map(|(path, _)| path.to_owned());
                if let Some((_, manifest)) = found {
                    let differences = manifest.differences(entity);
                    if !differences.is_empty() {
                        return Err(Error::Exists { key, differences });
                    }
                    let holder = created.get(&key);
                    if holder.is_some_and(|holder| *holder != self.claim) {
                        return Err(Error::CreatedTwice { key });
                    }
                }
                match path {
                    Some(path) => move_to_planned_path(tree, entity, &path)?,
                    None => put(tree, entity)?,
                }
                self.record(created);
                Ok(())
            }
            Action::Update(entity) => {
                let key = entity.key();
                let is_same = tree
                    .find(&key)
                    .is_some_and(|(_, manifest)| manifest.differences(entity).is_empty());
                if !is_same && !self.expects_current(tree, &key, format) {
                    return Err(Error::Changed { key });
                }
                remove_unreadable(tree, &key);
                put(tree, entity)
            }
            Action::Delete(key) if !self.may_delete(key, created) => Ok(()),
            Action::Delete(key) => {
                if tree.contains(key) && !self.expects_current(tree, key, format) {
                    return Err(Error::Changed { key: key.clone() });
                }
                remove_unreadable(tree, key);
                tree.remove(key);
                self.record(created);
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

/// Moves the manifest that a creation takes over to the path that the plan shows.
fn move_to_planned_path(tree: &mut ManifestTree, entity: &Entity, path: &str) -> Result<(), Error> {
    let planned = ManifestPath::from(entity);
    let is_free = tree.file(planned.as_str()).is_none();
    if path == planned.as_str() || !is_free {
        return put(tree, entity);
    }
    let text = tree.file(path).unwrap_or_default().to_owned();
    tree.remove_file(path);
    tree.put_file(planned.as_str(), text);
    Ok(())
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
