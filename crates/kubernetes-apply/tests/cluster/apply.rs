//! Applying, conflicts, adoption and pruning.

use kubernetes_apply::apply::ApplyFailure;
use kubernetes_apply::apply_set::{ApplyOptions, ApplySetError, PART_OF_LABEL};
use kubernetes_apply::ownership::{Adoption, ForeignObject, Label};
use serde_json::json;

use crate::environment::{Environment, objects};

const TWO: &str = "
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1'}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {y: '1'}}
";

const ONE: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '2'}}";

#[test]
fn objects_are_applied_with_labels_and_listed_with_their_uids() {
    let environment = Environment::new();
    let applied = environment.apply(TWO).unwrap();
    assert_eq!(applied.objects.len(), 2);
    let live = environment.config_map("a").unwrap();
    assert_eq!(live["data"], json!({"x": "1"}));
    assert_eq!(
        live["metadata"]["labels"]["app.kubernetes.io/managed-by"],
        "test-tool"
    );
    let set = environment.set();
    assert_eq!(live["metadata"]["labels"][PART_OF_LABEL], set.id());
    assert_eq!(live["metadata"]["managedFields"][0]["manager"], "test-tool");
    let inventory = environment.run(set.inventory()).unwrap();
    assert_eq!(inventory.entries().count(), 2);
    let uid = inventory.uid(&environment.object("", "ConfigMap", "a"));
    assert_eq!(uid, live["metadata"]["uid"].as_str());
}

#[test]
fn the_inventory_is_an_apply_set_that_kubectl_understands() {
    let environment = Environment::new();
    environment.apply(TWO).unwrap();
    let parent = environment.config_map("set").unwrap();
    let metadata = &parent["metadata"];
    assert_eq!(
        metadata["labels"]["applyset.kubernetes.io/id"],
        environment.set().id()
    );
    let annotations = &metadata["annotations"];
    assert_eq!(
        annotations["applyset.kubernetes.io/contains-group-kinds"],
        "ConfigMap"
    );
    assert_eq!(
        annotations["applyset.kubernetes.io/additional-namespaces"],
        ""
    );
}

#[test]
fn an_unchanged_apply_writes_nothing() {
    let environment = Environment::new();
    environment.apply(TWO).unwrap();
    let before = (environment.config_map("a"), environment.config_map("set"));
    environment.apply(TWO).unwrap();
    assert_eq!(
        before,
        (environment.config_map("a"), environment.config_map("set"))
    );
}

#[test]
fn what_is_no_longer_wanted_is_pruned() {
    let environment = Environment::new();
    environment.apply(TWO).unwrap();
    let applied = environment.apply(ONE).unwrap();
    assert_eq!(
        applied.pruned.deleted,
        [environment.object("", "ConfigMap", "b")]
    );
    assert_eq!(environment.config_map("b"), None);
    assert_eq!(
        environment.config_map("a").unwrap()["data"],
        json!({"x": "2"})
    );
    let inventory = environment.run(environment.set().inventory()).unwrap();
    assert_eq!(inventory.entries().count(), 1);
}

#[test]
fn an_object_that_was_replaced_by_somebody_else_is_not_pruned() {
    let environment = Environment::new();
    environment.apply(TWO).unwrap();
    // A copy with all labels, as somebody might restore it from a file.
    let labels = environment.config_map("b").unwrap()["metadata"]["labels"].clone();
    environment.kubectl("delete configmap b");
    environment.create_config_map("b", json!({"labels": labels}), &json!({"theirs": "yes"}));
    let applied = environment.apply(ONE).unwrap();
    assert_eq!(applied.pruned.deleted, []);
    let [kept] = applied.kept() else {
        panic!("{:?}", applied.pruned)
    };
    assert!(
        kept.to_string()
            .contains("it is another object of that name"),
        "{kept}"
    );
    assert_eq!(
        environment.config_map("b").unwrap()["data"],
        json!({"theirs": "yes"})
    );
}

#[test]
fn a_check_refuses_what_an_apply_would_refuse_and_writes_nothing() {
    let environment = Environment::new();
    let set = environment.set();
    let check = || environment.run(set.check(objects(TWO), &environment.options()));
    check().unwrap();
    assert_eq!(environment.config_map("a"), None);
    environment.create_config_map("b", json!({}), &json!({"theirs": "yes"}));
    let Err(ApplySetError::Objects(errors)) = check() else {
        panic!("the object of somebody else is not refused")
    };
    assert_eq!(errors[0].object, environment.object("", "ConfigMap", "b"));
    assert_eq!(environment.config_map("a"), None);
    assert_eq!(environment.config_map("set"), None);
}

#[test]
fn nothing_is_written_if_one_object_is_somebody_elses() {
    let environment = Environment::new();
    environment.create_config_map("b", json!({}), &json!({"theirs": "yes"}));
    let error = environment.apply(TWO).unwrap_err();
    let ApplySetError::Objects(errors) = &error else {
        panic!("{error}")
    };
    assert_eq!(errors[0].object, environment.object("", "ConfigMap", "b"));
    assert!(matches!(
        errors[0].reason,
        ApplyFailure::Foreign(ForeignObject::Unlabelled { .. })
    ));
    assert_eq!(environment.config_map("a"), None);
    assert_eq!(environment.config_map("set"), None);
}

#[test]
fn an_object_of_another_set_is_not_taken_over() {
    let environment = Environment::new();
    environment.apply(TWO).unwrap();
    let other = environment.named_set("other");
    let error = environment
        .run(other.apply(objects(ONE), &environment.options()))
        .unwrap_err();
    assert!(
        error.to_string().contains("it belongs to another set"),
        "{error}"
    );
}

#[test]
fn fields_that_somebody_changed_on_an_own_object_are_taken_back() {
    let environment = Environment::new();
    environment.apply(TWO).unwrap();
    environment
        .kubectl("patch configmap a --type=merge -p {\"data\":{\"x\":\"theirs\",\"z\":\"added\"}}");
    assert_eq!(environment.config_map("a").unwrap()["data"]["x"], "theirs");
    environment.apply(TWO).unwrap();
    let data = &environment.config_map("a").unwrap()["data"];
    assert_eq!(*data, json!({"x": "1", "z": "added"}));
}

#[test]
fn adoption_takes_over_what_carries_its_label() {
    let environment = Environment::new();
    let labels = json!({"labels": {"belongs-to": "shop"}});
    environment.create_config_map("a", labels, &json!({"x": "theirs"}));
    let options = ApplyOptions {
        adoption: Adoption::Labelled(Label::new("belongs-to", "shop").unwrap()),
        ..environment.options()
    };
    environment
        .run(environment.set().apply(objects(ONE), &options))
        .unwrap();
    let live = environment.config_map("a").unwrap();
    assert_eq!(live["data"]["x"], "2");
    assert_eq!(
        live["metadata"]["labels"]["app.kubernetes.io/managed-by"],
        "test-tool"
    );
}

#[test]
fn replicas_that_an_autoscaler_has_set_are_left_to_it() {
    let environment = Environment::new();
    let deployment = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: web}]}
";
    environment.apply(deployment).unwrap();
    // As the autoscaler does: through the sub-resource scale, under the name of its controller.
    let scale = environment.path("/apis/apps/v1", "deployments/web/scale");
    let mut body = environment.control_plane.get(&scale).unwrap().unwrap();
    body["spec"]["replicas"] = 3.into();
    // The controller writes the status at the same time.
    body["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("resourceVersion");
    let uri = format!("{scale}?fieldManager=kube-controller-manager");
    environment
        .control_plane
        .api(http::Method::PUT, &uri, Some(&body))
        .unwrap();
    environment.apply(deployment).unwrap();
    let path = environment.path("/apis/apps/v1", "deployments/web");
    let live = environment.control_plane.get(&path).unwrap().unwrap();
    assert_eq!(live["spec"]["replicas"], 3);
    assert_eq!(
        live["spec"]["template"]["spec"]["containers"][0]["image"],
        "web"
    );
}

#[test]
fn a_kind_its_definition_and_an_object_of_it_are_applied_together() {
    let environment = Environment::new();
    let group = format!("{}.example.com", environment.namespace);
    let manifest = format!(
        "
apiVersion: {group}/v1
kind: Widget
metadata: {{name: w}}
spec: {{size: 1}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  names: {{kind: Widget, plural: widgets}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"
    );
    let applied = environment.apply(&manifest).unwrap();
    let kinds: Vec<_> = applied
        .objects
        .iter()
        .map(|object| object.reference().kind.kind.as_str())
        .collect();
    assert_eq!(kinds, ["CustomResourceDefinition", "Widget"]);
    environment.apply(&manifest).unwrap();
}

#[test]
fn what_the_server_refuses_is_said_with_the_object() {
    let environment = Environment::new();
    let error = environment
        .apply("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 0}]}}")
        .unwrap_err();
    let shown = error.to_string();
    let place = format!("cannot apply Service {}/web: PATCH ", environment.namespace);
    assert!(
        shown.starts_with(&place) && shown.contains("spec.ports[0].port"),
        "{shown}"
    );
    let error = environment
        .apply("{apiVersion: e.com/v1, kind: Widget, metadata: {name: a}}")
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the cluster does not serve e.com/v1 Widget"),
        "{error}"
    );
}
