//! Which fields a manager owns, as `managedFields` records it.
//!
//! The format is that of `FieldsV1`: `f:<name>` is a field, `k:<keys>` an element of a list that is told
//! apart by fields of it, `v:<value>` an element of a set. A leaf is an empty object.

use serde_json::{Map, Value};

use crate::object::Object;
use crate::ownership::FieldManager;

/// What a manager owns of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owned<'o> {
    /// Nothing.
    Nothing,
    /// The field with all that is in it.
    Whole,
    /// Some of what is in it.
    Parts(&'o Map<String, Value>),
}

/// How the elements of a list are told apart.
pub(super) enum ListKind {
    /// Not at all: the list is one value.
    Atomic,
    /// By fields of the elements.
    ByKeys(Vec<String>),
    /// By their values.
    Set,
}

impl<'o> Owned<'o> {
    /// Reads what a manager has applied of an object; `None` if it never applied it in this version.
    pub(super) fn read(
        live: &'o Object,
        manager: &FieldManager,
        api_version: &str,
    ) -> Option<Self> {
        let entry = live.list("/metadata/managedFields").iter().find(|entry| {
            let text = |field| entry.get(field).and_then(Value::as_str);
            text("manager") == Some(manager.as_str())
                && text("operation") == Some("Apply")
                && text("apiVersion") == Some(api_version)
                && text("subresource").is_none_or(str::is_empty)
        })?;
        Some(Self::Parts(entry.get("fieldsV1")?.as_object()?))
    }

    /// Returns what is owned of a field of an object.
    pub(super) fn field(self, name: &str) -> Self {
        self.part(|parts| parts.get(&format!("f:{name}")))
    }

    /// Returns what is owned of the element of a list that has the keys of `element`.
    pub(super) fn element(self, element: &Value) -> Self {
        self.part(|parts| {
            let mut keys = parts
                .iter()
                .filter_map(|(part, owned)| Some((keys(part)?, owned)));
            let (_, owned) = keys.find(|(keys, _)| {
                let mut keys = keys.iter();
                keys.all(|(key, value)| element.get(key) == Some(value))
            })?;
            Some(owned)
        })
    }

    /// Returns what is owned of an element of a set.
    pub(super) fn set_element(self, element: &Value) -> Self {
        self.part(|parts| parts.get(&format!("v:{element}")))
    }

    fn part(self, find: impl FnOnce(&'o Map<String, Value>) -> Option<&'o Value>) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Whole => Self::Whole,
            Self::Parts(parts) => match find(parts).and_then(Value::as_object) {
                None => Self::Nothing,
                Some(parts) if parts.is_empty() => Self::Whole,
                Some(parts) => Self::Parts(parts),
            },
        }
    }

    /// Returns the names of the fields that are owned.
    pub(super) fn field_names(self) -> impl Iterator<Item = &'o str> {
        self.parts().filter_map(|part| part.strip_prefix("f:"))
    }

    /// Returns the keys of the elements that are owned of a list.
    pub(super) fn element_keys(self) -> impl Iterator<Item = Map<String, Value>> {
        self.parts().filter_map(keys)
    }

    /// Returns the elements that are owned of a set.
    pub(super) fn set_elements(self) -> impl Iterator<Item = Value> {
        let values = self.parts().filter_map(|part| part.strip_prefix("v:"));
        values.filter_map(|value| serde_json::from_str(value).ok())
    }

    /// Returns how the elements of a list are told apart.
    pub(super) fn list_kind(self) -> ListKind {
        if let Some(keys) = self.element_keys().next() {
            return ListKind::ByKeys(keys.into_iter().map(|(key, _)| key).collect());
        }
        match self.set_elements().next() {
            Some(_) => ListKind::Set,
            None => ListKind::Atomic,
        }
    }

    fn parts(self) -> impl Iterator<Item = &'o str> {
        let parts = match self {
            Self::Parts(parts) => Some(parts),
            _ => None,
        };
        parts.into_iter().flat_map(Map::keys).map(String::as_str)
    }
}

fn keys(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(part.strip_prefix("k:")?).ok()
}
