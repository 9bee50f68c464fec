//! What a plan permits.

use std::collections::{BTreeMap, BTreeSet};

use terraform_plugin::value::Value;

use super::Check;
use crate::configuration::{Address, Kind};
use crate::core::Action;
use crate::ledger::Object;
use crate::world::Target;

/// What happens to a GitLab object when its resource is destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deletion {
    Delete,
    Archive,
    Abandon,
}

impl Deletion {
    fn from_value(value: &Value) -> Self {
        match value.attribute("deletion_policy").as_str() {
            Some("archive") => Self::Archive,
            Some("abandon") => Self::Abandon,
            _ if value.attribute("archive_on_destroy") == &Value::Bool(true) => Self::Archive,
            _ => Self::Delete,
        }
    }
}

/// An object whose destruction the plan shows.
#[derive(Debug)]
pub(super) struct Destroyed {
    pub(super) deletion: Deletion,
    pub(super) is_forced: bool,
}

/// An object that the plan shows to be created.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) address: Address,
    pub(super) value: Value,
    /// What a replacement replaces.
    pub(super) former: Option<Object>,
}

/// What a plan permits on the main GitLab. On the other one, only creations are permitted, because
/// the state is not about its objects.
#[derive(Debug, Default)]
pub(super) struct Permissions {
    pub(super) destroyed: BTreeMap<Object, Destroyed>,
    /// Prior and planned values.
    pub(super) updated: BTreeMap<Object, (Value, Value)>,
    pub(super) created: Vec<Created>,
    /// Objects that the state holds and the plan does not destroy.
    pub(super) kept: BTreeSet<Object>,
    /// Whether the plan changes a repository or a binding, and with them the enabled keys.
    pub(super) moves_keys: bool,
    /// Whether the plan changes anything.
    pub(super) changes_anything: bool,
}

impl Permissions {
    pub(super) fn new(check: Check<'_>) -> Self {
        let record = check.record;
        let mut permissions = Self::default();
        let mut planned_objects = BTreeSet::new();
        let mut visited = BTreeSet::new();
        for planned in &record.changes {
            let kind = planned.address.kind;
            let prior = planned.prior.as_ref().map(|prior| &prior.value);
            let object = prior.and_then(|prior| Object::from_value(kind, prior));
            let slot = (planned.address, planned.deposed.clone());
            visited.insert(slot.clone());
            permissions.changes_anything |= planned.action != Action::NoOp;
            permissions.moves_keys |= planned.action != Action::NoOp
                && matches!(kind, Kind::CodeRepo | Kind::Binding | Kind::Product);
            match (planned.action, prior, object) {
                (Action::Delete | Action::Replace { .. }, Some(prior), Some(object)) => {
                    planned_objects.insert(slot);
                    let destroyed = Destroyed {
                        deletion: Deletion::from_value(prior),
                        is_forced: prior.attribute("force_destroy") == &Value::Bool(true),
                    };
                    permissions.destroyed.insert(object, destroyed);
                }
                (Action::Update, Some(prior), Some(object)) => {
                    let change = (prior.clone(), planned.value.clone());
                    permissions.updated.insert(object, change);
                }
                _ => {}
            }
            if let Action::Create | Action::Replace { .. } = planned.action {
                let former = prior.and_then(|prior| Object::from_value(kind, prior));
                permissions.created.push(Created {
                    address: planned.address,
                    value: planned.value.clone(),
                    former,
                });
            }
        }
        for (address, deposed, stored) in record.refreshed.objects() {
            let slot = (address, deposed.map(str::to_owned));
            let object = Object::from_value(address.kind, &stored.value);
            // A provider learns of no instance that `-target` leaves out.
            let is_seen = record.run.targets.is_empty() || visited.contains(&slot);
            if is_seen && !planned_objects.contains(&slot) {
                permissions.kept.extend(object);
            }
        }
        let kept = &permissions.kept;
        permissions
            .destroyed
            .retain(|object, _| !kept.contains(object));
        if record.run.target == Target::Other {
            permissions.destroyed.clear();
            permissions.updated.clear();
        }
        permissions
    }

    pub(super) fn destroys(&self, object: &Object) -> bool {
        self.destroyed.contains_key(object)
    }

    /// Returns the creations of a kind with a name.
    pub(super) fn creations<'a>(
        &'a self,
        kind: Kind,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Created> {
        self.created.iter().filter(move |created| {
            created.address.kind == kind && created.value.attribute("name").as_str() == Some(name)
        })
    }

    /// Whether the plan changes an attribute of an object.
    pub(super) fn changes(&self, object: &Object, attribute: &str) -> bool {
        self.updated.get(object).is_some_and(|(prior, planned)| {
            prior.attribute(attribute) != planned.attribute(attribute)
        })
    }
}

impl Created {
    /// Whether the user permits this creation to take over a finished object.
    pub(super) fn may_adopt(&self) -> bool {
        self.value.attribute("adopt_existing") == &Value::Bool(true)
    }
}
