//! Comparing what would be applied with what is there.

use serde_json::{Map, Value};

use super::owned::{ListKind, Owned};
use super::{Difference, DifferenceKind};
use crate::object::Object;
use crate::ownership::FieldManager;

/// Fields of `metadata` that the server or every writer changes.
const VOLATILE_METADATA: [&str; 5] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "uid",
];

/// Returns the fields in which an object seems to differ from what would be applied.
///
/// `desired` is what would be applied, `live` the object as the server has it. No difference is certain;
/// each one is to be [confirmed](confirm).
pub fn suspect(desired: &Object, live: &Object, manager: &FieldManager) -> Vec<Difference> {
    let api_version = desired.kind().api_version.to_string();
    let mut comparison = Comparison::default();
    match Owned::read(live, manager, &api_version) {
        Some(owned) => comparison.object(desired.json(), live.json(), owned),
        None => comparison.add("", DifferenceKind::NotOwned),
    }
    comparison.differences.sort();
    comparison.differences
}

/// Returns the differences that applying would undo.
///
/// `dry_run` is the server's answer to an apply of `desired` as a dry run.
pub fn confirm(
    desired: &Object,
    live: &Object,
    dry_run: &Object,
    manager: &FieldManager,
) -> Vec<Difference> {
    let mut changes = Comparison::default();
    let comparable = |object: &Object| {
        let mut json = object.json().clone();
        if let Some(object) = json.as_object_mut() {
            object.remove("status");
        }
        if let Some(metadata) = json.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in VOLATILE_METADATA {
                metadata.remove(field);
            }
        }
        json
    };
    changes.changes("", &comparable(dry_run), Some(&comparable(live)));
    let suspected = suspect(desired, live, manager);
    let remaining = suspect(desired, dry_run, manager);
    // Others may have changed the object between the two looks at it.
    changes.differences.retain(|change| {
        let mut suspected = suspected.iter();
        suspected.any(|suspicion| is_related(&suspicion.pointer, &change.pointer))
    });
    let regained = suspected.into_iter().filter(|difference| {
        difference.kind == DifferenceKind::NotOwned && !remaining.contains(difference)
    });
    let mut differences = changes.differences;
    differences.extend(regained);
    differences.sort();
    differences.dedup_by(|later, earlier| later.pointer == earlier.pointer);
    differences
}

#[derive(Default)]
struct Comparison {
    differences: Vec<Difference>,
}

impl Comparison {
    fn add(&mut self, pointer: &str, kind: DifferenceKind) {
        self.differences.push(Difference {
            pointer: pointer.to_owned(),
            kind,
        });
    }

    /// Compares the content of an object: all but its kind and name.
    fn object(&mut self, desired: &Value, live: &Value, owned: Owned<'_>) {
        let content = |json: &Value| {
            let mut content = json.as_object().cloned().unwrap_or_default();
            content.remove("apiVersion");
            content.remove("kind");
            if let Some(metadata) = content.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("name");
                metadata.remove("namespace");
                metadata.remove("uid");
                if metadata.is_empty() {
                    content.remove("metadata");
                }
            }
            content
        };
        self.fields("", &content(desired), &content(live), owned);
    }

    fn fields(
        &mut self,
        pointer: &str,
        desired: &Map<String, Value>,
        live: &Map<String, Value>,
        owned: Owned<'_>,
    ) {
        for (name, desired) in desired {
            let pointer = child(pointer, name);
            self.value(&pointer, desired, live.get(name), owned.field(name));
        }
        for name in owned.field_names() {
            let is_wanted = desired.get(name).is_some_and(|desired| !desired.is_null());
            if !is_wanted && live.contains_key(name) {
                self.add(&child(pointer, name), DifferenceKind::Surplus);
            }
        }
    }

    fn value(&mut self, pointer: &str, desired: &Value, live: Option<&Value>, owned: Owned<'_>) {
        let live = match (desired, live) {
            // What is null is not applied.
            (Value::Null, _) => return,
            (_, None | Some(Value::Null)) => {
                self.add(pointer, DifferenceKind::Missing);
                return;
            }
            (_, Some(live)) => live,
        };
        match (desired, live) {
            (Value::Object(desired), Value::Object(live)) if !desired.is_empty() => {
                self.fields(pointer, desired, live, owned);
            }
            (Value::Array(desired), Value::Array(live)) => {
                self.list(pointer, desired, live, owned);
            }
            _ if !covers(live, desired) => self.add(pointer, DifferenceKind::Changed),
            _ if matches!(owned, Owned::Nothing) => self.add(pointer, DifferenceKind::NotOwned),
            _ => {}
        }
    }

    fn list(&mut self, pointer: &str, desired: &[Value], live: &[Value], owned: Owned<'_>) {
        match owned.list_kind() {
            ListKind::Atomic if !covers_list(live, desired) => {
                self.add(pointer, DifferenceKind::Changed);
            }
            ListKind::Atomic if matches!(owned, Owned::Nothing) => {
                self.add(pointer, DifferenceKind::NotOwned);
            }
            ListKind::Atomic => {}
            ListKind::ByKeys(keys) => {
                for (index, desired) in desired.iter().enumerate() {
                    let pointer = child(pointer, &index.to_string());
                    let live = live.iter().find(|live| is_same(desired, live, &keys));
                    let owned = owned.element(live.unwrap_or(desired));
                    self.value(&pointer, desired, live, owned);
                }
                for keys in owned.element_keys() {
                    let has = |element: &&Value| {
                        keys.iter()
                            .all(|(key, value)| element.get(key) == Some(value))
                    };
                    let names: Vec<String> = keys.keys().cloned().collect();
                    let is_surplus = live.iter().find(has).is_some_and(|live| {
                        !desired.iter().any(|desired| is_same(desired, live, &names))
                    });
                    if is_surplus {
                        self.add(pointer, DifferenceKind::Surplus);
                    }
                }
            }
            ListKind::Set => {
                for (index, desired) in desired.iter().enumerate() {
                    let live = live.contains(desired).then_some(desired);
                    let pointer = child(pointer, &index.to_string());
                    self.value(&pointer, desired, live, owned.set_element(desired));
                }
                let mut surplus = owned.set_elements();
                if surplus.any(|element| live.contains(&element) && !desired.contains(&element)) {
                    self.add(pointer, DifferenceKind::Surplus);
                }
            }
        }
    }

    /// Compares two states of an object field by field.
    fn changes(&mut self, pointer: &str, wanted: &Value, live: Option<&Value>) {
        match (wanted, live) {
            (Value::Object(wanted), Some(Value::Object(live))) => {
                for (name, wanted) in wanted {
                    self.changes(&child(pointer, name), wanted, live.get(name));
                }
                for name in live.keys().filter(|name| !wanted.contains_key(*name)) {
                    self.add(&child(pointer, name), DifferenceKind::Surplus);
                }
            }
            (Value::Array(wanted), Some(Value::Array(live))) if wanted.len() == live.len() => {
                for (index, (wanted, live)) in wanted.iter().zip(live).enumerate() {
                    self.changes(&child(pointer, &index.to_string()), wanted, Some(live));
                }
            }
            (_, None) => self.add(pointer, DifferenceKind::Missing),
            (wanted, Some(live)) if wanted != live => self.add(pointer, DifferenceKind::Changed),
            _ => {}
        }
    }
}

/// Whether two elements of a list are the same one. A key that the desired one lacks has its default.
fn is_same(desired: &Value, live: &Value, keys: &[String]) -> bool {
    let mut keys = keys.iter();
    keys.all(|key| {
        desired
            .get(key)
            .is_none_or(|desired| live.get(key) == Some(desired))
    })
}

/// Whether a value holds all of another. Objects may hold more, which the server has added.
fn covers(live: &Value, desired: &Value) -> bool {
    match (live, desired) {
        (_, Value::Null) => true,
        (Value::Object(live), Value::Object(desired)) => desired.iter().all(|(name, desired)| {
            let live = live.get(name);
            desired.is_null() || live.is_some_and(|live| covers(live, desired))
        }),
        (Value::Array(live), Value::Array(desired)) => covers_list(live, desired),
        (Value::Number(live), Value::Number(desired)) => live.as_f64() == desired.as_f64(),
        (live, desired) => live == desired,
    }
}

fn covers_list(live: &[Value], desired: &[Value]) -> bool {
    let mut pairs = live.iter().zip(desired);
    live.len() == desired.len() && pairs.all(|(live, desired)| covers(live, desired))
}

/// Whether one of two pointers leads to the other's field or into it. The elements of a list may be in another
/// order, so all of them count as one.
fn is_related(one: &str, other: &str) -> bool {
    let mut segments = one.split('/').zip(other.split('/'));
    segments.all(|(one, other)| {
        let is_index = |segment: &str| segment.bytes().all(|byte| byte.is_ascii_digit());
        one == other || (is_index(one) && is_index(other))
    })
}

fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn manager() -> FieldManager {
        FieldManager::new("tool").unwrap()
    }

    fn object(content: &Value) -> Object {
        let mut json =
            json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}});
        for (field, value) in content.as_object().unwrap() {
            json[field] = value.clone();
        }
        Object::new(json).unwrap()
    }

    /// Returns what the server records for an apply. Lists of objects with names are told apart by them,
    /// lists of texts are sets.
    fn fields_of(value: &Value) -> Value {
        let mut fields = Map::new();
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    fields.insert(format!("f:{name}"), fields_of(value));
                }
            }
            Value::Array(list) => {
                for element in list {
                    match element.get("name") {
                        Some(name) => {
                            let mut parts = fields_of(element);
                            parts["."] = json!({});
                            fields.insert(format!("k:{{\"name\":{name}}}"), parts);
                        }
                        None if element.is_string() => {
                            fields.insert(format!("v:{element}"), json!({}));
                        }
                        None => {}
                    }
                }
            }
            _ => {}
        }
        fields.into()
    }

    /// Returns the object after an apply of `content`, with what the server adds.
    fn applied(content: &Value, added: &Value) -> Object {
        let mut live = content.clone();
        merge(&mut live, added);
        live["metadata"] = json!({"name": "a", "uid": "1", "managedFields": [
            {"manager": "other", "operation": "Update", "apiVersion": "example.com/v1", "fieldsV1": {}},
            {"manager": "tool", "operation": "Apply", "apiVersion": "example.com/v1",
             "fieldsV1": fields_of(content)}
        ]});
        live["status"] = json!({"phase": "Ready"});
        object(&live)
    }

    fn merge(live: &mut Value, added: &Value) {
        match (live, added) {
            (Value::Object(live), Value::Object(added)) => {
                for (name, added) in added {
                    merge(live.entry(name).or_insert(Value::Null), added);
                }
            }
            (live, added) => *live = added.clone(),
        }
    }

    fn suspected(content: &Value, live: &Object) -> Vec<String> {
        let differences = suspect(&object(content), live, &manager());
        differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_server_adds_is_no_difference() {
        let content = json!({"spec": {"replicas": 1, "ports": [{"name": "http", "port": 80}],
                                      "args": ["a"], "empty": {}}});
        let mut live = applied(&content, &json!({"spec": {"strategy": "Rolling"}})).into_json();
        live["spec"]["ports"][0]["protocol"] = "TCP".into();
        live["spec"]["ports"]
            .as_array_mut()
            .unwrap()
            .insert(0, json!({"name": "admin", "port": 1}));
        assert_eq!(suspected(&content, &Object::new(live).unwrap()), [""; 0]);
    }

    #[test]
    fn a_change_a_loss_and_a_takeover_are_told_apart() {
        let content = json!({"spec": {"a": 1, "b": 2, "c": 3, "list": [{"name": "x", "v": 1}]}});
        let mut live = applied(&content, &json!({})).into_json();
        live["spec"]["a"] = 5.into();
        live["spec"].as_object_mut().unwrap().remove("b");
        live["spec"]["list"][0]["v"] = 2.into();
        let fields = &mut live["metadata"]["managedFields"][1]["fieldsV1"]["f:spec"];
        fields.as_object_mut().unwrap().remove("f:c");
        assert_eq!(
            suspected(&content, &Object::new(live).unwrap()),
            [
                "/spec/a has changed",
                "/spec/b is missing",
                "/spec/c is owned by another field manager",
                "/spec/list/0/v has changed"
            ]
        );
    }

    #[test]
    fn what_is_no_longer_applied_is_surplus() {
        let before = json!({"spec": {"a": 1, "b": 2, "list": [{"name": "x"}, {"name": "y"}],
                                     "set": ["p", "q"]}});
        let after = json!({"spec": {"a": 1, "list": [{"name": "y"}], "set": ["q"]}});
        assert_eq!(
            suspected(&after, &applied(&before, &json!({}))),
            [
                "/spec/b is no longer wanted",
                "/spec/list is no longer wanted",
                "/spec/set is no longer wanted"
            ]
        );
    }

    #[test]
    fn an_object_that_was_never_applied_is_not_owned() {
        let content = json!({"spec": {"a": 1}});
        assert_eq!(
            suspected(&content, &object(&content)),
            ["the object is owned by another field manager"]
        );
    }

    #[test]
    fn a_list_that_is_one_value_is_compared_in_order() {
        let content = json!({"spec": {"subjects": [{"kind": "Group"}, {"kind": "User"}]}});
        let live = applied(&content, &json!({}));
        assert_eq!(suspected(&content, &live), [""; 0]);
        let mut swapped = live.into_json();
        swapped["spec"]["subjects"]
            .as_array_mut()
            .unwrap()
            .reverse();
        assert_eq!(
            suspected(&content, &Object::new(swapped).unwrap()),
            ["/spec/subjects has changed"]
        );
    }

    #[test]
    fn a_value_that_the_server_stores_in_another_form_is_not_confirmed() {
        let content = json!({"spec": {"cpu": "1000m"}});
        let live = applied(&content, &json!({"spec": {"cpu": "1"}}));
        assert_eq!(suspected(&content, &live), ["/spec/cpu has changed"]);
        assert_eq!(confirm(&object(&content), &live, &live, &manager()), []);

        let changed = applied(&content, &json!({"spec": {"cpu": "2"}}));
        let confirmed = confirm(&object(&content), &changed, &live, &manager());
        assert_eq!(confirmed.len(), 1);
        assert_eq!(confirmed[0].to_string(), "/spec/cpu has changed");
    }

    #[test]
    fn what_others_change_between_list_and_dry_run_is_no_difference() {
        let content = json!({"spec": {"cpu": "1000m"}});
        let live = applied(&content, &json!({"spec": {"cpu": "1"}}));
        let mut dry_run = live.clone().into_json();
        dry_run["metadata"]["annotations"] = json!({"revision": "1"});
        dry_run["spec"]["added"] = true.into();
        let dry_run = Object::new(dry_run).unwrap();
        assert_eq!(confirm(&object(&content), &live, &dry_run, &manager()), []);
    }

    #[test]
    fn ownership_that_an_apply_regains_is_confirmed() {
        let content = json!({"spec": {"a": 1}});
        let dry_run = applied(&content, &json!({}));
        let mut live = dry_run.clone().into_json();
        live["metadata"]["managedFields"][1]["fieldsV1"] = json!({"f:spec": {".": {}}});
        let confirmed = confirm(
            &object(&content),
            &Object::new(live).unwrap(),
            &dry_run,
            &manager(),
        );
        assert_eq!(
            confirmed[0].to_string(),
            "/spec/a is owned by another field manager"
        );
        assert_eq!(confirmed.len(), 1);
    }

    fn leaf() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..9i64).prop_map(Value::from),
            "[a-z]{1,3}".prop_map(Value::from),
        ]
    }

    fn content() -> impl Strategy<Value = Value> {
        let named = |value: BoxedStrategy<Value>| {
            prop::collection::btree_map("[a-d]", value, 1..3).prop_map(|elements| {
                let elements = elements.into_iter();
                let elements = elements.map(|(name, value)| json!({"name": name, "value": value}));
                Value::Array(elements.collect())
            })
        };
        let tree = leaf().prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::btree_map("[a-f/~]{1,2}", inner.clone(), 1..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
                prop::collection::btree_set("[a-d]", 1..3)
                    .prop_map(|set| Value::Array(set.into_iter().map(Value::from).collect())),
                named(inner.boxed()),
            ]
        });
        prop::collection::btree_map("[a-f]", tree, 1..4)
            .prop_map(|spec| json!({"spec": Value::Object(spec.into_iter().collect())}))
    }

    /// Returns the pointers of all scalars that are not in a set and no name of an element.
    fn leaves(pointer: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, value) in map.iter().filter(|(name, _)| *name != "name") {
                    leaves(&child(pointer, name), value, found);
                }
            }
            Value::Array(list) => {
                for (index, element) in list.iter().enumerate().filter(|(_, it)| it.is_object()) {
                    leaves(&child(pointer, &index.to_string()), element, found);
                }
            }
            _ => found.push(pointer.to_owned()),
        }
    }

    proptest! {
        #[test]
        fn nothing_differs_right_after_an_apply(content in content()) {
            prop_assert_eq!(suspected(&content, &applied(&content, &json!({}))), [""; 0]);
        }

        #[test]
        fn one_changed_field_is_one_difference(content in content(), pick in any::<prop::sample::Index>()) {
            let mut pointers = Vec::new();
            leaves("", &content, &mut pointers);
            prop_assume!(!pointers.is_empty());
            let pointer = pick.get(&pointers);
            let original = applied(&content, &json!({}));
            let mut live = original.clone().into_json();
            *live.pointer_mut(pointer).unwrap() = json!("changed");
            let live = Object::new(live).unwrap();
            let expected = vec![Difference { pointer: pointer.clone(), kind: DifferenceKind::Changed }];
            prop_assert_eq!(&suspect(&object(&content), &live, &manager()), &expected);
            prop_assert_eq!(&confirm(&object(&content), &live, &original, &manager()), &expected);
        }
    }
}
