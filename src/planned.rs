//! What this process has planned so far, for the plans of what refers to it: new names, creations,
//! and objects that go.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nautes_model::{ProductId, RepositoryId};

/// The plans of this process for objects that others refer to.
///
/// Terraform plans an object before those that refer to it by an expression. What is referred to by
/// a text that the user wrote out may be planned later.
#[derive(Debug, Default)]
pub(crate) struct Planned(Mutex<Plans>);

#[derive(Debug, Default)]
struct Plans {
    /// The names that updates give.
    renamed: HashMap<Object, Name>,
    /// The names of what is created.
    created: HashSet<Name>,
    /// What is replaced or deleted.
    leaving: HashSet<Object>,
}

/// An object that others refer to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Object {
    /// A product.
    Product(ProductId),
    /// A code repository.
    CodeRepo(RepositoryId),
}

/// The name of such an object.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Name {
    /// Of a product.
    Product(String),
    /// Of a code repository of a product.
    CodeRepo(ProductId, String),
}

impl Planned {
    fn lock(&self) -> MutexGuard<'_, Plans> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that an update gives an object this name.
    fn record_rename(&self, object: Object, name: Name) {
        self.lock().renamed.insert(object, name);
    }

    /// Records that an object of this name is created.
    pub(crate) fn record_creation(&self, name: Name) {
        self.lock().created.insert(name);
    }

    /// Records that an object is replaced or deleted.
    pub(crate) fn record_leaving(&self, object: Object) {
        self.lock().leaving.insert(object);
    }

    /// Records that an object stays.
    fn record_staying(&self, object: Object) {
        self.lock().leaving.remove(&object);
    }

    /// Records the plan of a change: the object is replaced, or it stays and may get another name.
    pub(crate) fn record_change(&self, object: Object, is_replaced: bool, new_name: Option<Name>) {
        if is_replaced {
            return self.record_leaving(object);
        }
        self.record_staying(object);
        if let Some(name) = new_name {
            self.record_rename(object, name);
        }
    }

    /// The name that an update gives an object.
    pub(crate) fn new_name(&self, object: Object) -> Option<Name> {
        self.lock().renamed.get(&object).cloned()
    }

    /// The object to which an update gives a name.
    pub(crate) fn renamed_to(&self, name: &Name) -> Option<Object> {
        let plans = self.lock();
        let mut renamed = plans.renamed.iter();
        let found = renamed.find(|(_, new)| *new == name)?;
        Some(*found.0)
    }

    /// Whether an object is replaced or deleted, or gets another name.
    pub(crate) fn gives_up_its_name(&self, object: Object) -> bool {
        self.is_leaving(object) || self.new_name(object).is_some()
    }

    /// Whether an object of this name is created.
    pub(crate) fn is_created(&self, name: &Name) -> bool {
        self.lock().created.contains(name)
    }

    /// Whether an object is replaced or deleted.
    pub(crate) fn is_leaving(&self, object: Object) -> bool {
        self.lock().leaving.contains(&object)
    }
}
