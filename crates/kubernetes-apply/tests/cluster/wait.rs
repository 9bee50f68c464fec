//! Waiting until objects work.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubernetes_apply::apply_set::DeleteOptions;
use kubernetes_apply::object::GroupKind;
use kubernetes_apply::readiness::{Rules, require_conditions};
use kubernetes_apply::wait::WaitError;
use serde_json::json;

use crate::environment::{Environment, PATIENCE};

fn deployment(account: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      serviceAccountName: {account}
      containers: [{{name: main, image: web}}]
---
{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}}}
"
    )
}

#[test]
fn a_deployment_is_waited_for_until_its_pods_are_available() {
    let environment = Environment::new();
    let applied = environment.apply(&deployment("default")).unwrap();
    environment
        .wait(&applied, &Rules::default(), PATIENCE)
        .unwrap();
    let path = environment.path("/apis/apps/v1", "deployments/web");
    let live = environment.control_plane.get(&path).unwrap().unwrap();
    assert_eq!(live["status"]["availableReplicas"], 1);
}

#[test]
fn a_deployment_that_does_not_come_is_reported_with_its_conditions() {
    let environment = Environment::new();
    let applied = environment.apply(&deployment("missing")).unwrap();
    let rules = Rules::default();
    // Long enough for the controller to have tried; shown is what it says.
    let error = loop {
        let error = environment
            .wait(&applied, &rules, Duration::from_millis(500))
            .unwrap_err();
        if error.to_string().contains("FailedCreate") {
            break error;
        }
    };
    let WaitError::NotReady(error) = error else {
        panic!("{error}")
    };
    assert!(!error.failed);
    let [unready] = error.objects.as_slice() else {
        panic!("{error}")
    };
    assert_eq!(
        unready.object,
        environment.object("apps", "Deployment", "web")
    );
    assert!(
        unready.reason.contains("0 of 1 replicas are updated"),
        "{unready}"
    );
    assert!(
        unready
            .to_string()
            .contains("serviceaccount \"missing\" not found"),
        "{unready}"
    );
}

#[test]
fn a_job_that_has_failed_ends_the_wait_at_once() {
    let environment = Environment::new();
    let applied = environment
        .apply(
            "
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  suspend: true
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: job}]}
",
        )
        .unwrap();
    let status = environment.path("/apis/batch/v1", "jobs/job/status");
    let mut job = environment.control_plane.get(&status).unwrap().unwrap();
    job["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("resourceVersion");
    let since = "2026-01-01T00:00:00Z";
    job["status"]["startTime"] = since.into();
    job["status"]["conditions"] = json!([
        {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded",
         "lastTransitionTime": since, "lastProbeTime": since},
        {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "it fails",
         "lastTransitionTime": since, "lastProbeTime": since}
    ]);
    environment
        .control_plane
        .api(http::Method::PUT, &status, Some(&job))
        .unwrap();
    let error = environment
        .wait(&applied, &Rules::default(), PATIENCE)
        .unwrap_err();
    let WaitError::NotReady(error) = error else {
        panic!("{error}")
    };
    assert!(error.failed);
    assert!(
        error.objects[0]
            .reason
            .contains("BackoffLimitExceeded: it fails"),
        "{error}"
    );
}

#[test]
fn a_rule_that_a_program_adds_is_waited_for() {
    let environment = Environment::new();
    let applied = environment
        .apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
        .unwrap();
    let kind = GroupKind::new("", "ConfigMap");
    let rules = Rules::default().with(kind, require_conditions(&["Never"]));
    let error = environment
        .wait(&applied, &rules, Duration::from_millis(100))
        .unwrap_err();
    assert!(
        error.to_string().contains("it has no condition Never yet"),
        "{error}"
    );
}

#[test]
fn a_webhook_is_ready_when_the_service_behind_it_has_a_ready_endpoint() {
    let environment = Environment::new();
    let namespace = &environment.namespace;
    let ca = STANDARD.encode(environment.control_plane.certificate_authority());
    let manifest = format!(
        "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {namespace}}}
webhooks:
- name: none.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {{caBundle: {ca}, service: {{namespace: {namespace}, name: web}}}}
  rules: [{{apiGroups: [none.example.com], apiVersions: [v1], operations: [CREATE], resources: [nones]}}]
---
{{apiVersion: v1, kind: Service, metadata: {{name: web}}, spec: {{selector: {{app: web}}, ports: [{{port: 443}}]}}}}
"
    );
    let applied = environment.apply(&manifest).unwrap();
    let error = environment
        .wait(&applied, &Rules::default(), Duration::from_millis(100))
        .unwrap_err();
    assert!(
        error.to_string().contains("has no ready endpoint"),
        "{error}"
    );
    let applied = environment
        .apply(&(manifest + "---" + &deployment("default")))
        .unwrap();
    environment
        .wait(&applied, &Rules::default(), PATIENCE)
        .unwrap();
    environment
        .run(environment.set().delete(&DeleteOptions::default()))
        .unwrap();
}
