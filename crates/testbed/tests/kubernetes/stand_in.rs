//! The stand-in for the controllers of components.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{ControlPlane, ControlledKind, Method, Readiness, StandIn, WebhookAnswer};

use crate::{namespace, wait_for};

/// Returns the stand-in that the tests share. Each of them sets other kinds and Services.
fn stand_in() -> &'static StandIn {
    static STAND_IN: OnceLock<StandIn> = OnceLock::new();
    STAND_IN.get_or_init(|| StandIn::start(ControlPlane::shared().unwrap()).unwrap())
}

/// Defines a custom resource of any content.
fn define(control_plane: &ControlPlane, group: &str, kind: &str, has_status_resource: bool) {
    let (singular, any) = (kind.to_lowercase(), "x-kubernetes-preserve-unknown-fields");
    let plural = format!("{singular}s");
    let mut version = json!({
        "name": "v1",
        "served": true,
        "storage": true,
        "schema": { "openAPIV3Schema": { "type": "object", any: true } },
    });
    if has_status_resource {
        version["subresources"] = json!({ "status": {} });
    }
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{group}") },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": { "kind": kind, "singular": singular, "plural": plural },
            "versions": [version],
        },
    });
    control_plane.apply(&definition.to_string()).unwrap();
    let name = format!("crd/{plural}.{group}");
    control_plane
        .kubectl([
            "wait",
            "--for=condition=Established",
            &name,
            "--timeout=120s",
        ])
        .unwrap();
}

/// Creates an object, and returns its path.
fn create(
    control_plane: &ControlPlane,
    namespace: &str,
    group: &str,
    kind: &str,
    spec: &Value,
) -> String {
    let plural = format!("{}s", kind.to_lowercase());
    let path = format!("/apis/{group}/v1/namespaces/{namespace}/{plural}");
    let object = json!({
        "apiVersion": format!("{group}/v1"),
        "kind": kind,
        "metadata": { "name": "a" },
        "spec": spec,
    });
    control_plane
        .api(Method::POST, &path, Some(&object))
        .unwrap();
    format!("{path}/a")
}

fn wait_for_status(
    control_plane: &ControlPlane,
    path: &str,
    mut check: impl FnMut(&Value) -> bool,
) -> Value {
    wait_for("the status", || {
        let object = control_plane.get(path).unwrap().unwrap();
        check(&object["status"]).then_some(object)
    })
}

/// Returns whether there are conditions and all of them have a status.
fn has_conditions(status: &Value, expected: &str) -> bool {
    let conditions = status["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten().peekable();
    conditions.peek().is_some() && conditions.all(|condition| condition["status"] == expected)
}

#[test]
fn an_external_secret_becomes_ready_with_its_secret_and_is_synchronised_again_when_forced() {
    let control_plane = namespace("external-secrets");
    stand_in();
    let group = "external-secrets.io";
    define(control_plane, group, "SecretStore", true);
    define(control_plane, group, "ExternalSecret", true);
    let store = create(
        control_plane,
        "external-secrets",
        group,
        "SecretStore",
        &json!({}),
    );
    wait_for_status(control_plane, &store, |status| {
        has_conditions(status, "True")
    });

    let spec = json!({
        "target": { "name": "target" },
        "data": [{ "secretKey": "token", "remoteRef": { "key": "git/a" } }],
    });
    let path = create(
        control_plane,
        "external-secrets",
        group,
        "ExternalSecret",
        &spec,
    );
    let ready = wait_for_status(control_plane, &path, |status| {
        has_conditions(status, "True")
    });
    let secret = "/api/v1/namespaces/external-secrets/secrets/target";
    let secret = control_plane.get(secret).unwrap().unwrap();
    assert!(secret["data"]["token"].is_string(), "{secret}");
    let owner = &secret["metadata"]["ownerReferences"][0];
    assert_eq!(owner["uid"], ready["metadata"]["uid"]);

    let forced = "-n external-secrets annotate externalsecret/a force-sync=1";
    control_plane.kubectl(forced.split(' ')).unwrap();
    wait_for_status(control_plane, &path, |status| {
        status["refreshTime"] != ready["status"]["refreshTime"]
    });

    let refused = Readiness::NotReady("permission denied".to_owned());
    stand_in().set_readiness(ControlledKind::ExternalSecret, refused);
    let failed = wait_for_status(control_plane, &path, |status| {
        has_conditions(status, "False")
    });
    let message = &failed["status"]["conditions"][0]["message"];
    assert_eq!(message, "permission denied");
}

#[test]
fn the_kinds_of_argo_become_ready_or_fail_as_the_test_says() {
    let control_plane = namespace("argo");
    stand_in().set_readiness(ControlledKind::Sensor, Readiness::Unattended);
    let group = "argoproj.io";
    let create = |kind: &str, has_status_resource: bool| {
        define(control_plane, group, kind, has_status_resource);
        create(control_plane, "argo", group, kind, &json!({}))
    };
    let sensor = create("Sensor", true);
    for kind in ["EventBus", "EventSource"] {
        let path = create(kind, true);
        wait_for_status(control_plane, &path, |status| {
            has_conditions(status, "True")
        });
    }
    let application = create("Application", false);
    wait_for_status(control_plane, &application, |status| {
        status["health"]["status"] == "Healthy" && status["sync"]["status"] == "Synced"
    });
    let failed = Readiness::NotReady("cannot reach the repository".to_owned());
    stand_in().set_readiness(ControlledKind::Application, failed);
    wait_for_status(control_plane, &application, |status| {
        status["operationState"]["phase"] == "Failed"
    });

    let status = &control_plane.get(&sensor).unwrap().unwrap()["status"];
    assert_eq!(*status, Value::Null);
    stand_in().set_readiness(ControlledKind::Sensor, Readiness::Ready);
    wait_for_status(control_plane, &sensor, |status| {
        has_conditions(status, "True")
    });
}

#[test]
fn a_webhook_is_served_at_its_service_and_allows_refuses_or_delays() {
    let control_plane = namespace("webhook");
    stand_in();
    let manifests = "
apiVersion: v1
kind: Service
metadata: {name: hook, namespace: webhook}
spec: {ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hook}
webhooks:
- name: hook.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: webhook}}
  rules: [{apiGroups: [''], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}]
  clientConfig: {service: {namespace: webhook, name: hook, path: /validate}}
";
    control_plane.apply(manifests).unwrap();
    let create = |name: &str| {
        let object = json!({ "metadata": { "name": name } });
        let path = "/api/v1/namespaces/webhook/configmaps";
        control_plane.api(Method::POST, path, Some(&object))
    };
    // Before the certificate authority is written, the call of the webhook fails.
    wait_for("the answer of the webhook", || create("allowed").ok());

    let refusal = WebhookAnswer::Refuse("not in this test".to_owned());
    stand_in().set_webhook("webhook", "hook", refusal);
    let error = create("refused").unwrap_err().to_string();
    assert!(error.contains("not in this test"), "{error}");

    let delay = Duration::from_millis(300);
    stand_in().set_webhook("webhook", "hook", WebhookAnswer::Delay(delay));
    let begun = Instant::now();
    create("delayed").unwrap();
    assert!(begun.elapsed() >= delay);
}

#[test]
fn a_conversion_webhook_is_served_for_a_custom_resource_with_two_versions() {
    let control_plane = namespace("conversion");
    stand_in();
    let version = |name: &str, storage: bool| {
        json!({ "name": name, "served": true, "storage": storage, "schema": { "openAPIV3Schema": {
            "type": "object", "x-kubernetes-preserve-unknown-fields": true,
        } } })
    };
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "things.example.com" },
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": { "kind": "Thing", "singular": "thing", "plural": "things" },
            "versions": [version("v1", false), version("v2", true)],
            "conversion": { "strategy": "Webhook", "webhook": {
                "conversionReviewVersions": ["v1"],
                "clientConfig": { "service": { "namespace": "conversion", "name": "convert" } },
            } },
        },
    });
    control_plane.apply(&definition.to_string()).unwrap();
    let service = "-n conversion create service clusterip convert --tcp=443:443";
    control_plane.kubectl(service.split(' ')).unwrap();
    let things = "/apis/example.com/v1/namespaces/conversion/things";
    let thing = json!({
        "apiVersion": "example.com/v1", "kind": "Thing", "metadata": { "name": "a" },
    });
    wait_for("the conversion", || {
        control_plane.api(Method::POST, things, Some(&thing)).ok()
    });
    let stored = "/apis/example.com/v2/namespaces/conversion/things/a";
    let stored = control_plane.get(stored).unwrap().unwrap();
    assert_eq!(stored["apiVersion"], "example.com/v2");
}
