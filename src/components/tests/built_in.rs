//! The components that the provider builds, against what their Helm charts would make.

use std::collections::BTreeSet;

use kubernetes_apply::object::Object;
use serde_json::{Value, json};

use super::super::floor::below_floors;
use super::super::{
    Certificate, Component, Dashboard, Exposure, GatewayService, ImageRegistry, Images,
    Installation, Oauth2Proxy, Settings, Traefik, Version, login_middleware,
};
use super::{get, installation, manifests_are_there, shipped as chart};
use crate::secret::Secret;

pub(super) fn traefik() -> Traefik {
    Traefik {
        service: GatewayService::NodePort {
            http: 30080,
            https: 30443,
        },
        ingress_class: "traefik".into(),
        tls_secret: None,
        middleware_users: ["oauth2-proxy", "tekton-pipelines"]
            .map(str::to_owned)
            .into(),
    }
}

fn exposure(host: &str) -> Exposure {
    Exposure {
        host: host.into(),
        ingress_class: "traefik".into(),
        certificate: Certificate::Gateway,
    }
}

pub(super) fn oauth2_proxy() -> Oauth2Proxy {
    Oauth2Proxy {
        issuer: "https://gitlab.example.com".into(),
        client_id: "nautes".into(),
        client_secret: Secret::from("s3cr3t-client"),
        cookie_secret: Secret::from("s3cr3t-cookie"),
        ca_pem: None,
        scopes: ["openid", "profile", "email"].map(str::to_owned).into(),
        exposure: exposure("auth.pipe-01.example.com"),
        redirect_url: "https://auth.pipe-01.example.com:30443/oauth2/callback".into(),
        domain: "example.com".into(),
        https_port: 30443,
        dashboards: vec![Dashboard {
            cluster: "pipe-01".into(),
            is_virtual: false,
            exposure: exposure("tekton.example.com"),
        }],
    }
}

fn build(settings: Settings) -> Vec<Object> {
    installation(settings).objects(None).unwrap()
}

fn names(objects: &[Object]) -> BTreeSet<String> {
    let names = objects.iter().map(|object| object.reference().to_string());
    names.collect()
}

/// Compares a part of an object with that of the chart.
fn assert_same(built: &[Object], chart: &[Object], kind: &str, name: &str, pointers: &[&str]) {
    for pointer in pointers {
        let [built, chart] = [built, chart].map(|objects| get(objects, kind, name).get(pointer));
        assert!(
            chart.is_some(),
            "the chart has no {pointer} in {kind} {name}"
        );
        assert_eq!(built, chart, "{pointer} of {kind} {name}");
    }
}

fn arguments(objects: &[Object], deployment: &str) -> Vec<String> {
    let deployment = get(objects, "Deployment", deployment);
    let arguments = deployment
        .list("/spec/template/spec/containers/0/args")
        .iter();
    arguments
        .map(|argument| argument.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn traefik_has_the_objects_of_its_chart() {
    if !manifests_are_there() {
        return;
    }
    let built = build(Settings::Traefik(traefik()));
    let chart: Vec<Object> = chart("traefik-41.3.0.yaml")
        .into_iter()
        // Those of a paid product, which the chart defines whether it is there or not.
        .filter(|object| !object.reference().name.ends_with(".hub.traefik.io"))
        .collect();
    let mut expected = names(&chart);
    expected.insert("Namespace traefik".to_owned());
    assert_eq!(names(&built), expected);

    assert_same(&built, &chart, "Service", "traefik", &["/spec/selector"]);
    assert_same(
        &built,
        &chart,
        "ClusterRole",
        "traefik-traefik",
        &["/rules"],
    );
    assert_same(
        &built,
        &chart,
        "ClusterRoleBinding",
        "traefik-traefik",
        &["/roleRef", "/subjects"],
    );
    assert_same(
        &built,
        &chart,
        "IngressClass",
        "traefik",
        &["/spec", "/metadata/annotations"],
    );
    let pod = "/spec/template/spec";
    assert_same(
        &built,
        &chart,
        "Deployment",
        "traefik",
        &[
            "/spec/replicas",
            "/spec/selector",
            "/spec/strategy",
            &format!("{pod}/serviceAccountName"),
            &format!("{pod}/securityContext"),
            &format!("{pod}/volumes"),
            &format!("{pod}/containers/0/ports"),
            &format!("{pod}/containers/0/env"),
            &format!("{pod}/containers/0/livenessProbe"),
            &format!("{pod}/containers/0/readinessProbe"),
            &format!("{pod}/containers/0/securityContext"),
            &format!("{pod}/containers/0/volumeMounts"),
        ],
    );
    for definition in &chart {
        let reference = definition.reference();
        if reference.kind.kind == "CustomResourceDefinition" {
            let fields = [
                "/spec/group",
                "/spec/names",
                "/spec/scope",
                "/spec/versions/0/name",
            ];
            assert_same(
                &built,
                &chart,
                &reference.kind.kind,
                &reference.name,
                &fields,
            );
        }
    }
}

#[test]
fn traefik_differs_from_its_chart_only_where_it_must() {
    if !manifests_are_there() {
        return;
    }
    let built: BTreeSet<_> = arguments(&build(Settings::Traefik(traefik())), "traefik")
        .into_iter()
        .collect();
    let chart: BTreeSet<_> = arguments(&chart("traefik-41.3.0.yaml"), "traefik")
        .into_iter()
        .collect();
    let left_out: Vec<_> = chart.difference(&built).collect();
    assert_eq!(left_out, ["--api.dashboard=true"]);
    let added: Vec<_> = built.difference(&chart).collect();
    assert_eq!(
        added,
        [
            "--providers.kubernetescrd.allowCrossNamespace=true",
            "--providers.kubernetesingress.crossProviderNamespaces=oauth2-proxy,tekton-pipelines"
        ]
    );
}

#[test]
fn the_list_of_namespaces_that_may_use_middlewares_is_never_missing() {
    let settings = Traefik {
        middleware_users: BTreeSet::new(),
        ..traefik()
    };
    let arguments = arguments(&build(Settings::Traefik(settings)), "traefik");
    let list = "--providers.kubernetesingress.crossProviderNamespaces=traefik".to_owned();
    assert!(arguments.contains(&list));
}

#[test]
fn the_image_of_traefik_is_not_below_its_floor() {
    if !manifests_are_there() {
        return;
    }
    let image = |objects: &[Object]| {
        let deployment = get(objects, "Deployment", "traefik");
        let image = deployment.text("/spec/template/spec/containers/0/image");
        image.unwrap().to_owned()
    };
    assert_eq!(
        image(&build(Settings::Traefik(traefik()))),
        "docker.io/traefik:v3.7.13"
    );
    let of_chart = image(&chart("traefik-41.3.0.yaml"));
    let version = Version::parse(of_chart.rsplit_once(':').unwrap().1).unwrap();
    assert!(!below_floors(Component::Traefik, &version).is_empty());
}

#[test]
fn the_ports_of_the_gateway_are_found_by_nautes() {
    let service = |service| {
        let objects = build(Settings::Traefik(Traefik {
            service,
            ..traefik()
        }));
        get(&objects, "Service", "traefik").clone()
    };
    let node_port = service(GatewayService::NodePort {
        http: 30080,
        https: 30443,
    });
    assert_eq!(
        node_port.label("resource.nautes.io/Usage"),
        Some("Entrypoint")
    );
    let found = super::super::entry_points::entry_points(&[node_port]).unwrap();
    assert_eq!(
        (found["traefik"].http_port, found["traefik"].https_port),
        (Some(30080), Some(30443))
    );
    let found = super::super::entry_points::entry_points(&[service(GatewayService::LoadBalancer)]);
    let found = found.unwrap();
    assert_eq!(
        (found["traefik"].http_port, found["traefik"].https_port),
        (Some(80), Some(443))
    );
}

#[test]
fn a_certificate_of_the_gateway_is_its_default() {
    let objects = build(Settings::Traefik(Traefik {
        tls_secret: Some("wildcard".into()),
        ..traefik()
    }));
    let store = get(&objects, "TLSStore", "default");
    assert_eq!(store.reference().namespace.as_deref(), Some("traefik"));
    assert_eq!(
        store.text("/spec/defaultCertificate/secretName"),
        Some("wildcard")
    );
}

#[test]
fn images_of_built_in_components_are_mirrored() {
    let installation = Installation {
        images: Images {
            registry: Some(ImageRegistry::parse("m.example.com").unwrap()),
            pull_secret: None,
        },
        ..installation(Settings::Traefik(traefik()))
    };
    let objects = installation.objects(None).unwrap();
    let deployment = get(&objects, "Deployment", "traefik");
    assert_eq!(
        deployment.text("/spec/template/spec/containers/0/image"),
        Some("m.example.com/library/traefik:v3.7.13")
    );
}

#[test]
fn oauth2_proxy_has_the_objects_of_its_chart() {
    if !manifests_are_there() {
        return;
    }
    let built = build(Settings::Oauth2Proxy(Box::new(oauth2_proxy())));
    let chart = chart("oauth2-proxy-10.7.0.yaml");
    let added: Vec<_> = names(&built).difference(&names(&chart)).cloned().collect();
    assert_eq!(
        added,
        [
            "Ingress oauth2-proxy/oauth2-proxy",
            "Ingress oauth2-proxy/tekton-dashboard",
            "Middleware.traefik.io traefik/oauth-errors-pipe-01",
            "Middleware.traefik.io traefik/oauth-forward",
            "Middleware.traefik.io traefik/oauth-pipe-01",
            "Namespace oauth2-proxy",
        ]
    );
    assert!(names(&chart).is_subset(&names(&built)));
    let name = "oauth2-proxy";
    assert_same(
        &built,
        &chart,
        "Service",
        name,
        &["/spec/selector", "/spec/type"],
    );
    let ports = |objects| {
        let ports = get(objects, "Service", name).list("/spec/ports").iter();
        let ports = ports.map(|port| {
            (
                port["name"].clone(),
                port["port"].clone(),
                port["targetPort"].clone(),
            )
        });
        ports.collect::<Vec<_>>()
    };
    assert_eq!(ports(&built), ports(&chart));
    let container = "/spec/template/spec/containers/0";
    assert_same(
        &built,
        &chart,
        "Deployment",
        name,
        &[
            "/spec/replicas",
            "/spec/selector",
            &format!("{container}/image"),
            &format!("{container}/ports"),
            &format!("{container}/env"),
            &format!("{container}/volumeMounts"),
            &format!("{container}/securityContext"),
        ],
    );
    let arguments_of_chart = arguments(&chart, name);
    let arguments_built = arguments(&built, name);
    assert_eq!(
        arguments_built[..arguments_of_chart.len()],
        arguments_of_chart
    );
    let keys = |objects: &[Object], field: &str| {
        let keys = get(objects, "Secret", name)
            .get(field)
            .and_then(Value::as_object);
        keys.unwrap().keys().cloned().collect::<BTreeSet<_>>()
    };
    assert_eq!(keys(&built, "/stringData"), keys(&chart, "/data"));
}

#[test]
fn a_dashboard_is_behind_a_login() {
    let built = build(Settings::Oauth2Proxy(Box::new(oauth2_proxy())));
    assert_eq!(
        login_middleware("pipe-01"),
        "traefik-oauth-pipe-01@kubernetescrd"
    );
    assert_eq!(
        get(&built, "Middleware", "oauth-pipe-01").get("/spec/chain/middlewares"),
        Some(&json!([{"name": "oauth-errors-pipe-01"}, {"name": "oauth-forward"}]))
    );
    assert_eq!(
        get(&built, "Middleware", "oauth-errors-pipe-01").get("/spec/errors"),
        Some(&json!({
            "status": ["401"],
            "service": {"name": "oauth2-proxy", "namespace": "oauth2-proxy", "port": 80},
            "query": "/oauth2/sign_in?rd=https://tekton.example.com:30443"
        }))
    );
    let ingress = get(&built, "Ingress", "tekton-dashboard");
    assert_eq!(
        ingress.text("/spec/rules/0/host"),
        Some("tekton.example.com")
    );
    assert_eq!(
        ingress.text("/spec/rules/0/http/paths/0/path"),
        Some("/oauth2")
    );
    let arguments = arguments(&built, "oauth2-proxy");
    for argument in [
        "--oidc-issuer-url=https://gitlab.example.com",
        "--cookie-domain=.example.com",
        "--whitelist-domain=.example.com:30443",
        "--set-authorization-header=true",
        "--scope=openid profile email",
    ] {
        assert!(arguments.contains(&argument.to_owned()), "{argument}");
    }
    assert!(
        arguments
            .iter()
            .all(|argument| !argument.contains("s3cr3t"))
    );
}

#[test]
fn other_secrets_make_a_new_pod_of_the_proxy() {
    let annotation = |cookie: &str| {
        let settings = Oauth2Proxy {
            cookie_secret: Secret::from(cookie),
            ..oauth2_proxy()
        };
        let built = build(Settings::Oauth2Proxy(Box::new(settings)));
        let deployment = get(&built, "Deployment", "oauth2-proxy");
        let annotations = deployment.get("/spec/template/metadata/annotations");
        annotations.unwrap()["nautes.terraform/configuration"].clone()
    };
    assert_eq!(annotation("a"), annotation("a"));
    assert_ne!(annotation("a"), annotation("b"));
    assert_eq!(annotation("a").as_str().map(str::len), Some(16));
}

#[test]
fn a_private_authority_of_the_issuer_is_trusted() {
    let settings = Oauth2Proxy {
        ca_pem: Some("-----BEGIN CERTIFICATE-----\n".into()),
        ..oauth2_proxy()
    };
    let built = build(Settings::Oauth2Proxy(Box::new(settings)));
    let arguments = arguments(&built, "oauth2-proxy");
    assert!(arguments.contains(&"--provider-ca-file=/etc/nautes/ca.crt".to_owned()));
    let mounts = get(&built, "Deployment", "oauth2-proxy")
        .list("/spec/template/spec/containers/0/volumeMounts");
    assert!(
        mounts
            .iter()
            .any(|mount| mount["mountPath"] == "/etc/nautes")
    );
}

#[test]
fn the_host_of_virtual_clusters_protects_the_dashboard_of_each() {
    let dashboard = |cluster: &str| Dashboard {
        cluster: cluster.into(),
        is_virtual: true,
        exposure: exposure(&format!("tekton.{cluster}.example.com")),
    };
    let settings = Oauth2Proxy {
        dashboards: vec![dashboard("build-a"), dashboard("build-b")],
        ..oauth2_proxy()
    };
    let built = build(Settings::Oauth2Proxy(Box::new(settings)));
    for cluster in ["build-a", "build-b"] {
        get(&built, "Ingress", &format!("{cluster}-tekton-dashboard"));
        get(&built, "Middleware", &format!("oauth-{cluster}"));
    }
    assert_eq!(names(&built).len(), built.len());
}
