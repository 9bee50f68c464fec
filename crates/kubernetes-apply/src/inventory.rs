//! The objects of a set, with the UIDs under which they were created.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::object::{GroupKind, ObjectRef};

/// The objects of a set.
///
/// An object is listed before it is created, and keeps its place until it is known to be gone. So whatever a
/// killed run leaves behind is listed.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
pub struct Inventory {
    objects: BTreeMap<ObjectRef, Option<String>>,
}

/// One object of a set.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entry {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectRef,
    /// Its UID; `None` if it was about to be created and nobody knows whether it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

impl Inventory {
    /// Returns all objects.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.objects.iter().map(|(object, uid)| Entry {
            object: object.clone(),
            uid: uid.clone(),
        })
    }

    /// Returns whether no object is listed.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Returns whether an object is listed.
    pub fn contains(&self, object: &ObjectRef) -> bool {
        self.objects.contains_key(object)
    }

    /// Returns the recorded UID of an object.
    pub fn uid(&self, object: &ObjectRef) -> Option<&str> {
        self.objects.get(object)?.as_deref()
    }

    /// Lists an object that is about to be created. A UID that was recorded before is forgotten, because
    /// the new object gets another one.
    pub fn announce(&mut self, object: &ObjectRef) {
        self.objects.insert(object.clone(), None);
    }

    /// Records the UID of an object.
    pub fn record(&mut self, object: &ObjectRef, uid: &str) {
        self.objects.insert(object.clone(), Some(uid.to_owned()));
    }

    /// Removes an object that is known to be gone or to be somebody else's.
    pub fn remove(&mut self, object: &ObjectRef) {
        self.objects.remove(object);
    }

    /// Returns the objects that are listed and no longer wanted.
    pub fn obsolete(&self, wanted: &[ObjectRef]) -> Vec<Entry> {
        let obsolete = self
            .entries()
            .filter(|entry| !wanted.contains(&entry.object));
        obsolete.collect()
    }

    /// Returns the kinds of the objects, each once, in order.
    pub fn kinds(&self) -> Vec<GroupKind> {
        let mut kinds: Vec<GroupKind> = self.objects.keys().map(|it| it.kind.clone()).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }

    /// Returns the namespaces of the objects, each once, in order.
    pub fn namespaces(&self) -> Vec<String> {
        let namespaces = self.objects.keys().filter_map(|it| it.namespace.clone());
        let mut namespaces: Vec<String> = namespaces.collect();
        namespaces.sort();
        namespaces.dedup();
        namespaces
    }
}

impl From<Vec<Entry>> for Inventory {
    fn from(entries: Vec<Entry>) -> Self {
        let objects = entries.into_iter().map(|entry| (entry.object, entry.uid));
        Self {
            objects: objects.collect(),
        }
    }
}

impl From<Inventory> for Vec<Entry> {
    fn from(inventory: Inventory) -> Self {
        inventory.entries().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(name: &str) -> ObjectRef {
        ObjectRef::namespaced("apps", "Deployment", "shop", name)
    }

    #[test]
    fn an_announced_object_loses_the_uid_of_its_predecessor() {
        let mut inventory = Inventory::default();
        inventory.record(&object("web"), "1");
        assert_eq!(inventory.uid(&object("web")), Some("1"));
        inventory.announce(&object("web"));
        assert_eq!(inventory.uid(&object("web")), None);
        assert!(inventory.contains(&object("web")));
    }

    #[test]
    fn kinds_and_namespaces_are_named_once() {
        let mut inventory = Inventory::default();
        inventory.announce(&object("web"));
        inventory.announce(&object("worker"));
        inventory.announce(&ObjectRef::cluster("", "Namespace", "shop"));
        assert_eq!(
            inventory.kinds(),
            [
                GroupKind::new("", "Namespace"),
                GroupKind::new("apps", "Deployment")
            ]
        );
        assert_eq!(inventory.namespaces(), ["shop"]);
    }

    #[test]
    fn an_inventory_is_a_list_of_objects() {
        let mut inventory = Inventory::default();
        inventory.announce(&ObjectRef::cluster("", "Namespace", "shop"));
        inventory.record(&object("web"), "1");
        assert_eq!(
            serde_json::to_string(&inventory).unwrap(),
            r#"[{"kind":"Namespace","name":"shop"},{"group":"apps","kind":"Deployment","namespace":"shop","name":"web","uid":"1"}]"#
        );
    }

    proptest! {
        #[test]
        fn an_inventory_survives_serialisation(
            objects in prop::collection::btree_map("[a-z]{1,3}", prop::option::of("[0-9]{1,3}"), 0..9)
        ) {
            let mut inventory = Inventory::default();
            for (name, uid) in &objects {
                match uid {
                    Some(uid) => inventory.record(&object(name), uid),
                    None => inventory.announce(&object(name)),
                }
            }
            let text = serde_json::to_string(&inventory).unwrap();
            prop_assert_eq!(serde_json::from_str::<Inventory>(&text).unwrap(), inventory);
        }

        #[test]
        fn what_is_wanted_is_never_obsolete_and_everything_else_is(
            listed in prop::collection::btree_set("[a-e]", 0..5),
            wanted in prop::collection::btree_set("[a-e]", 0..5),
        ) {
            let mut inventory = Inventory::default();
            for name in &listed {
                inventory.record(&object(name), "1");
            }
            let wanted_objects: Vec<ObjectRef> = wanted.iter().map(|name| object(name)).collect();
            let obsolete: Vec<String> =
                inventory.obsolete(&wanted_objects).into_iter().map(|it| it.object.name).collect();
            let expected: Vec<String> = listed.difference(&wanted).cloned().collect();
            prop_assert_eq!(obsolete, expected);
        }
    }
}
