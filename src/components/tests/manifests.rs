//! What becomes of the manifest of each project.

use kubernetes_apply::object::Object;
use serde_json::{Value, json};

use super::super::{
    ArgoCd, ArgoCdSingleSignOn, ArgoEvents, BusReplicas, COMPONENT_LABEL, Certificate, Component,
    ComponentError, Exposure, Hnc, ImageRegistry, Images, Installation, Settings, Sha256,
    TektonDashboard, WebhookCertificate, catalogue::Origin,
};
use super::{customise, find, get, installation, manifests_are_there, shipped, upstream};
use crate::secret::Secret;

pub(super) fn argo_cd() -> ArgoCd {
    ArgoCd {
        namespace: "argocd".into(),
        exposure: None,
        url: None,
        single_sign_on: None,
        groups_claim: "groups".into(),
        known_hosts: None,
        webhook_token: Secret::from("s3cr3t-token"),
    }
}

pub(super) fn exposure(host: &str) -> Exposure {
    Exposure {
        host: host.into(),
        ingress_class: "traefik".into(),
        certificate: Certificate::Gateway,
    }
}

pub(super) fn argo_events() -> ArgoEvents {
    ArgoEvents {
        replicas: BusReplicas::default(),
        storage_class: None,
        bus_version: None,
        ca_pem: None,
        webhook_certificate: None,
    }
}

/// Every component with a manifest of its own, the file with it, and the number of objects in it.
pub(super) fn all() -> Vec<(Settings, &'static str, usize)> {
    vec![
        (
            Settings::ArgoCd(Box::new(argo_cd())),
            "argo-cd-v3.5.1.yaml",
            59,
        ),
        (
            Settings::ArgoEvents(argo_events()),
            "argo-events-v1.9.11.yaml",
            11,
        ),
        (Settings::ArgoRollouts, "argo-rollouts-v1.9.1.yaml", 15),
        (Settings::CertManager, "cert-manager-1.21.1.yaml", 50),
        (Settings::ExternalSecrets, "external-secrets-2.9.0.yaml", 44),
        (Settings::Hnc(Hnc::default()), "hnc-v1.1.0-pfnet.3.yaml", 17),
        (
            Settings::TektonPipelines,
            "tekton-pipelines-v1.15.0.yaml",
            76,
        ),
        (
            Settings::TektonDashboard(TektonDashboard::Internal),
            "tekton-dashboard-v0.71.0.yaml",
            11,
        ),
    ]
}

fn objects(settings: Settings, file: &'static str) -> Vec<Object> {
    customise(&installation(settings), file).unwrap()
}

fn data<'o>(objects: &'o [Object], config_map: &str, key: &str) -> Option<&'o str> {
    let data = get(objects, "ConfigMap", config_map).get("/data")?;
    data.get(key)?.as_str()
}

fn images(objects: &[Object]) -> Vec<&str> {
    let pods = objects
        .iter()
        .filter_map(|object| object.get("/spec/template/spec"));
    let containers = pods.flat_map(|pod| {
        let lists = ["initContainers", "containers"].map(|list| pod.get(list));
        lists
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten()
    });
    containers
        .filter_map(|container| container["image"].as_str())
        .collect()
}

#[test]
fn every_object_is_labelled_and_in_a_namespace_if_it_needs_one() {
    if !manifests_are_there() {
        return;
    }
    for (settings, file, count) in all() {
        let component = settings.component();
        let namespace = settings.namespace().to_owned();
        let objects = objects(settings, file);
        assert!(
            objects.len().abs_diff(count) < 9,
            "{component}: {}",
            objects.len()
        );
        for object in &objects {
            assert_eq!(object.label(COMPONENT_LABEL), Some(component.name()));
            let is_of_cluster = object.reference().kind.kind.starts_with("Cluster")
                || ["Namespace", "CustomResourceDefinition"]
                    .contains(&object.reference().kind.kind.as_str())
                || object
                    .reference()
                    .kind
                    .kind
                    .ends_with("WebhookConfiguration");
            assert_eq!(
                object.reference().namespace.is_none(),
                is_of_cluster,
                "{object:?}"
            );
        }
        if component != Component::TektonDashboard {
            get(&objects, "Namespace", &namespace);
        }
    }
}

#[test]
fn nothing_but_what_is_meant_to_changes() {
    if !manifests_are_there() {
        return;
    }
    for (settings, file, _) in all() {
        let component = settings.component();
        let built = objects(settings, file);
        let shipped = shipped(file);
        let mut left_out = Vec::new();
        for object in &shipped {
            let reference = object.reference();
            let Some(built) = find(&built, &reference.kind.kind, &reference.name) else {
                left_out.push(reference.name.as_str());
                continue;
            };
            let is_definition = reference.kind.kind == "CustomResourceDefinition";
            if is_definition {
                assert_eq!(
                    built.get("/spec"),
                    object.get("/spec"),
                    "{component} {reference}"
                );
            }
            assert_eq!(built.get("/spec/selector"), object.get("/spec/selector"));
            assert_eq!(built.get("/rules"), object.get("/rules"));
        }
        left_out.dedup();
        let expected: &[&str] = match component {
            Component::ArgoCd => &["argocd-dex-server", "argocd-dex-server-network-policy"],
            Component::CertManager => &[
                "cert-manager-startupapicheck",
                "cert-manager-startupapicheck:create-cert",
                "cert-manager-startupapicheck",
            ],
            _ => &[],
        };
        left_out.sort_unstable();
        left_out.dedup();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(left_out, expected, "{component}");
    }
}

#[test]
fn all_images_come_from_the_mirror() {
    if !manifests_are_there() {
        return;
    }
    for (settings, file, _) in all() {
        let component = settings.component();
        let installation = Installation {
            images: Images {
                registry: Some(ImageRegistry::parse("m.example.com/mirror").unwrap()),
                pull_secret: Some("login".into()),
            },
            ..installation(settings)
        };
        let objects = customise(&installation, file).unwrap();
        let found = images(&objects);
        assert!(!found.is_empty(), "{component}");
        for image in found {
            assert!(
                image.starts_with("m.example.com/mirror/"),
                "{component}: {image}"
            );
        }
        for object in objects {
            if let Some(pod) = object.get("/spec/template/spec") {
                assert_eq!(pod["imagePullSecrets"], json!([{"name": "login"}]));
            }
            // Definitions and examples speak of registries; nothing else does.
            if object.reference().kind.kind != "CustomResourceDefinition" {
                let text = object.json().to_string();
                for registry in [
                    "\"quay.io/",
                    "\"ghcr.io/",
                    "image=quay.io",
                    "natsImage: nats",
                    "\"docker.io/",
                ] {
                    assert!(!text.contains(registry), "{object:?} has {registry}");
                }
            }
        }
    }
}

#[test]
fn no_image_is_without_a_version() {
    if !manifests_are_there() {
        return;
    }
    for (settings, file, _) in all() {
        for image in images(&objects(settings, file)) {
            assert!(
                !image.ends_with(":latest") && image.contains(':'),
                "{image}"
            );
        }
    }
}

#[test]
fn a_built_in_digest_is_that_of_the_manifest_that_the_tests_use() {
    if !manifests_are_there() {
        return;
    }
    let mut checked = 0;
    for (settings, file, _) in all() {
        if let Origin::Manifest {
            sha256: Some(sha256),
            ..
        } = settings.component().origin()
        {
            assert_eq!(Sha256::compute(upstream(file).as_bytes()), sha256, "{file}");
            checked += 1;
        }
    }
    assert_eq!(checked, 2);
}

#[test]
fn the_manifest_of_another_project_is_refused() {
    if !manifests_are_there() {
        return;
    }
    for (settings, file, _) in all() {
        let other = if file.starts_with("argo-events") {
            "argo-rollouts-v1.9.1.yaml"
        } else {
            "argo-events-v1.9.11.yaml"
        };
        let component = settings.component();
        let refused = customise(&installation(settings), other);
        assert!(
            matches!(refused, Err(ComponentError::MissingObject { .. })),
            "{component}"
        );
    }
    let error = installation(Settings::ArgoRollouts).objects(Some("a: ["));
    assert!(matches!(error, Err(ComponentError::Manifest { .. })));
}

#[test]
fn argo_cd_gets_its_address_and_the_token_of_push_hooks() {
    if !manifests_are_there() {
        return;
    }
    let settings = ArgoCd {
        url: Some("https://argocd.example.com:30443".into()),
        exposure: Some(exposure("argocd.example.com")),
        known_hosts: Some("gitlab.example.com ssh-ed25519 AAAA\n".into()),
        ..argo_cd()
    };
    let objects = objects(Settings::ArgoCd(Box::new(settings)), "argo-cd-v3.5.1.yaml");
    assert_eq!(
        data(&objects, "argocd-cm", "url"),
        Some("https://argocd.example.com:30443")
    );
    // What the manifest configures stays.
    let shipped = "resource.customizations.ignoreResourceUpdates.ConfigMap";
    assert!(data(&objects, "argocd-cm", shipped).is_some());
    assert_eq!(data(&objects, "argocd-rbac-cm", "scopes"), Some("[groups]"));
    assert_eq!(
        data(&objects, "argocd-cmd-params-cm", "server.insecure"),
        Some("true")
    );
    let known_hosts = data(&objects, "argocd-ssh-known-hosts-cm", "ssh_known_hosts").unwrap();
    assert!(known_hosts.contains("github.com ssh-ed25519"));
    assert!(known_hosts.ends_with("\ngitlab.example.com ssh-ed25519 AAAA\n"));
    assert_eq!(
        get(&objects, "Secret", "argocd-secret").get("/stringData"),
        Some(&json!({"webhook.gitlab.secret": "s3cr3t-token"}))
    );
    assert_eq!(
        get(&objects, "Ingress", "argocd-server").get("/spec"),
        Some(&json!({
            "ingressClassName": "traefik",
            "rules": [{"host": "argocd.example.com", "http": {"paths": [{
                "path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": "argocd-server", "port": {"name": "http"}}}
            }]}}],
            "tls": [{"hosts": ["argocd.example.com"]}]
        }))
    );
    assert!(find(&objects, "Deployment", "argocd-dex-server").is_none());
}

#[test]
fn argo_cd_in_another_namespace_has_its_rights_there() {
    if !manifests_are_there() {
        return;
    }
    let settings = ArgoCd {
        namespace: "tools".into(),
        ..argo_cd()
    };
    let objects = objects(Settings::ArgoCd(Box::new(settings)), "argo-cd-v3.5.1.yaml");
    let binding = get(&objects, "ClusterRoleBinding", "argocd-server");
    assert_eq!(binding.text("/subjects/0/namespace"), Some("tools"));
    for object in &objects {
        assert_ne!(object.reference().namespace.as_deref(), Some("argocd"));
    }
}

#[test]
fn users_of_argo_cd_log_in_with_the_groups_that_the_issuer_knows() {
    if !manifests_are_there() {
        return;
    }
    let config = |groups_claim: &str| {
        let settings = ArgoCd {
            groups_claim: groups_claim.into(),
            single_sign_on: Some(ArgoCdSingleSignOn {
                issuer: "https://gitlab.example.com".into(),
                client_id: "argocd".into(),
                client_secret: Secret::from("s3cr3t-client"),
                ca_pem: Some("-----BEGIN CERTIFICATE-----\n".into()),
            }),
            ..argo_cd()
        };
        let objects = objects(Settings::ArgoCd(Box::new(settings)), "argo-cd-v3.5.1.yaml");
        let config = data(&objects, "argocd-cm", "oidc.config")
            .unwrap()
            .to_owned();
        let scopes = data(&objects, "argocd-rbac-cm", "scopes")
            .unwrap()
            .to_owned();
        let secret = get(&objects, "Secret", "argocd-secret");
        let entries = secret.get("/stringData").unwrap();
        assert_eq!(entries["oidc.nautes.clientSecret"], "s3cr3t-client");
        assert!(!config.contains("s3cr3t"));
        (serde_json::from_str::<Value>(&config).unwrap(), scopes)
    };
    let (of_gitlab, scopes) = config("groups_direct");
    assert_eq!(
        of_gitlab,
        json!({
            "name": "SSO", "issuer": "https://gitlab.example.com", "clientID": "argocd",
            "clientSecret": "$oidc.nautes.clientSecret", "rootCA": "-----BEGIN CERTIFICATE-----\n",
            "requestedScopes": ["openid", "profile", "email"]
        })
    );
    assert_eq!(scopes, "[groups_direct]");
    let (of_dex, _) = config("groups");
    assert_eq!(
        of_dex["requestedScopes"],
        json!(["openid", "profile", "email", "groups"])
    );
}

#[test]
fn an_argo_cd_of_somebody_else_gets_our_keys_alone() {
    let installation = installation(Settings::ArgoCd(Box::new(argo_cd())));
    let keys = installation.own_keys().unwrap();
    let contents: Vec<_> = keys
        .iter()
        .map(|object| {
            (
                object.reference().to_string(),
                object.get("/data").or(object.get("/stringData")),
            )
        })
        .collect();
    assert_eq!(
        contents,
        [
            (
                "ConfigMap argocd/argocd-rbac-cm".to_owned(),
                Some(&json!({"scopes": "[groups]"}))
            ),
            (
                "Secret argocd/argocd-secret".to_owned(),
                Some(&json!({"webhook.gitlab.secret": "s3cr3t-token"}))
            ),
        ]
    );
}

#[test]
fn no_secret_is_shown_by_debug_output() {
    if !manifests_are_there() {
        return;
    }
    let installation = installation(Settings::ArgoCd(Box::new(argo_cd())));
    let objects = customise(&installation, "argo-cd-v3.5.1.yaml");
    let shown = format!("{installation:?} {objects:?}");
    assert!(!shown.contains("s3cr3t"));
}

#[test]
fn argo_events_gets_an_event_bus_and_the_authority_of_event_sources() {
    if !manifests_are_there() {
        return;
    }
    let settings = ArgoEvents {
        replicas: BusReplicas::new(1).unwrap(),
        storage_class: Some("fast".into()),
        ca_pem: Some("-----BEGIN CERTIFICATE-----\n".into()),
        webhook_certificate: Some(WebhookCertificate {
            issuer: "letsencrypt".into(),
            host: "webhook.pipe-01.example.com".into(),
        }),
        ..argo_events()
    };
    let objects = objects(Settings::ArgoEvents(settings), "argo-events-v1.9.11.yaml");
    let bus = get(&objects, "EventBus", "default");
    assert_eq!(bus.reference().namespace.as_deref(), Some("argo-events"));
    assert_eq!(
        bus.get("/spec"),
        Some(&json!({"jetstream": {
            "version": "2.10.29",
            "replicas": 1,
            "persistence": {"accessMode": "ReadWriteOnce", "volumeSize": "1Gi", "storageClassName": "fast"},
            "streamConfig": "replicas: 1\n"
        }}))
    );
    assert_eq!(
        data(&objects, "ca-certificates", "ca.crt"),
        Some("-----BEGIN CERTIFICATE-----\n")
    );
    let certificate = get(&objects, "Certificate", "nautes-webhook");
    assert_eq!(
        certificate.text("/spec/issuerRef/name"),
        Some("letsencrypt")
    );
}

#[test]
fn an_event_bus_has_three_servers_on_the_storage_of_the_cluster_unless_told_otherwise() {
    if !manifests_are_there() {
        return;
    }
    let objects = objects(
        Settings::ArgoEvents(argo_events()),
        "argo-events-v1.9.11.yaml",
    );
    assert_eq!(
        get(&objects, "EventBus", "default").get("/spec"),
        Some(&json!({"jetstream": {
            "version": "2.10.29",
            "replicas": 3,
            "persistence": {"accessMode": "ReadWriteOnce", "volumeSize": "1Gi"}
        }}))
    );
    // Event sources mount it whether there is a private authority or not.
    get(&objects, "ConfigMap", "ca-certificates");
}

#[test]
fn a_version_of_the_event_bus_must_be_known_to_the_controller() {
    if !manifests_are_there() {
        return;
    }
    let with = |version: &str| {
        let settings = ArgoEvents {
            bus_version: Some(version.into()),
            ..argo_events()
        };
        customise(
            &installation(Settings::ArgoEvents(settings)),
            "argo-events-v1.9.11.yaml",
        )
    };
    let kept = with("2.9.16").unwrap();
    assert_eq!(
        get(&kept, "EventBus", "default").text("/spec/jetstream/version"),
        Some("2.9.16")
    );
    let refused = with("2.11.0").unwrap_err().to_string();
    assert!(
        refused.starts_with(
            "Argo Events does not know version 2.11.0 of its event bus; it knows 2.8.1, "
        ),
        "{refused}"
    );
}

#[test]
fn argo_events_gets_no_validating_webhook() {
    if !manifests_are_there() {
        return;
    }
    let manifest = upstream("argo-events-v1.9.11.yaml")
        + "---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: events-webhook}}\n\
           ---\n{apiVersion: v1, kind: ServiceAccount, metadata: {name: argo-events-webhook-sa}}\n";
    let objects = installation(Settings::ArgoEvents(argo_events())).objects(Some(&manifest));
    let objects = objects.unwrap();
    assert!(find(&objects, "Deployment", "events-webhook").is_none());
    assert!(find(&objects, "ServiceAccount", "argo-events-webhook-sa").is_none());
}

#[test]
fn pods_of_a_pipeline_run_may_be_on_several_nodes() {
    if !manifests_are_there() {
        return;
    }
    let objects = objects(Settings::TektonPipelines, "tekton-pipelines-v1.15.0.yaml");
    assert_eq!(
        data(&objects, "feature-flags", "coschedule"),
        Some("disabled")
    );
    assert_eq!(
        data(&objects, "feature-flags", "enable-api-fields"),
        Some("beta")
    );
}

#[test]
fn behind_single_sign_on_the_dashboard_has_no_rights_of_its_own() {
    if !manifests_are_there() {
        return;
    }
    let binding = "tekton-dashboard-backend-view";
    let file = "tekton-dashboard-v0.71.0.yaml";
    let internal = objects(Settings::TektonDashboard(TektonDashboard::Internal), file);
    assert!(find(&internal, "ClusterRoleBinding", binding).is_some());
    assert!(find(&internal, "Ingress", "tekton-dashboard").is_none());

    let reached = TektonDashboard::SingleSignOn {
        exposure: Exposure {
            certificate: Certificate::Issuer("letsencrypt".into()),
            ..exposure("tekton.example.com")
        },
        middleware: "traefik-oauth-pipe-01@kubernetescrd".into(),
    };
    let reached = objects(Settings::TektonDashboard(reached), file);
    assert!(find(&reached, "ClusterRoleBinding", binding).is_none());
    assert!(find(&reached, "ClusterRole", binding).is_some());
    let ingress = get(&reached, "Ingress", "tekton-dashboard");
    assert_eq!(
        ingress.get("/metadata/annotations"),
        Some(&json!({
            "cert-manager.io/cluster-issuer": "letsencrypt",
            "traefik.ingress.kubernetes.io/router.middlewares": "traefik-oauth-pipe-01@kubernetescrd"
        }))
    );
    assert_eq!(
        ingress.get("/spec/tls/0"),
        Some(
            &json!({"hosts": ["tekton.example.com"], "secretName": "tekton-dashboard-certificate"})
        )
    );
}

#[test]
fn external_secrets_of_a_release_moves_out_of_the_default_namespace() {
    if !manifests_are_there() {
        return;
    }
    let rendered = upstream("external-secrets-2.9.0.yaml");
    let released = rendered
        .replace("namespace: external-secrets", "namespace: default")
        .replace("namespace: \"external-secrets\"", "namespace: \"default\"")
        .replace("namespace=external-secrets", "namespace=default")
        .replace("webhook.external-secrets.svc", "webhook.default.svc");
    assert_ne!(rendered, released);
    let build = |text: &str| {
        installation(Settings::ExternalSecrets)
            .objects(Some(text))
            .unwrap()
    };
    assert_eq!(build(&released), build(&rendered));
}

#[test]
fn hierarchies_leave_the_namespaces_of_components_alone() {
    if !manifests_are_there() {
        return;
    }
    let settings = Hnc {
        excluded_namespaces: ["argocd".to_owned(), "traefik".to_owned()].into(),
    };
    let objects = objects(Settings::Hnc(settings), "hnc-v1.1.0-pfnet.3.yaml");
    let manager = get(&objects, "Deployment", "hnc-controller-manager");
    let arguments: Vec<&str> = manager
        .list("/spec/template/spec/containers/0/args")
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|argument| argument.strip_prefix("--excluded-namespace="))
        .collect();
    for namespace in ["argocd", "traefik", "kube-system", "nautes"] {
        let count = arguments
            .iter()
            .filter(|other| **other == namespace)
            .count();
        assert_eq!(count, 1, "{namespace}");
    }
}
