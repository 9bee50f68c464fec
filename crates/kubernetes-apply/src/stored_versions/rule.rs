//! Which stored versions an update of a definition would drop, and by which steps they can go.

use serde_json::{Value, json};

use crate::object::Object;

/// Versions that a definition is about to lose while the server may have objects stored in them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VersionChange {
    /// The stored versions that the new definition does not have.
    pub dropped: Vec<String>,
    /// The version in which the new definition stores objects.
    pub target: String,
}

/// Returns what an update of a definition drops; `None` if the server would accept it as it is.
pub fn version_change(live: &Object, wanted: &Object) -> Option<VersionChange> {
    let kept: Vec<&str> = names(wanted).collect();
    let stored = live
        .list("/status/storedVersions")
        .iter()
        .filter_map(Value::as_str);
    let dropped: Vec<String> = stored
        .filter(|stored| !kept.contains(stored))
        .map(str::to_owned)
        .collect();
    if dropped.is_empty() {
        return None;
    }
    Some(VersionChange {
        dropped,
        target: storage_version(wanted)?.to_owned(),
    })
}

/// Returns the definition by which the server stores objects in the target version and still serves the old
/// ones; `None` if the definition that is there does that.
///
/// It is the present definition with another storage version, which comes from the new definition if the
/// present one lacks it.
pub fn intermediate(live: &Object, wanted: &Object, change: &VersionChange) -> Option<Object> {
    let target = change.target.as_str();
    if storage_version(live) == Some(target) {
        return None;
    }
    let is_target = |version: &&Value| name(version) == Some(target);
    let mut versions: Vec<Value> = live.list("/spec/versions").to_vec();
    if !versions.iter().any(|version| is_target(&version)) {
        versions.extend(
            wanted
                .list("/spec/versions")
                .iter()
                .find(is_target)
                .cloned(),
        );
    }
    for version in &mut versions {
        let stores = name(version) == Some(target);
        if let Some(version) = version.as_object_mut() {
            version.insert("storage".to_owned(), stores.into());
            if stores {
                version.insert("served".to_owned(), true.into());
            }
        }
    }
    let mut spec = live.get("/spec")?.clone();
    spec.as_object_mut()?
        .insert("versions".to_owned(), versions.into());
    let mut metadata = json!({"name": live.reference().name});
    if let Some(labels) = wanted.get("/metadata/labels") {
        metadata
            .as_object_mut()?
            .insert("labels".to_owned(), labels.clone());
    }
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": spec,
    });
    Object::new(definition).ok()
}

/// Makes the managers of an object own their fields in the target version.
///
/// The server cannot convert what was recorded in a version that is gone, and refuses every later apply.
pub(super) fn rename_managed_versions(object: &mut Object, change: &VersionChange) {
    let entries = object.json_mut().pointer_mut("/metadata/managedFields");
    let entries = entries.and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        let recorded = entry.get("apiVersion").and_then(Value::as_str);
        let Some((group, version)) = recorded.and_then(|recorded| recorded.split_once('/')) else {
            continue;
        };
        if change.dropped.iter().any(|dropped| dropped == version) {
            let renamed = format!("{group}/{}", change.target);
            if let Some(entry) = entry.as_object_mut() {
                entry.insert("apiVersion".to_owned(), renamed.into());
            }
        }
    }
}

fn name(version: &Value) -> Option<&str> {
    version.get("name")?.as_str()
}

fn names(definition: &Object) -> impl Iterator<Item = &str> {
    definition.list("/spec/versions").iter().filter_map(name)
}

fn storage_version(definition: &Object) -> Option<&str> {
    let stores = |version: &&Value| version.get("storage").and_then(Value::as_bool) == Some(true);
    name(definition.list("/spec/versions").iter().find(stores)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn definition(versions: &[&str], storage: &str, stored: &[&str]) -> Object {
        let versions: Vec<Value> = versions
            .iter()
            .map(|name| json!({"name": name, "served": true, "storage": *name == storage, "schema": {}}))
            .collect();
        Object::new(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com", "labels": {"managed-by": "tool"}},
            "spec": {"group": "example.com", "versions": versions, "conversion": {"strategy": "None"}},
            "status": {"storedVersions": stored}
        }))
        .unwrap()
    }

    #[test]
    fn nothing_is_to_be_done_while_all_stored_versions_stay() {
        let live = definition(&["v1alpha1", "v1beta1"], "v1beta1", &["v1beta1"]);
        let wanted = definition(&["v1beta1", "v1"], "v1", &[]);
        assert_eq!(version_change(&live, &wanted), None);
    }

    #[test]
    fn a_stored_version_that_goes_is_dropped_in_favour_of_the_new_storage_version() {
        let live = definition(
            &["v1alpha1", "v1beta1"],
            "v1beta1",
            &["v1alpha1", "v1beta1"],
        );
        let wanted = definition(&["v1beta1", "v1"], "v1", &[]);
        let change = version_change(&live, &wanted).unwrap();
        assert_eq!(
            change,
            VersionChange {
                dropped: vec!["v1alpha1".to_owned()],
                target: "v1".to_owned()
            }
        );
        let intermediate = intermediate(&live, &wanted, &change).unwrap();
        let versions = intermediate.list("/spec/versions");
        let shown: Vec<_> = versions
            .iter()
            .map(|it| (name(it).unwrap(), &it["storage"]))
            .collect();
        assert_eq!(
            shown,
            [
                ("v1alpha1", &json!(false)),
                ("v1beta1", &json!(false)),
                ("v1", &json!(true))
            ]
        );
        assert_eq!(intermediate.text("/spec/conversion/strategy"), Some("None"));
        assert_eq!(intermediate.label("managed-by"), Some("tool"));
    }

    #[test]
    fn a_definition_that_stores_the_target_needs_no_intermediate_one() {
        let live = definition(&["v1alpha1", "v1"], "v1", &["v1alpha1", "v1"]);
        let wanted = definition(&["v1"], "v1", &[]);
        let change = version_change(&live, &wanted).unwrap();
        assert_eq!(intermediate(&live, &wanted, &change), None);
    }

    #[test]
    fn managers_own_their_fields_in_a_version_that_stays() {
        let mut object = Object::new(json!({
            "apiVersion": "example.com/v1", "kind": "Widget",
            "metadata": {"name": "a", "managedFields": [
                {"manager": "a", "apiVersion": "example.com/v1alpha1"},
                {"manager": "b", "apiVersion": "example.com/v1beta1"}
            ]}
        }))
        .unwrap();
        let change = VersionChange {
            dropped: vec!["v1alpha1".to_owned()],
            target: "v1".to_owned(),
        };
        rename_managed_versions(&mut object, &change);
        let versions: Vec<_> = object
            .list("/metadata/managedFields")
            .iter()
            .map(|entry| entry["apiVersion"].as_str().unwrap())
            .collect();
        assert_eq!(versions, ["example.com/v1", "example.com/v1beta1"]);
    }

    const VERSIONS: [&str; 4] = ["v1alpha1", "v1alpha2", "v1beta1", "v1"];

    fn some_versions() -> impl Strategy<Value = (Vec<&'static str>, &'static str)> {
        prop::sample::subsequence(VERSIONS.to_vec(), 1..=4)
            .prop_flat_map(|versions| (Just(versions.clone()), prop::sample::select(versions)))
    }

    proptest! {
        #[test]
        fn an_intermediate_definition_drops_no_version_and_stores_the_target(
            (live_versions, live_storage) in some_versions(),
            (wanted_versions, wanted_storage) in some_versions(),
        ) {
            let live = definition(&live_versions, live_storage, &live_versions);
            let wanted = definition(&wanted_versions, wanted_storage, &[]);
            if let Some(change) = version_change(&live, &wanted) {
                let next = intermediate(&live, &wanted, &change).unwrap_or_else(|| live.clone());
                prop_assert!(live_versions.iter().all(|version| names(&next).any(|name| name == *version)));
                prop_assert_eq!(storage_version(&next), Some(wanted_storage));
                let storing = next.list("/spec/versions").iter().filter(|it| it["storage"] == json!(true));
                prop_assert_eq!(storing.count(), 1);
            } else {
                prop_assert!(live_versions.iter().all(|version| wanted_versions.contains(version)));
            }
        }
    }
}
