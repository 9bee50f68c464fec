//! What a worker has of components that somebody else has installed: the kinds of their objects, and workloads that do
//! nothing.
//!
//! The kinds accept every content. Their names, groups and versions are those of the components' own definitions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ControlPlane;
use crate::Error;

/// A kind of custom resource: its group, version, kind and plural, and whether its status is a resource of its own.
type CustomResource = (&'static str, &'static str, &'static str, &'static str, bool);

const CUSTOM_RESOURCES: [CustomResource; 13] = [
    (
        "argoproj.io",
        "v1alpha1",
        "Application",
        "applications",
        false,
    ),
    (
        "argoproj.io",
        "v1alpha1",
        "AppProject",
        "appprojects",
        false,
    ),
    ("argoproj.io", "v1alpha1", "EventBus", "eventbus", true),
    (
        "argoproj.io",
        "v1alpha1",
        "EventSource",
        "eventsources",
        true,
    ),
    ("argoproj.io", "v1alpha1", "Sensor", "sensors", true),
    ("argoproj.io", "v1alpha1", "Rollout", "rollouts", true),
    (
        "external-secrets.io",
        "v1",
        "ExternalSecret",
        "externalsecrets",
        true,
    ),
    (
        "external-secrets.io",
        "v1",
        "SecretStore",
        "secretstores",
        true,
    ),
    (
        "external-secrets.io",
        "v1",
        "ClusterSecretStore",
        "clustersecretstores",
        true,
    ),
    ("tekton.dev", "v1", "Pipeline", "pipelines", false),
    ("tekton.dev", "v1", "PipelineRun", "pipelineruns", true),
    ("tekton.dev", "v1", "Task", "tasks", false),
    ("tekton.dev", "v1", "TaskRun", "taskruns", true),
];

/// Workloads of components: namespace, kind, name and image. The image is never run; its tag tells the version.
const WORKLOADS: [(&str, &str, &str, &str); 6] = [
    (
        "argocd",
        "StatefulSet",
        "argocd-application-controller",
        "quay.io/argoproj/argocd:v3.5.1",
    ),
    (
        "argo-events",
        "Deployment",
        "controller-manager",
        "quay.io/argoproj/argo-events:v1.9.11",
    ),
    (
        "argo-rollouts",
        "Deployment",
        "argo-rollouts",
        "quay.io/argoproj/argo-rollouts:v1.9.1",
    ),
    (
        "external-secrets",
        "Deployment",
        "external-secrets",
        "ghcr.io/external-secrets/external-secrets:v2.9.0",
    ),
    (
        "tekton-pipelines",
        "Deployment",
        "tekton-pipelines-controller",
        "ghcr.io/tektoncd/pipeline/controller:v1.15.0",
    ),
    (
        "tekton-pipelines",
        "Deployment",
        "tekton-dashboard",
        "ghcr.io/tektoncd/dashboard:v0.71.0",
    ),
];

impl ControlPlane {
    /// Adds the kinds of Argo CD, Argo Events, Argo Rollouts, External Secrets and Tekton Pipelines, their namespaces,
    /// and one workload of each, as a worker has them whose components somebody else has installed.
    ///
    /// [`super::StandIn`] writes the status of the objects; nothing else reads them.
    pub fn add_components(&self) -> Result<(), Error> {
        let definitions: Vec<Value> = CUSTOM_RESOURCES.iter().map(definition).collect();
        self.apply(&list(&definitions))?;
        self.kubectl([
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "customresourcedefinitions",
            "--all",
        ])?;
        let namespaces: BTreeSet<&str> = WORKLOADS.iter().map(|it| it.0).collect();
        let namespaces = namespaces.iter().map(|namespace| {
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } })
        });
        let workloads = WORKLOADS.iter().map(workload);
        let objects: Vec<Value> = namespaces.chain(workloads).chain(argo_cd()).collect();
        self.apply(&list(&objects))
    }
}

fn list(objects: &[Value]) -> String {
    json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string()
}

fn definition((group, version, kind, plural, has_status): &CustomResource) -> Value {
    let scope = if kind.starts_with("Cluster") {
        "Cluster"
    } else {
        "Namespaced"
    };
    let mut served = json!({
        "name": version,
        "served": true,
        "storage": true,
        "schema": { "openAPIV3Schema": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
        } },
    });
    if *has_status && let Some(served) = served.as_object_mut() {
        served.insert("subresources".to_owned(), json!({ "status": {} }));
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{group}") },
        "spec": {
            "group": group,
            "scope": scope,
            "names": { "kind": kind, "plural": plural, "singular": kind.to_lowercase() },
            "versions": [served],
        },
    })
}

fn workload((namespace, kind, name, image): &(&str, &str, &str, &str)) -> Value {
    let labels = json!({ "app.kubernetes.io/name": name });
    let mut spec = json!({
        "selector": { "matchLabels": labels },
        "template": {
            "metadata": { "labels": labels },
            "spec": { "containers": [{ "name": name, "image": image }] },
        },
    });
    if *kind == "StatefulSet"
        && let Some(spec) = spec.as_object_mut()
    {
        spec.insert("serviceName".to_owned(), json!(name));
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": { "name": name, "namespace": namespace, "labels": labels },
        "spec": spec,
    })
}

/// The configuration of Argo CD, to which the provider adds keys of its own.
fn argo_cd() -> [Value; 2] {
    let metadata = |name| json!({ "name": name, "namespace": "argocd" });
    [
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata("argocd-rbac-cm"),
            "data": { "policy.csv": "" },
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata("argocd-secret"),
            "stringData": { "server.secretkey": uuid::Uuid::new_v4().to_string() },
        }),
    ]
}
