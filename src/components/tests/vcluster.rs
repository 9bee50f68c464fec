//! A virtual cluster, against what its Helm chart would make.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kubernetes_apply::object::Object;
use serde_json::Value;

use super::super::vcluster::{ApiSingleSignOn, VirtualCluster};
use super::super::{ImageRegistry, Images};
use super::{find, get, manifests_are_there, shipped};

/// With the names that the reference has.
pub(super) fn virtual_cluster() -> VirtualCluster {
    VirtualCluster {
        name: "vc".into(),
        version: VirtualCluster::default_version(),
        kubernetes_version: VirtualCluster::default_kubernetes_version(),
        https_node_port: 31000,
        api_server: "https://10.1.1.1:31000".into(),
        api_host: "10.1.1.1".into(),
        single_sign_on: None,
        images: Images::default(),
    }
}

fn chart() -> Vec<Object> {
    shipped("vcluster-0.36.1.yaml")
}

fn config(objects: &[Object]) -> Value {
    let secret = get(objects, "Secret", "vc-config-vc");
    let text = if let Some(texts) = secret.get("/stringData") {
        texts["config.yaml"].as_str().unwrap().to_owned()
    } else {
        let data = secret.get("/data").unwrap()["config.yaml"].as_str();
        String::from_utf8(STANDARD.decode(data.unwrap()).unwrap()).unwrap()
    };
    serde_saphyr::from_str(&text).unwrap()
}

/// Collects the values of a configuration that are not what the program assumes for an absent one.
fn leaves(value: &Value, path: &str, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                leaves(value, &format!("{path}/{key}"), found);
            }
        }
        Value::Null | Value::Bool(false) => {}
        Value::String(text) if text.is_empty() => {}
        Value::Array(list) if list.is_empty() => {}
        Value::Number(number) if number.as_u64() == Some(0) => {}
        other => {
            found.insert(path.to_owned(), other.clone());
        }
    }
}

#[test]
fn a_virtual_cluster_has_the_objects_of_its_chart() {
    if !manifests_are_there() {
        return;
    }
    let built = virtual_cluster().objects();
    let chart = chart();
    // The chart's objects are in a namespace of another name.
    let names = |objects: &[Object]| {
        let names = objects.iter().map(|object| {
            let reference = object.reference();
            format!("{} {}", reference.kind.kind, reference.name)
        });
        names.collect::<BTreeSet<_>>()
    };
    let mut expected = names(&chart);
    expected.insert("Namespace vc".to_owned());
    assert_eq!(names(&built), expected);
    assert_eq!(built.len(), expected.len());

    let pod = "/spec/template/spec";
    for pointer in [
        "/spec/selector",
        "/spec/serviceName",
        "/spec/podManagementPolicy",
        "/spec/persistentVolumeClaimRetentionPolicy",
        "/spec/volumeClaimTemplates",
        "/spec/replicas",
        &format!("{pod}/serviceAccountName"),
        &format!("{pod}/volumes"),
        &format!("{pod}/initContainers/0/image"),
        &format!("{pod}/initContainers/0/args"),
        &format!("{pod}/initContainers/0/resources"),
        &format!("{pod}/containers/0/image"),
        &format!("{pod}/containers/0/env"),
        &format!("{pod}/containers/0/volumeMounts"),
        &format!("{pod}/containers/0/livenessProbe"),
        &format!("{pod}/containers/0/readinessProbe"),
        &format!("{pod}/containers/0/startupProbe"),
        &format!("{pod}/containers/0/resources"),
        &format!("{pod}/containers/0/securityContext"),
    ] {
        let [built, chart] =
            [&built, &chart].map(|objects| get(objects, "StatefulSet", "vc").get(pointer));
        assert!(chart.is_some(), "{pointer}");
        assert_eq!(built, chart, "{pointer}");
    }
    for service in ["vc", "vc-headless"] {
        let [built, chart] = [&built, &chart].map(|objects| {
            let service = get(objects, "Service", service);
            let ports = service.list("/spec/ports").iter();
            let ports: Vec<_> = ports
                .map(|port| (port["name"].clone(), port["port"].clone()))
                .collect();
            (service.get("/spec/selector").cloned(), ports)
        });
        assert_eq!(built, chart);
    }
    let [built, chart] =
        [&built, &chart].map(|objects| get(objects, "Role", "vc-vc").list("/rules").to_vec());
    assert_eq!(built[..chart.len()], chart);
    assert_eq!(built[chart.len()]["resources"][0], "ingresses");
}

#[test]
fn its_configuration_differs_from_the_chart_only_where_it_must() {
    if !manifests_are_there() {
        return;
    }
    let [mut ours, mut charts] = [BTreeMap::new(), BTreeMap::new()];
    leaves(&config(&virtual_cluster().objects()), "", &mut ours);
    leaves(&config(&chart()), "", &mut charts);
    let changed: Vec<_> = ours
        .iter()
        .filter(|(path, value)| charts.get(*path) != Some(value))
        .map(|(path, value)| format!("{path} = {value}"))
        .collect();
    assert_eq!(
        changed,
        [
            "/controlPlane/distro/k8s/enabled = true",
            "/controlPlane/distro/k8s/version = \"v1.36.0\"",
            "/controlPlane/proxy/extraSANs = [\"10.1.1.1\"]",
            "/controlPlane/service/httpsNodePort = 31000",
            "/controlPlane/service/spec/type = \"NodePort\"",
            "/exportKubeConfig/server = \"https://10.1.1.1:31000\"",
            "/sync/toHost/ingresses/enabled = true",
        ]
    );
    // Parts that are off, that only the chart reads, or whose values are what the program assumes.
    let off = [
        "/controlPlane/advanced/konnectivity",
        "/controlPlane/advanced/registry",
        "/controlPlane/backingStore/etcd/deploy",
        "/controlPlane/coredns/deployment/topologySpreadConstraints",
        "/controlPlane/distro/k8s/image",
        "/controlPlane/distro/k8s/resources",
        "/controlPlane/ingress",
        "/controlPlane/standalone",
        "/controlPlane/statefulSet/image",
        "/controlPlane/statefulSet/persistence/binariesVolume",
        "/controlPlane/statefulSet/probes",
        "/controlPlane/statefulSet/resources",
        "/controlPlane/tlsRoute",
        "/deploy/",
        "/experimental/docker",
        "/integrations/",
        "/networking/podCIDR",
        "/policies/",
        "/privateNodes/",
        "/sync/fromHost/gateways",
        "/sync/toHost/gatewayApi",
        "/telemetry/",
    ];
    for path in charts.keys().filter(|path| !ours.contains_key(*path)) {
        assert!(
            off.iter().any(|off| path.starts_with(off)),
            "{path} is left out"
        );
    }
}

#[test]
fn its_users_are_known_by_their_tokens() {
    let settings = VirtualCluster {
        single_sign_on: Some(ApiSingleSignOn {
            issuer: "https://gitlab.example.com".into(),
            client_id: "nautes".into(),
            ca_pem: Some("-----BEGIN CERTIFICATE-----\n".into()),
            groups_claim: "groups_direct".into(),
            groups_prefix: "oidc:".into(),
        }),
        ..virtual_cluster()
    };
    let objects = settings.objects();
    let config = config(&objects);
    let arguments = config.pointer("/controlPlane/distro/k8s/apiServer/extraArgs");
    assert_eq!(
        arguments,
        Some(&serde_json::json!([
            "--oidc-issuer-url=https://gitlab.example.com",
            "--oidc-client-id=nautes",
            "--oidc-groups-claim=groups_direct",
            "--oidc-ca-file=/etc/nautes/ca.crt",
            "--oidc-groups-prefix=oidc:"
        ]))
    );
    get(&objects, "Secret", "ca");
    assert!(find(&virtual_cluster().objects(), "Secret", "ca").is_none());
}

#[test]
fn another_configuration_makes_a_new_pod() {
    let annotation = |port| {
        let settings = VirtualCluster {
            https_node_port: port,
            ..virtual_cluster()
        };
        let objects = settings.objects();
        let annotations =
            get(&objects, "StatefulSet", "vc").get("/spec/template/metadata/annotations");
        annotations.unwrap().clone()
    };
    assert_eq!(annotation(31000), annotation(31000));
    assert_ne!(annotation(31000), annotation(31001));
}

#[test]
fn its_images_are_mirrored() {
    let settings = VirtualCluster {
        images: Images {
            registry: Some(ImageRegistry::parse("m.example.com").unwrap()),
            pull_secret: Some("login".into()),
        },
        ..virtual_cluster()
    };
    let objects = settings.objects();
    for object in &objects {
        let text = object.json().to_string();
        assert!(
            !text.contains("ghcr.io") && !text.contains("gcr.io"),
            "{object:?}"
        );
    }
    assert_eq!(settings.kubeconfig_secret(), "vc-vc");
}
