//! What a control plane does.

use serde_json::{Value, json};
use testbed::{AuditEvent, ControlPlane, ControlPlaneOptions, Method};

use crate::{namespace, wait_for};

fn config_map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } })
}

#[test]
fn a_deleted_namespace_disappears_with_its_objects() {
    let control_plane = namespace("deleted");
    let config_maps = "/api/v1/namespaces/deleted/configmaps";
    control_plane
        .api(Method::POST, config_maps, Some(&config_map("a")))
        .unwrap();
    control_plane
        .api(Method::DELETE, "/api/v1/namespaces/deleted", None)
        .unwrap();
    wait_for("the deletion", || {
        let namespace = control_plane.get("/api/v1/namespaces/deleted").unwrap();
        namespace.is_none().then_some(())
    });
    let object = format!("{config_maps}/a");
    assert_eq!(control_plane.get(&object).unwrap(), None);
}

#[test]
fn the_pods_of_a_deployment_become_ready_and_have_endpoints() {
    let control_plane = namespace("deployment");
    let manifests = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: deployment}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers: [{name: prepare, image: no-such-image}]
      containers: [{name: web, image: no-such-image}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: deployment}
spec: {selector: {app: web}, ports: [{port: 443}]}
";
    control_plane.apply(manifests).unwrap();
    control_plane
        .kubectl("-n deployment rollout status deployment/web --timeout=120s".split(' '))
        .unwrap();
    let slices = "/apis/discovery.k8s.io/v1/namespaces/deployment/endpointslices";
    let ready = wait_for("the endpoints", || {
        let slices = control_plane.get(slices).unwrap()?;
        let endpoints = slices.pointer("/items/0/endpoints")?.as_array()?.clone();
        (endpoints.len() == 2).then_some(endpoints)
    });
    assert!(
        ready.iter().all(|pod| pod["conditions"]["ready"] == true),
        "{ready:?}"
    );
    let service = "/api/v1/namespaces/deployment/services/web";
    let service = control_plane.get(service).unwrap().unwrap();
    let address: std::net::Ipv4Addr = service["spec"]["clusterIP"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(address.is_loopback(), "{address}");
}

#[test]
fn a_job_completes() {
    let control_plane = namespace("job");
    control_plane
        .kubectl("-n job create job once --image=no-such-image".split(' '))
        .unwrap();
    control_plane
        .kubectl("-n job wait --for=condition=complete job/once --timeout=120s".split(' '))
        .unwrap();
}

#[test]
fn a_service_account_can_do_only_what_a_role_grants() {
    let control_plane = namespace("rbac");
    let kubectl = |command: &str| control_plane.kubectl(command.split(' '));
    kubectl("-n rbac create serviceaccount reader").unwrap();
    kubectl("-n rbac create role reader --verb=get,list --resource=configmaps").unwrap();
    kubectl("-n rbac create rolebinding reader --role=reader --serviceaccount=rbac:reader")
        .unwrap();
    let token = kubectl("-n rbac create token reader").unwrap().stdout;
    let token = format!("--token={}", token.trim());
    let as_reader = |command: &str| {
        let server = format!("--server={}", control_plane.url());
        // Without the client certificate of the kubeconfig, the token alone counts.
        let authority = control_plane.folder().join("ca.crt");
        let authority = format!("--certificate-authority={}", authority.display());
        let flags = [
            "--kubeconfig=/dev/null",
            &server,
            &authority,
            &token,
            "-n",
            "rbac",
        ];
        control_plane.kubectl(flags.into_iter().chain(command.split(' ')))
    };
    as_reader("get configmaps").unwrap();
    let refusal = as_reader("get secrets").unwrap_err().to_string();
    assert!(refusal.contains("Forbidden"), "{refusal}");
    let user = "system:serviceaccount:rbac:reader";
    assert!(refusal.contains(user), "{refusal}");

    let is_refused = |event: &AuditEvent| {
        let object = event.object_ref.as_ref();
        event.user.username == user && object.is_some_and(|object| object.resource == "secrets")
    };
    // An event may be written a moment after its response.
    let refused = wait_for("the audit event", || {
        let events = control_plane.audit_events().unwrap();
        events.into_iter().find(is_refused)
    });
    assert_eq!(refused.verb, "list");
    assert_eq!(refused.response_status.as_ref().unwrap().code, 403);
}

#[tokio::test]
async fn a_test_in_an_asynchronous_runtime_can_use_everything() {
    let control_plane = ControlPlane::shared().unwrap();
    let nodes = control_plane
        .api(Method::GET, "/api/v1/nodes", None)
        .unwrap();
    assert_eq!(nodes["items"].as_array().unwrap().len(), 1);
    let proxy = control_plane.start_proxy().unwrap();
    let kubeconfig = control_plane.kubeconfig_through(&proxy).unwrap();
    let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
    control_plane
        .kubectl([&kubeconfig, "get", "nodes"])
        .unwrap();
    assert!(proxy.calls().count() > 0);
}

#[test]
fn a_control_plane_of_its_own_keeps_its_objects_when_the_api_server_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let options = ControlPlaneOptions {
        api_server_arguments: vec!["--enable-admission-plugins=AlwaysPullImages".to_owned()],
    };
    let mut control_plane = ControlPlane::start(folder.path(), &options).unwrap();
    let shared = ControlPlane::shared().unwrap();
    assert_ne!(control_plane.address(), shared.address());
    let config_maps = "/api/v1/namespaces/default/configmaps";
    control_plane
        .api(Method::POST, config_maps, Some(&config_map("kept")))
        .unwrap();

    let (url, authority) = (control_plane.url(), control_plane.certificate_authority());
    control_plane.stop_api_server();
    let kept = format!("{config_maps}/kept");
    assert!(control_plane.get(&kept).is_err());
    control_plane.restart_api_server().unwrap();
    assert_eq!(control_plane.url(), url);
    assert_eq!(control_plane.certificate_authority(), authority);
    assert!(control_plane.get(&kept).unwrap().is_some());
    assert_eq!(shared.get(&kept).unwrap(), None);

    // The controllers continue, and the admission plugin is active.
    control_plane
        .kubectl("run pod --image=no-such-image".split(' '))
        .unwrap();
    control_plane
        .kubectl("wait --for=condition=Ready pod/pod --timeout=120s".split(' '))
        .unwrap();
    let pod = "/api/v1/namespaces/default/pods/pod";
    let pod = control_plane.get(pod).unwrap().unwrap();
    let policy = pod.pointer("/spec/containers/0/imagePullPolicy");
    assert_eq!(policy, Some(&json!("Always")));

    let address = control_plane.address();
    control_plane.stop();
    assert!(std::net::TcpStream::connect(address).is_err());
}
