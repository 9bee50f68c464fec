//! What proves that a component works.

use kubernetes_apply::object::Object;
use kubernetes_apply::readiness::Readiness;
use serde_json::{Value, json};

use super::super::readiness::version_of;
use super::super::{ArgoEvents, BusReplicas, Component, Settings, Version};
use super::{get, installation, manifests_are_there, shipped};

fn argo_events() -> Settings {
    Settings::ArgoEvents(ArgoEvents {
        replicas: BusReplicas::default(),
        storage_class: None,
        bus_version: None,
        ca_pem: None,
        webhook_certificate: None,
    })
}

fn object(api_version: &str, kind: &str, conditions: &Value) -> Object {
    Object::new(json!({
        "apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "namespace": "b"},
        "status": {"conditions": conditions}
    }))
    .unwrap()
}

#[test]
fn an_event_bus_works_when_it_is_configured_and_deployed() {
    let rules = installation(argo_events()).proof().rules;
    let bus = |conditions| rules.assess(&object("argoproj.io/v1alpha1", "EventBus", &conditions));
    let configured = json!({"type": "Configured", "status": "True"});
    let deployed = json!({"type": "Deployed", "status": "True"});
    assert_eq!(bus(json!([configured, deployed])), Readiness::Ready);
    assert!(matches!(
        bus(json!([configured])),
        Readiness::InProgress { .. }
    ));
    assert!(matches!(bus(json!([])), Readiness::InProgress { .. }));
}

#[test]
fn a_certificate_works_when_it_was_issued() {
    let rules = installation(argo_events()).proof().rules;
    let certificate =
        |conditions| rules.assess(&object("cert-manager.io/v1", "Certificate", &conditions));
    assert!(matches!(
        certificate(json!([])),
        Readiness::InProgress { .. }
    ));
    assert_eq!(
        certificate(json!([{"type": "Ready", "status": "True"}])),
        Readiness::Ready
    );
}

#[test]
fn the_servers_of_the_event_bus_are_waited_for() {
    let made = installation(argo_events()).proof().made;
    let made: Vec<_> = made.iter().map(|(_, object)| object.to_string()).collect();
    assert_eq!(made, ["StatefulSet argo-events/eventbus-default-js"]);
}

#[test]
fn the_workloads_of_a_component_are_in_its_manifest() {
    if !manifests_are_there() {
        return;
    }
    for (component, file) in [
        (Component::ArgoCd, "argo-cd-v3.5.1.yaml"),
        (Component::ArgoEvents, "argo-events-v1.9.11.yaml"),
        (Component::ArgoRollouts, "argo-rollouts-v1.9.1.yaml"),
        (Component::CertManager, "cert-manager-1.21.1.yaml"),
        (Component::ExternalSecrets, "external-secrets-2.9.0.yaml"),
        (Component::Hnc, "hnc-v1.1.0-pfnet.3.yaml"),
        (Component::TektonPipelines, "tekton-pipelines-v1.15.0.yaml"),
        (Component::TektonDashboard, "tekton-dashboard-v0.71.0.yaml"),
        (Component::Traefik, "traefik-41.3.0.yaml"),
        (Component::Oauth2Proxy, "oauth2-proxy-10.7.0.yaml"),
    ] {
        let objects = shipped(file);
        for (kind, workload) in component.workloads(component.namespace()) {
            get(&objects, &kind.kind, &workload.name);
        }
    }
}

#[test]
fn the_kinds_that_the_provider_uses_are_served_by_the_default_version() {
    if !manifests_are_there() {
        return;
    }
    for (component, file) in [
        (Component::ArgoCd, "argo-cd-v3.5.1.yaml"),
        (Component::ArgoEvents, "argo-events-v1.9.11.yaml"),
        (Component::ArgoRollouts, "argo-rollouts-v1.9.1.yaml"),
        (Component::CertManager, "cert-manager-1.21.1.yaml"),
        (Component::ExternalSecrets, "external-secrets-2.9.0.yaml"),
        (Component::Hnc, "hnc-v1.1.0-pfnet.3.yaml"),
        (Component::TektonPipelines, "tekton-pipelines-v1.15.0.yaml"),
        (Component::Traefik, "traefik-41.3.0.yaml"),
    ] {
        let objects = shipped(file);
        let used = component.used_kinds();
        assert!(!used.is_empty());
        for kind in used {
            let is_served = objects.iter().any(|definition| {
                definition.text("/spec/group") == Some(&kind.api_version.group)
                    && definition.text("/spec/names/kind") == Some(&kind.kind)
                    && definition.list("/spec/versions").iter().any(|version| {
                        version["name"] == kind.api_version.version && version["served"] == true
                    })
            });
            assert!(is_served, "{component} does not serve {kind:?}");
        }
    }
}

#[test]
fn the_version_of_an_installed_component_is_that_of_its_image() {
    let workload = |image: &str| {
        Object::new(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
            "spec": {"template": {"spec": {"containers": [{"image": image}]}}}
        }))
        .unwrap()
    };
    let version = |image| version_of(&workload(image));
    let expected = Some(Version::new(3, 5, 1));
    assert_eq!(version("quay.io/argoproj/argocd:v3.5.1"), expected);
    assert_eq!(version("host:5000/argocd:3.5.1@sha256:19f0"), expected);
    for image in [
        "quay.io/argoproj/argocd",
        "host:5000/argocd",
        "argocd:latest",
    ] {
        assert_eq!(version(image), None, "{image}");
    }
}
