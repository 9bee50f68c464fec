//! Comparing a set with what the cluster has.

use kubernetes_apply::connection::Limits;
use kubernetes_apply::live_objects::LiveObjects;
use testbed::ControlPlane;

use crate::environment::{Environment, objects};

const MANIFEST: &str = "
{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1', y: '2'}}
---
{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {password: s3cr3t}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      containers:
      - name: main
        image: web
        ports: [{containerPort: 80}]
        env: [{name: A, value: b}]
        resources: {limits: {cpu: 1000m, memory: 1024Mi}, requests: {cpu: 0.5}}
      - {name: second, image: web}
      volumes: [{name: scratch, emptyDir: {}}]
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{port: 80}]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: edit}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: Group, name: web}]
";

fn drift(environment: &Environment, manifest: &str) -> Vec<String> {
    let live = LiveObjects::new(&environment.cluster, &environment.owner.label);
    let set = environment.set();
    let drift = set.drift(objects(manifest), Some(&environment.namespace), &live);
    let drift = environment.run(drift).unwrap();
    let place = format!(" {}/", environment.namespace);
    drift
        .iter()
        .map(|drift| drift.to_string().replace(&place, " "))
        .collect()
}

#[test]
fn nothing_has_changed_right_after_an_apply() {
    let environment = Environment::new();
    environment.apply(MANIFEST).unwrap();
    assert_eq!(drift(&environment, MANIFEST), [""; 0]);
}

#[test]
fn every_change_from_outside_is_named_and_no_value_of_it() {
    let environment = Environment::new();
    environment.apply(MANIFEST).unwrap();
    environment
        .kubectl("patch configmap a --type=merge -p {\"data\":{\"x\":\"changed\",\"y\":null}}");
    environment.kubectl("patch secret s --type=merge -p {\"data\":{\"password\":\"b3RoZXI=\"}}");
    environment.kubectl("set image deployment/web main=other");
    environment.kubectl("scale deployment web --replicas=1");
    environment.kubectl("delete service web");
    environment.kubectl("set subject rolebinding edit --group=more");
    assert_eq!(
        drift(&environment, MANIFEST),
        [
            "ConfigMap a /data/x has changed, /data/y is missing",
            "Secret s /data/password has changed",
            "Deployment web /spec/replicas has changed, /spec/template/spec/containers/0/image has changed",
            "Service web is gone",
            "RoleBinding edit /subjects has changed"
        ]
    );
    environment.apply(MANIFEST).unwrap();
    assert_eq!(drift(&environment, MANIFEST), [""; 0]);
}

#[test]
fn what_an_apply_would_remove_is_a_difference() {
    let environment = Environment::new();
    environment.apply(MANIFEST).unwrap();
    let without = MANIFEST
        .replace(", y: '2'", "")
        .replace("        env: [{name: A, value: b}]\n", "");
    assert_eq!(
        drift(&environment, &without),
        [
            "ConfigMap a /data/y is no longer wanted",
            "Deployment web /spec/template/spec/containers/0/env is no longer wanted"
        ]
    );
}

#[test]
fn an_object_of_somebody_else_is_reported_as_theirs() {
    let environment = Environment::new();
    environment.apply(MANIFEST).unwrap();
    environment.kubectl("label configmap a app.kubernetes.io/managed-by=other --overwrite");
    environment.kubectl("annotate service web argocd.argoproj.io/tracking-id=x");
    let drift = drift(&environment, MANIFEST);
    assert_eq!(drift.len(), 2, "{drift:?}");
    assert!(
        drift[0].starts_with("ConfigMap a is not ours: it exists and does not carry"),
        "{drift:?}"
    );
    assert!(
        drift[1].starts_with("Service web is not ours: Argo CD manages it too"),
        "{drift:?}"
    );
}

#[test]
fn each_kind_is_listed_once_for_all_sets() {
    let control_plane = ControlPlane::shared().unwrap();
    let proxy = control_plane.start_proxy().unwrap();
    let kubeconfig = control_plane.kubeconfig_through(&proxy).unwrap();
    let environment = Environment::through(control_plane, &kubeconfig, Limits::default());
    let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: NAME}}";
    let sets = ["one", "two", "three"];
    for name in sets {
        let set = environment.named_set(name);
        let objects = objects(&manifest.replace("NAME", &format!("map-{name}")));
        environment
            .run(set.apply(objects, &environment.options()))
            .unwrap();
    }
    let ((), calls) = proxy.calls_during(|| {
        let live = LiveObjects::new(&environment.cluster, &environment.owner.label);
        for name in sets {
            let set = environment.named_set(name);
            let objects = objects(&manifest.replace("NAME", &format!("map-{name}")));
            let drift = set.drift(objects, Some(&environment.namespace), &live);
            assert_eq!(environment.run(drift).unwrap(), []);
        }
    });
    assert_eq!(calls.count(), 1, "{calls:?}");
}
