//! Definitions that drop a version in which objects are stored.

use kubernetes_apply::apply_set::{ApplyOptions, ApplySetError};
use kubernetes_apply::stored_versions::{MigrationFailure, MigrationOptions};
use serde_json::json;

use crate::environment::{Environment, objects};

fn definition(group: &str, versions: &[(&str, bool, &str)]) -> String {
    let versions: Vec<String> = versions
        .iter()
        .map(|(name, storage, fields)| {
            format!(
                "
  - name: {name}
    served: true
    storage: {storage}
    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {{{fields}}}}}}}}}}}"
            )
        })
        .collect();
    format!(
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  names: {{kind: Widget, plural: widgets}}
  scope: Namespaced
  versions:{}
",
        versions.concat()
    )
}

const SIZE: &str = "size: {type: integer}";
const SIZE_AND_COLOR: &str = "size: {type: integer}, color: {type: string}";

struct Widgets {
    environment: Environment,
    group: String,
}

impl Widgets {
    /// Installs the old version, with an object of the set and one of somebody else.
    fn new(old_fields: &str, theirs: bool) -> Self {
        let environment = Environment::new();
        let group = format!("{}.example.com", environment.namespace);
        let widgets = Self { environment, group };
        widgets.environment.apply(&widgets.old(old_fields)).unwrap();
        if theirs {
            let group = &widgets.group;
            let namespace = &widgets.environment.namespace;
            let object = format!(
                "{{apiVersion: {group}/v1alpha1, kind: Widget, metadata: {{name: theirs, namespace: {namespace}}}, \
                 spec: {{size: 2}}}}"
            );
            widgets.environment.control_plane.apply(&object).unwrap();
        }
        widgets
    }

    fn widget(&self, version: &str, spec: &str) -> String {
        let group = &self.group;
        format!(
            "---\n{{apiVersion: {group}/{version}, kind: Widget, metadata: {{name: ours}}, spec: {{{spec}}}}}\n"
        )
    }

    fn old(&self, fields: &str) -> String {
        let definition = definition(&self.group, &[("v1alpha1", true, fields)]);
        let color = if fields == SIZE { "" } else { ", color: red" };
        definition + &self.widget("v1alpha1", &format!("size: 1{color}"))
    }

    fn new_versions(&self) -> String {
        definition(&self.group, &[("v1", true, SIZE)]) + &self.widget("v1", "size: 1")
    }

    fn upgrade(&self, foreign: bool) -> Result<(), ApplySetError> {
        let options = ApplyOptions {
            migration: MigrationOptions {
                namespace_label: None,
                foreign,
            },
            ..self.environment.options()
        };
        let set = self.environment.set();
        let apply = set.apply(objects(&self.new_versions()), &options);
        self.environment.run(apply).map(|_| ())
    }

    fn stored_versions(&self) -> serde_json::Value {
        let path = format!(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{}",
            self.group
        );
        let definition = self.environment.control_plane.get(&path).unwrap().unwrap();
        definition["status"]["storedVersions"].clone()
    }
}

#[test]
fn own_objects_are_stored_anew_before_their_version_goes() {
    let widgets = Widgets::new(SIZE, false);
    widgets.upgrade(false).unwrap();
    assert_eq!(widgets.stored_versions(), json!(["v1"]));
    let root = format!("/apis/{}/v1", widgets.group);
    let path = widgets.environment.path(&root, "widgets/ours");
    let live = widgets
        .environment
        .control_plane
        .get(&path)
        .unwrap()
        .unwrap();
    assert_eq!(live["spec"], json!({"size": 1}));
    widgets.upgrade(false).unwrap();
}

#[test]
fn objects_of_others_are_only_stored_anew_where_that_is_allowed() {
    let widgets = Widgets::new(SIZE, true);
    let error = widgets.upgrade(false).unwrap_err();
    let ApplySetError::StoredVersions(reason) = &error else {
        panic!("{error}")
    };
    assert!(
        matches!(&reason.reason, MigrationFailure::Foreign { count: 1, .. }),
        "{reason:?}"
    );
    assert_eq!(widgets.stored_versions(), json!(["v1alpha1"]));
    widgets.upgrade(true).unwrap();
    assert_eq!(widgets.stored_versions(), json!(["v1"]));
}

#[test]
fn an_object_that_would_lose_a_field_stops_the_upgrade() {
    let widgets = Widgets::new(SIZE_AND_COLOR, false);
    let error = widgets.upgrade(false).unwrap_err();
    let ApplySetError::StoredVersions(reason) = &error else {
        panic!("{error}")
    };
    let MigrationFailure::Lossy { pointer, .. } = &reason.reason else {
        panic!("{reason:?}")
    };
    assert_eq!(pointer, "/spec/color");
    assert_eq!(widgets.stored_versions(), json!(["v1alpha1", "v1"]));
    let root = format!("/apis/{}/v1alpha1", widgets.group);
    let path = widgets.environment.path(&root, "widgets/ours");
    let live = widgets
        .environment
        .control_plane
        .get(&path)
        .unwrap()
        .unwrap();
    assert_eq!(live["spec"]["color"], "red");
}
