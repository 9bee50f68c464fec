//! Deleting a set.

use http::Method;
use kubernetes_apply::apply_set::{DeleteError, DeleteOptions, KeepReason, NamespaceContent};
use kubernetes_apply::object::{Object, ObjectRef};
use serde_json::json;

use crate::environment::{Environment, PATIENCE, objects};

const CONFIG_MAP: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1'}}";

fn options() -> DeleteOptions {
    DeleteOptions {
        timeout: PATIENCE,
        ..DeleteOptions::default()
    }
}

/// A namespace with a deployment in it.
fn manifest(name: &str) -> String {
    format!(
        "
{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {name}}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: main, image: web}}]}}
"
    )
}

#[test]
fn a_set_is_deleted_with_its_namespace_and_its_inventory() {
    let environment = Environment::new();
    let name = format!("{}-inner", environment.namespace);
    environment.apply(&manifest(&name)).unwrap();
    let deleted = environment
        .run(environment.set().delete(&options()))
        .unwrap();
    assert_eq!(deleted.kept, []);
    assert_eq!(
        deleted.deleted,
        [
            ObjectRef::namespaced("apps", "Deployment", &name, "web"),
            ObjectRef::cluster("", "Namespace", &name)
        ]
    );
    let path = format!("/api/v1/namespaces/{name}");
    assert_eq!(environment.control_plane.get(&path).unwrap(), None);
    assert_eq!(environment.config_map("set"), None);
    // And once more: nothing is there, and nothing fails.
    let deleted = environment
        .run(environment.set().delete(&options()))
        .unwrap();
    assert_eq!(deleted.deleted, []);
}

#[test]
fn a_namespace_that_holds_objects_of_others_stays() {
    let environment = Environment::new();
    let name = format!("{}-inner", environment.namespace);
    environment.apply(&manifest(&name)).unwrap();
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}});
    let path = format!("/api/v1/namespaces/{name}/configmaps");
    environment
        .control_plane
        .api(Method::POST, &path, Some(&theirs))
        .unwrap();
    let deleted = environment
        .run(environment.set().delete(&options()))
        .unwrap();
    let [kept] = deleted.kept.as_slice() else {
        panic!("{deleted:?}")
    };
    assert_eq!(
        kept.reason,
        KeepReason::NamespaceInUse {
            count: 1,
            examples: vec![ObjectRef::namespaced("", "ConfigMap", &name, "theirs")]
        }
    );
    assert_eq!(environment.config_map("set"), None);
}

#[test]
fn a_namespace_goes_with_all_that_it_holds_where_that_is_wanted() {
    let environment = Environment::new();
    let name = format!("{}-inner", environment.namespace);
    environment.apply(&manifest(&name)).unwrap();
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}});
    let path = format!("/api/v1/namespaces/{name}/configmaps");
    environment
        .control_plane
        .api(Method::POST, &path, Some(&theirs))
        .unwrap();
    let options = DeleteOptions {
        namespaces: NamespaceContent::Delete,
        ..options()
    };
    let deleted = environment.run(environment.set().delete(&options)).unwrap();
    assert_eq!(deleted.kept, []);
}

#[test]
fn an_object_whose_label_somebody_removed_stays() {
    let environment = Environment::new();
    environment.apply(CONFIG_MAP).unwrap();
    environment.kubectl("label configmap a app.kubernetes.io/managed-by-");
    let deleted = environment
        .run(environment.set().delete(&options()))
        .unwrap();
    assert!(
        matches!(deleted.kept[0].reason, KeepReason::Foreign(_)),
        "{deleted:?}"
    );
    assert!(environment.config_map("a").is_some());
}

/// A definition of widgets.
fn definition(group: &str) -> String {
    format!(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  names: {{kind: Widget, plural: widgets}}
  scope: Cluster
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object}}}}
"
    )
}

#[test]
fn a_definition_goes_with_objects_of_its_kind_that_nobody_would_miss() {
    let environment = Environment::new();
    let group = format!("{}.example.com", environment.namespace);
    environment.apply(&definition(&group)).unwrap();
    let made = format!("{{apiVersion: {group}/v1, kind: Widget, metadata: {{name: default}}}}");
    environment.control_plane.apply(&made).unwrap();
    let options = DeleteOptions {
        namespaces: NamespaceContent::Keep {
            expendable: vec![ObjectRef::cluster(&group, "Widget", "default")],
        },
        ..options()
    };
    let deleted = environment.run(environment.set().delete(&options)).unwrap();
    assert_eq!(deleted.kept, []);
}

#[test]
fn a_definition_stays_while_there_are_objects_of_others_of_its_kind() {
    let environment = Environment::new();
    let group = format!("{}.example.com", environment.namespace);
    environment.apply(&definition(&group)).unwrap();
    let theirs = format!("{{apiVersion: {group}/v1, kind: Widget, metadata: {{name: theirs}}}}");
    environment.control_plane.apply(&theirs).unwrap();
    let others = environment
        .run(environment.set().custom_resources_of_others(|_| false))
        .unwrap();
    assert_eq!(others, [ObjectRef::cluster(&group, "Widget", "theirs")]);
    let is_theirs = |object: &Object| object.reference().name == "theirs";
    let others = environment
        .run(environment.set().custom_resources_of_others(is_theirs))
        .unwrap();
    assert_eq!(others, []);
    let deleted = environment
        .run(environment.set().delete(&options()))
        .unwrap();
    let [kept] = deleted.kept.as_slice() else {
        panic!("{deleted:?}")
    };
    assert_eq!(
        kept.to_string(),
        format!(
            "CustomResourceDefinition widgets.{group} stays: 1 objects of its kind exist and would be deleted \
             with it, such as Widget.{group} theirs"
        )
    );
}

#[test]
fn what_belongs_to_another_object_counts_as_that_one() {
    let environment = Environment::new();
    let group = format!("{}.example.com", environment.namespace);
    environment.apply(&definition(&group)).unwrap();
    let cluster = environment.control_plane;
    let uid = |kind: &str, path: &str, name: &str| {
        let found = cluster.get(&format!("{path}/{name}")).unwrap().unwrap();
        let uid = found["metadata"]["uid"].as_str().unwrap().to_owned();
        let version = found["apiVersion"].as_str().unwrap().to_owned();
        format!("[{{apiVersion: {version}, kind: {kind}, name: {name}, uid: {uid}}}]")
    };
    let widget = |name: &str, owners: &str| {
        let metadata = format!("{{name: {name}, ownerReferences: {owners}}}");
        let widget = format!("{{apiVersion: {group}/v1, kind: Widget, metadata: {metadata}}}");
        cluster.apply(&widget).unwrap();
    };
    widget("theirs", "[]");
    let widgets = format!("/apis/{group}/v1/widgets");
    widget("of-theirs", &uid("Widget", &widgets, "theirs"));
    for (name, labels) in [("ours", "{ours: 'true'}"), ("unknown", "{}")] {
        let name = format!("{}-{name}", environment.namespace);
        let role = format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: {name}, labels: {labels}}}}}"
        );
        cluster.apply(&role).unwrap();
        let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
        widget(&format!("of-{name}"), &uid("ClusterRole", roles, &name));
    }
    let is_own = |object: &Object| object.label("ours").is_some();
    let others = environment
        .run(environment.set().custom_resources_of_others(is_own))
        .unwrap();
    let unknown = format!("of-{}-unknown", environment.namespace);
    let expected =
        [unknown.as_str(), "theirs"].map(|name| ObjectRef::cluster(&group, "Widget", name));
    assert_eq!(others, expected);
}

#[test]
fn an_object_that_does_not_go_is_reported_with_its_finalizers() {
    let environment = Environment::new();
    let manifest = "
apiVersion: v1
kind: ConfigMap
metadata: {name: held, finalizers: [example.com/held]}
";
    environment.apply(manifest).unwrap();
    let short = DeleteOptions {
        timeout: std::time::Duration::from_millis(200),
        ..DeleteOptions::default()
    };
    let error = environment
        .run(environment.set().delete(&short))
        .unwrap_err();
    assert!(matches!(error, DeleteError::NotGone(_)));
    assert!(
        error
            .to_string()
            .contains("its finalizers wait for their owners: example.com/held"),
        "{error}"
    );
    // It is still in the inventory, and the next attempt ends it.
    environment
        .kubectl("patch configmap held --type=merge -p {\"metadata\":{\"finalizers\":null}}");
    let deleted = environment
        .run(environment.set().delete(&options()))
        .unwrap();
    assert_eq!(
        deleted.deleted,
        [environment.object("", "ConfigMap", "held")]
    );
}

#[test]
fn an_apply_waits_for_an_object_that_is_being_deleted_and_makes_it_again() {
    let environment = Environment::new();
    let name = format!("{}-inner", environment.namespace);
    let namespace = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}");
    environment.apply(&namespace).unwrap();
    let path = format!("/api/v1/namespaces/{name}");
    let before = environment.control_plane.get(&path).unwrap().unwrap();
    environment
        .control_plane
        .api(Method::DELETE, &path, None)
        .unwrap();
    environment.apply(&namespace).unwrap();
    let after = environment.control_plane.get(&path).unwrap().unwrap();
    assert_ne!(before["metadata"]["uid"], after["metadata"]["uid"]);
    assert_eq!(after["status"]["phase"], "Active");
}

#[test]
fn what_a_killed_run_left_behind_is_found_by_its_label() {
    let environment = Environment::new();
    environment.apply(CONFIG_MAP).unwrap();
    // As if the run had been killed after the creation, before the UID was recorded.
    let mut parent = environment.config_map("set").unwrap();
    let entries = json!([{"kind": "ConfigMap", "namespace": environment.namespace, "name": "a"}]);
    parent["data"]["inventory"] = entries.to_string().into();
    let path = environment.path("/api/v1", "configmaps/set");
    environment
        .control_plane
        .api(Method::PUT, &path, Some(&parent))
        .unwrap();
    let deleted = environment
        .run(environment.set().delete(&options()))
        .unwrap();
    assert_eq!(deleted.deleted, [environment.object("", "ConfigMap", "a")]);
}

#[test]
fn a_damaged_inventory_stops_everything() {
    let environment = Environment::new();
    environment.apply(CONFIG_MAP).unwrap();
    environment.kubectl("patch configmap set --type=merge -p {\"data\":{\"inventory\":\"[\"}}");
    let error = environment
        .run(environment.set().delete(&options()))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("holds no inventory that can be read"),
        "{error}"
    );
    assert!(
        environment
            .run(
                environment
                    .set()
                    .apply(objects(CONFIG_MAP), &environment.options())
            )
            .is_err()
    );
    assert!(environment.config_map("a").is_some());
}

#[test]
fn a_namespace_that_does_not_go_says_what_holds_it() {
    let environment = Environment::new();
    let name = format!("{}-inner", environment.namespace);
    environment
        .apply(&format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}"
        ))
        .unwrap();
    let held = json!({"apiVersion": "v1", "kind": "ConfigMap",
                      "metadata": {"name": "held", "finalizers": ["example.com/held"]}});
    let path = format!("/api/v1/namespaces/{name}/configmaps");
    environment
        .control_plane
        .api(Method::POST, &path, Some(&held))
        .unwrap();
    let options = DeleteOptions {
        timeout: std::time::Duration::from_millis(500),
        namespaces: NamespaceContent::Delete,
    };
    // Until its controller has looked, the namespace says nothing.
    let shown = loop {
        let error = environment
            .run(environment.set().delete(&options))
            .unwrap_err();
        let shown = error.to_string();
        if shown.contains("NamespaceFinalizersRemaining") {
            break shown;
        }
    };
    assert!(shown.contains(&format!("\nNamespace {name}: ")), "{shown}");
    assert!(
        shown.contains("example.com/held in 1 resource instances"),
        "{shown}"
    );
    let release = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held"}});
    let path = format!("{path}/held");
    environment
        .control_plane
        .api(Method::PUT, &path, Some(&release))
        .unwrap();
    environment
        .run(environment.set().delete(&options_with_patience()))
        .unwrap();
}

fn options_with_patience() -> DeleteOptions {
    DeleteOptions {
        namespaces: NamespaceContent::Delete,
        ..options()
    }
}
