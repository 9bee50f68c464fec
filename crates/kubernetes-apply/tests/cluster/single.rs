//! Objects that belong to no set.

use kubernetes_apply::live_objects::LiveObjects;
use kubernetes_apply::object::Kind;
use kubernetes_apply::ownership::{Adoption, FieldManager, Owner};
use kubernetes_apply::single::DeleteObjectFailure;
use serde_json::json;

use crate::environment::{Environment, PATIENCE, objects};

fn manager(environment: &Environment, name: &str) -> Owner {
    Owner {
        field_manager: FieldManager::new(name).unwrap(),
        ..environment.owner.clone()
    }
}

fn apply(environment: &Environment, owner: &Owner, data: &str) {
    let manifest = format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: shared, namespace: {}}}, data: {data}}}",
        environment.namespace
    );
    let object = &objects(&manifest)[0];
    environment
        .run(environment.cluster.apply(object, owner, &Adoption::Never))
        .unwrap();
}

#[test]
fn each_manager_adds_and_removes_its_own_keys() {
    let environment = Environment::new();
    let (one, two) = (manager(&environment, "one"), manager(&environment, "two"));
    apply(&environment, &one, "{a: '1'}");
    apply(&environment, &two, "{b: '2'}");
    assert_eq!(
        environment.config_map("shared").unwrap()["data"],
        json!({"a": "1", "b": "2"})
    );
    apply(&environment, &one, "{}");
    assert_eq!(
        environment.config_map("shared").unwrap()["data"],
        json!({"b": "2"})
    );
}

#[test]
fn an_object_is_deleted_only_under_its_uid_and_label() {
    let environment = Environment::new();
    let owner = &environment.owner;
    apply(&environment, owner, "{a: '1'}");
    let object = environment.object("", "ConfigMap", "shared");
    let delete = |uid: &str| {
        let deletion = environment
            .cluster
            .delete_own(&object, uid, owner, PATIENCE);
        environment.run(deletion).map_err(|error| error.reason)
    };
    let live = environment.config_map("shared").unwrap();
    let uid = live["metadata"]["uid"].as_str().unwrap();
    let error = delete("other").unwrap_err();
    assert!(
        matches!(error, DeleteObjectFailure::Foreign(_)),
        "{error:?}"
    );
    environment.kubectl("label configmap shared app.kubernetes.io/managed-by-");
    let error = delete(uid).unwrap_err();
    assert!(
        matches!(error, DeleteObjectFailure::Foreign(_)),
        "{error:?}"
    );
    environment.kubectl("label configmap shared app.kubernetes.io/managed-by=test-tool");
    delete(uid).unwrap();
    delete(uid).unwrap();
    assert_eq!(environment.config_map("shared"), None);
}

#[test]
fn a_list_that_is_one_value_is_changed_in_place() {
    let environment = Environment::new();
    environment.create_config_map("a", json!({}), &json!({"list": "theirs"}));
    let kind = Kind::new("v1", "ConfigMap");
    let modify = |name: &str| {
        environment.run(environment.cluster.modify(
            &kind,
            Some(&environment.namespace),
            name,
            &environment.owner.field_manager,
            |object| object["data"]["list"] = "theirs,ours".into(),
        ))
    };
    assert!(modify("a").unwrap().is_some());
    assert_eq!(
        environment.config_map("a").unwrap()["data"]["list"],
        "theirs,ours"
    );
    assert!(modify("none").unwrap().is_none());
}

#[test]
fn an_object_is_replaced_only_as_it_was_read() {
    let environment = Environment::new();
    let owner = &environment.owner;
    apply(&environment, owner, "{a: '1'}");
    let kind = Kind::new("v1", "ConfigMap");
    let read = environment.run(environment.cluster.find(
        &kind,
        Some(&environment.namespace),
        "shared",
        kubernetes_apply::cluster::Detail::Full,
    ));
    let read = read.unwrap().unwrap();
    apply(&environment, owner, "{a: '2'}");
    let error = environment
        .run(
            environment
                .cluster
                .replace_read(&read, &owner.field_manager),
        )
        .unwrap_err();
    assert!(error.is_conflict(), "{error}");
}

#[test]
fn a_shared_object_is_compared_by_the_fields_of_one_manager() {
    let environment = Environment::new();
    let (one, two) = (manager(&environment, "one"), manager(&environment, "two"));
    apply(&environment, &one, "{a: '1'}");
    apply(&environment, &two, "{b: '2'}");
    environment.kubectl("patch configmap shared --type=merge -p {\"data\":{\"b\":\"changed\"}}");
    let manifest = |data: &str| {
        let namespace = &environment.namespace;
        objects(&format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: shared, namespace: {namespace}}}, data: {data}}}"
        ))
    };
    let live = LiveObjects::new(&environment.cluster, &environment.owner.label);
    let compare = |owner: &Owner, data: &str| {
        let compared = environment
            .run(live.compare(&manifest(data)[0], owner))
            .unwrap();
        compared.map(|drift| drift.to_string())
    };
    assert_eq!(compare(&one, "{a: '1'}"), None);
    assert_eq!(
        compare(&two, "{b: '2'}").as_deref(),
        Some("/data/b has changed")
    );
    let all = environment
        .run(live.all(&Kind::new("v1", "ConfigMap")))
        .unwrap();
    let shared = environment.object("", "ConfigMap", "shared");
    assert!(all.iter().any(|object| *object.reference() == shared));
}
