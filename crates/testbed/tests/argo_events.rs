//! The real programs of Argo Events, with objects that are written by hand.

use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::{Value, json};
use testbed::{ArgoEvents, ControlPlane, ControlPlaneOptions};

const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/components/");

const OBJECTS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: { name: argo-events }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: sensor, namespace: argo-events }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: sensor, namespace: default }
rules:
- { apiGroups: [""], resources: [configmaps], verbs: [create] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: sensor, namespace: default }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: sensor }
subjects:
- { kind: ServiceAccount, name: sensor, namespace: argo-events }
---
apiVersion: v1
kind: Secret
metadata: { name: hook, namespace: argo-events }
stringData: { token: the-token }
"#;

fn event_source() -> Value {
    let secret = json!({ "name": "hook", "key": "token" });
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "EventSource",
        "metadata": { "name": "source", "namespace": "argo-events" },
        "spec": {
            "service": { "ports": [{ "port": 12000, "targetPort": 12000 }] },
            "gitlab": { "push": {
                "webhook": {
                    "endpoint": "/push", "port": "12000", "method": "POST", "url": "https://events.example.com",
                },
                "events": ["PushEvents"],
                "gitlabBaseURL": "https://gitlab.example.com",
                "accessToken": secret,
                "secretToken": secret,
            } },
        },
    })
}

fn sensor() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Sensor",
        "metadata": { "name": "sensor", "namespace": "argo-events" },
        "spec": {
            "template": { "serviceAccountName": "sensor" },
            "dependencies": [{ "name": "push", "eventSourceName": "source", "eventName": "push" }],
            "triggers": [{ "template": {
                "name": "record",
                "conditions": "push",
                "k8s": {
                    "operation": "create",
                    "source": { "resource": {
                        "apiVersion": "v1",
                        "kind": "ConfigMap",
                        "metadata": { "name": "recorded", "namespace": "default" },
                        "data": { "ref": "" },
                    } },
                    "parameters": [{
                        "src": { "dependencyName": "push", "dataKey": "body.ref" },
                        "dest": "data.ref",
                    }],
                },
            } }],
        },
    })
}

#[test]
fn a_webhook_with_the_right_token_creates_an_object_and_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = ControlPlaneOptions::default();
    let control_plane = ControlPlane::start(&folder.path().join("kube"), &options).unwrap();
    let crds = std::fs::read_to_string(format!("{CRDS}argo-events-v1.9.11.yaml")).unwrap();
    control_plane.apply(OBJECTS).unwrap();
    control_plane.apply(&crds).unwrap();
    let events = ArgoEvents::start(&control_plane, &folder.path().join("events")).unwrap();
    for object in [event_source(), sensor()] {
        events.check(&object).unwrap();
        control_plane.apply(&object.to_string()).unwrap();
    }
    let sensor = events.run_sensor("argo-events", "sensor").unwrap();
    let source = events.run_event_source("argo-events", "source").unwrap();

    let push = |token: &str| {
        let request = Client::builder().no_proxy().build().unwrap();
        let request = request.post(format!("{}/push", source.url()));
        let request = request
            .header("X-Gitlab-Token", token)
            .header("X-Gitlab-Event", "Push Hook")
            .json(&json!({ "object_kind": "push", "ref": "refs/heads/main" }));
        request.send().unwrap().status().as_u16()
    };
    assert_eq!(push("another"), 400);
    assert_eq!(push("the-token"), 200);
    let path = "/api/v1/namespaces/default/configmaps/recorded";
    let begun = Instant::now();
    let recorded = loop {
        if let Some(recorded) = control_plane.get(path).unwrap() {
            break recorded;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{}",
            sensor.log().unwrap()
        );
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(recorded["data"]["ref"], "refs/heads/main");
    let creators = control_plane.audit_events().unwrap();
    let mut creators = creators.iter().filter(|event| {
        event.verb == "create"
            && event
                .object_ref
                .as_ref()
                .is_some_and(|object| object.resource == "configmaps" && object.name == "recorded")
    });
    let creator = creators.next().map(|event| event.user.username.as_str());
    assert_eq!(creator, Some("system:serviceaccount:argo-events:sensor"));
}

#[test]
fn an_object_that_argo_events_refuses_is_found_by_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let control_plane = ControlPlane::shared().unwrap();
    let events = ArgoEvents::start(control_plane, folder.path()).unwrap();
    let mut object = sensor();
    object["spec"]["dependencies"] = json!([]);
    let error = events.check(&object).unwrap_err().to_string();
    assert!(error.contains("no event dependencies"), "{error}");
}
