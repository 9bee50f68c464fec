//! Every object on a real API server with the kinds of the real components, which refuses fields that it does not know.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kubernetes_apply::object::Object;
use serde_json::Value;
use testbed::{ControlPlane, Method};

use super::{SOURCE, Sample, WEBHOOK_HOST, WEBHOOKS, hook_task};
use crate::runtime::pipeline::{
    calendar_event_source, gitlab_event_source, hook_token_secret, ingress, sensor, sensor_access,
    token_hash,
};
use crate::secret::Secret;

pub(super) fn objects(sample: &Sample) -> Vec<Object> {
    let inputs = sample.inputs();
    let token = Secret::from("token".to_owned());
    let hashes = BTreeMap::from([(SOURCE, token_hash(&token))]);
    let mut objects = sensor_access(&inputs).unwrap();
    objects.push(hook_token_secret(&inputs, SOURCE, &token).unwrap());
    objects.extend(gitlab_event_source(&inputs, WEBHOOKS, &hashes).unwrap());
    objects.extend(calendar_event_source(&inputs).unwrap());
    objects.extend(ingress(&inputs, WEBHOOK_HOST).unwrap());
    objects.push(sensor(&inputs).unwrap());
    objects
}

/// The init runs of a Sensor, which creates them with a generated name.
fn init_runs(sensor: &Object) -> Vec<Value> {
    let triggers = sensor.list("/spec/triggers").iter();
    triggers
        .map(|trigger| trigger["template"]["k8s"]["source"]["resource"].clone())
        .collect()
}

fn collection(object: &Value) -> String {
    let version = object["apiVersion"].as_str().unwrap();
    let root = if version == "v1" { "/api" } else { "/apis" };
    let namespace = object["metadata"]["namespace"].as_str().unwrap();
    let kind = object["kind"].as_str().unwrap().to_lowercase();
    let plural = if kind.ends_with('s') {
        format!("{kind}es")
    } else {
        format!("{kind}s")
    };
    format!("{root}/{version}/namespaces/{namespace}/{plural}?dryRun=All&fieldValidation=Strict")
}

#[test]
fn the_api_server_takes_the_objects_as_they_are() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/components");
    let control_plane = ControlPlane::shared().unwrap();
    for file in ["argo-events-v1.9.11.yaml", "tekton-pipelines-v1.15.0.yaml"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let definitions = text
            .split("\n---")
            .filter(|part| part.contains("kind: CustomResourceDefinition"));
        let definitions: Vec<&str> = definitions.collect();
        control_plane.apply(&definitions.join("\n---")).unwrap();
    }
    for namespace in ["argo-events", "shop-ci"] {
        let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {namespace} }}\n");
        control_plane.apply(&text).unwrap();
    }
    let mut sample = Sample::new();
    sample.pre_hooks = vec![hook_task("lint")];
    sample.report_status = true;
    for object in objects(&sample) {
        let mut bodies = vec![object.json().clone()];
        if object.reference().kind.kind == "Sensor" {
            bodies.extend(init_runs(&object));
        }
        for body in bodies {
            let answer = control_plane.api(Method::POST, &collection(&body), Some(&body));
            answer.unwrap_or_else(|error| panic!("{}: {error}", object.reference()));
        }
    }
}
