//! Install manifests of large projects: applied, compared and removed without a trace.
//!
//! They are used where `shared/components` lies beside the repository.

use std::path::Path;

use kubernetes_apply::apply_set::{ApplyOptions, DeleteOptions};
use kubernetes_apply::live_objects::LiveObjects;
use kubernetes_apply::object::{Object, parse_yaml_like_kubectl};

use crate::environment::{Environment, PATIENCE, objects};

/// Reads a manifest, with the namespace into which it goes. Webhooks are left out, because nobody answers
/// them here.
fn manifest(file: &str, namespace: &str) -> Option<Vec<Object>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/components");
    let text = std::fs::read_to_string(folder.join(file)).ok()?;
    let mut objects_of_project = parse_yaml_like_kubectl(&text).unwrap();
    objects_of_project.retain(|object| {
        let kind = &object.reference().kind.kind;
        !kind.ends_with("WebhookConfiguration")
    });
    let is_there = objects_of_project.iter().any(|object| {
        let reference = object.reference();
        reference.kind.is("", "Namespace") && reference.name == namespace
    });
    if !is_there {
        let namespace =
            format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}");
        objects_of_project.extend(objects(&namespace));
    }
    Some(objects_of_project)
}

fn check(file: &str, namespace: &str) {
    let Some(manifest) = manifest(file, namespace) else {
        return;
    };
    let environment = Environment::new();
    let set = environment.set();
    let options = ApplyOptions {
        default_namespace: Some(namespace.to_owned()),
        ..environment.options()
    };
    environment
        .run(set.apply(manifest.clone(), &options))
        .unwrap();
    let live = LiveObjects::new(&environment.cluster, &environment.owner.label);
    let drift = environment
        .run(set.drift(manifest, Some(namespace), &live))
        .unwrap();
    assert_eq!(drift, []);
    let options = DeleteOptions {
        timeout: PATIENCE,
        ..DeleteOptions::default()
    };
    let deleted = environment.run(set.delete(&options)).unwrap();
    assert_eq!(deleted.kept, []);
}

#[test]
fn argo_cd_is_applied_compared_and_removed() {
    check("argo-cd-v3.5.1.yaml", "argocd");
}

#[test]
fn tekton_is_applied_compared_and_removed() {
    check("tekton-pipelines-v1.15.0.yaml", "tekton-pipelines");
}
