//! Virtual clusters: the objects in a host with a real Kubernetes API, and a second one that plays the inside.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{ControlPlane, ControlPlaneOptions, Method, StandIn};

use crate::cluster_gone::Forwarder;
use crate::test_env::{Case, TestEnv};

const TENANT_REPOSITORY: &str = "tenant/management";

/// A volume for the data of a virtual cluster: no provisioner runs in the test bed.
const VOLUME: &str = "
apiVersion: v1
kind: PersistentVolume
metadata: { name: data }
spec:
  capacity: { storage: 5Gi }
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  hostPath: { path: /nowhere }
";

/// The host, with nothing installed in it.
fn host(api_server: &str) -> String {
    format!(
        r#"
resource "nautes_cluster" "host" {{
  name          = "host-01"
  api_server    = "{api_server}"
  cluster_type  = "physical"
  usage         = "host"
  kubeconfig_wo = file("${{path.module}}/kubeconfig")
  components    = {{ gateway = {{ install = false }} }}
}}
"#
    )
}

/// A virtual worker for deployments, with nothing installed in it.
fn virtual_worker(api_server: &str, host_cluster: &str, vcluster: &str) -> String {
    format!(
        r#"
resource "nautes_cluster" "deploy" {{
  name         = "deploy-01"
  api_server   = "{api_server}"
  cluster_type = "virtual"
  usage        = "worker"
  worker_type  = "deployment"
  host_cluster = {host_cluster}
  vcluster     = {vcluster}
  components = {{
    deployment           = {{ install = false }}
    progressive_delivery = {{ install = false }}
    secret_sync          = {{ install = false }}
  }}
}}
"#
    )
}

/// A host, and another control plane that plays the virtual cluster in it.
struct Stack {
    env: TestEnv,
    _stand_in: StandIn,
    host: ControlPlane,
    inner: ControlPlane,
    _folder: tempfile::TempDir,
}

fn kubeconfig(control_plane: &ControlPlane) -> anyhow::Result<String> {
    let kubeconfig = control_plane.kubectl(["config", "view", "--raw", "--flatten"])?;
    Ok(kubeconfig.stdout)
}

impl Stack {
    fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let options = ControlPlaneOptions::default();
        let host = ControlPlane::start(&folder.path().join("host"), &options)?;
        let inner = ControlPlane::start(&folder.path().join("inner"), &options)?;
        let stand_in = StandIn::start(&host)?;
        stand_in.set_virtual_cluster("deploy-01", &kubeconfig(&inner)?);
        host.apply(VOLUME)?;
        let mut env = TestEnv::with_vault("")?;
        env.vault()?.enable_kv("cluster")?;
        let group = json!({ "name": "tenant", "path": "tenant" });
        env.gitlab.api(Method::POST, "/groups", Some(&group))?;
        let workspace = &mut env.workspace;
        workspace.set_env("NAUTES_TENANT_REPOSITORY_PROJECT", TENANT_REPOSITORY);
        workspace.set_env("NAUTES_TENANT_REPOSITORY_CREATE", "true");
        env.workspace.write("kubeconfig", &kubeconfig(&host)?)?;
        Ok(Self {
            env,
            _stand_in: stand_in,
            host,
            inner,
            _folder: folder,
        })
    }

    /// The configuration with the host and the virtual worker in it.
    fn configuration(&self) -> String {
        let host_cluster = "nautes_cluster.host.id";
        let worker = virtual_worker(
            &self.inner.url(),
            host_cluster,
            "{ https_node_port = 31000 }",
        );
        host(&self.host.url()) + &worker
    }

    /// The names of the objects in the host that a person would miss.
    fn host_objects(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for path in [
            "/api/v1/namespaces",
            "/api/v1/serviceaccounts",
            "/api/v1/secrets",
            "/api/v1/configmaps",
            "/api/v1/services",
            "/api/v1/persistentvolumes",
            "/api/v1/persistentvolumeclaims",
            "/apis/apps/v1/statefulsets",
            "/apis/rbac.authorization.k8s.io/v1/roles",
            "/apis/rbac.authorization.k8s.io/v1/rolebindings",
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        ] {
            let listed = self.host.api(Method::GET, path, None)?;
            let items = listed.get("items").and_then(Value::as_array);
            for object in items.into_iter().flatten() {
                let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
                let name = text("/metadata/name").unwrap_or_default();
                if name != "kube-root-ca.crt" {
                    let namespace = text("/metadata/namespace").unwrap_or_default();
                    names.insert(format!("{path} {namespace}/{name}"));
                }
            }
        }
        Ok(names)
    }

    /// Waits until the host has these objects and no others: its garbage collector runs behind.
    fn wait_for_host_objects(&self, expected: &BTreeSet<String>) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.host_objects()? != *expected && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(500));
        }
        assert_eq!(self.host_objects()?, *expected);
        Ok(())
    }

    fn drift(&self) -> anyhow::Result<String> {
        self.env.workspace.apply_with(&["-refresh-only"])?;
        let cluster = self.env.workspace.resource("nautes_cluster.deploy")?;
        Ok(cluster
            .get("drift")
            .cloned()
            .unwrap_or_default()
            .to_string())
    }
}

#[test]
fn a_virtual_worker_is_made_in_its_host_repaired_and_removed_without_a_trace() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, host, inner, ..
    } = &stack;
    let before = (stack.host_objects()?, env.vault()?.inventory()?);
    env.write(&stack.configuration())?;
    env.workspace.apply()?;
    let cluster = env.workspace.resource("nautes_cluster.deploy")?;
    let system = inner.get("/api/v1/namespaces/kube-system")?;
    let uid = system.unwrap_or_default()["metadata"]["uid"].clone();
    assert_eq!(cluster["cluster_uid"], uid);
    let expected = json!({
        "https_node_port": 31000, "version": "v0.36.1", "kubernetes_version": "v1.36.0",
    });
    assert_eq!(cluster["vcluster"], expected);
    // The gateway of the host serves it.
    let entry_points = env.workspace.resource("nautes_cluster.host")?["entry_points"].clone();
    assert_eq!(cluster["entry_points"], entry_points);
    let webhooks = cluster["webhook_base_url"].as_str().unwrap_or_default();
    assert!(
        webhooks.starts_with("https://webhook.deploy-01."),
        "{webhooks}"
    );
    assert!(webhooks.ends_with(":30443"), "{webhooks}");
    let service = host.get("/api/v1/namespaces/deploy-01/services/deploy-01")?;
    let port = service.unwrap_or_default()["spec"]["ports"][0]["nodePort"].clone();
    assert_eq!(port, json!(31000));
    // What is inside was set up with the kubeconfig of the host.
    assert!(inner.get("/api/v1/namespaces/vault")?.is_some());
    let mount = env.vault()?.api(Method::GET, "sys/auth/deploy-01", None)?;
    assert!(mount["data"]["description"].as_str() > Some("nautes "));
    let manifest = cluster["manifest_path"].as_str().unwrap_or_default();
    let manifest = env.read_file(TENANT_REPOSITORY, manifest)?;
    assert!(manifest.contains("hostCluster: host-01"), "{manifest}");

    host.kubectl(["delete", "service", "-n", "deploy-01", "deploy-01"])?;
    host.kubectl([
        "scale",
        "statefulset",
        "-n",
        "deploy-01",
        "deploy-01",
        "--replicas=0",
    ])?;
    inner.kubectl(["delete", "serviceaccount", "-n", "nautes", "nautes-probe"])?;
    let drift = stack.drift()?;
    for object in [
        "Service deploy-01/deploy-01",
        "StatefulSet deploy-01/deploy-01 /spec/replicas",
        "nautes-probe",
    ] {
        assert!(drift.contains(object), "{object} is not in {drift}");
    }
    let before_repair = host.audit_events()?.len();
    env.workspace.apply()?;
    // The host, which has not changed itself, is changed under its lock.
    let events = host.audit_events()?;
    let mut leases = events.iter().skip(before_repair).filter(|event| {
        let object = event.object_ref.clone().unwrap_or_default();
        event.verb == "update" && object.name == "nautes-tf-cluster"
    });
    assert!(
        leases.next().is_some(),
        "the Lease of the host was not taken"
    );

    // Another state takes it over as it is, and finds out how it runs.
    let remove = ["state", "rm", "nautes_cluster.deploy"];
    env.workspace.run(remove)?.success()?;
    env.workspace.import("nautes_cluster.deploy", "deploy-01")?;
    let imported = env.workspace.resource("nautes_cluster.deploy")?;
    assert_eq!(imported["vcluster"], expected);
    env.workspace.apply()?;

    let moved = stack.configuration().replace("31000", "31001");
    env.write(&moved)?;
    env.workspace.apply()?;
    let service = host.get("/api/v1/namespaces/deploy-01/services/deploy-01")?;
    let port = service.unwrap_or_default()["spec"]["ports"][0]["nodePort"].clone();
    assert_eq!(port, json!(31001));

    // Namespaces of products guard the cluster, and the cluster guards its host.
    let product = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": "shop", "labels": { "resource.nautes.io/belongsto": "product-1" },
    } });
    inner.apply(&product.to_string())?;
    let refused = env.workspace.failing_destroy()?.text();
    assert!(refused.contains("namespaces in it: shop"), "{refused}");
    inner.kubectl(["delete", "namespace", "shop"])?;

    env.workspace.destroy()?;
    stack.wait_for_host_objects(&before.0)?;
    assert_eq!(env.vault()?.inventory()?, before.1);
    Ok(())
}

#[test]
fn what_may_be_refused_is_refused_before_anything_is_made() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, host, inner, ..
    } = &stack;
    env.workspace.write("inner", &kubeconfig(inner)?)?;
    let worker = r#"
resource "nautes_cluster" "worker" {
  name          = "worker-01"
  api_server    = "INNER"
  cluster_type  = "physical"
  usage         = "worker"
  worker_type   = "deployment"
  kubeconfig_wo = file("${path.module}/inner")
  components = {
    deployment = { install = false }, progressive_delivery = { install = false }
    secret_sync = { install = false }, gateway = { install = false }
  }
}
"#;
    let registered = self::host(&host.url()) + &worker.replace("INNER", &inner.url());
    env.write(&registered)?;
    env.workspace.apply()?;
    let service = "{ apiVersion: v1, kind: Service, metadata: { name: web, namespace: default }, spec: { type: NodePort, ports: [{ port: 80, nodePort: 31005 }] } }";
    host.apply(service)?;
    let before = (stack.host_objects()?, env.vault()?.inventory()?);

    let try_with = |host_cluster: &str, vcluster: &str, reason: &str| -> Case {
        let cluster = virtual_worker(&inner.url(), host_cluster, vcluster);
        env.write(&(registered.clone() + &cluster))?;
        let refused = env.workspace.failing_apply()?.text();
        assert!(refused.contains(reason), "no {reason:?} in {refused}");
        assert_eq!((stack.host_objects()?, env.vault()?.inventory()?), before);
        Ok(())
    };
    let port = "{ https_node_port = 31000 }";
    try_with("\"host-02\"", port, "host-02")?;
    try_with("\"worker-01\"", port, "host")?;
    try_with("\"host-01\"", "null", "so set https_node_port")?;
    try_with("\"host-01\"", "{ https_node_port = 80 }", "30000 to 32767")?;
    try_with(
        "\"host-01\"",
        "{ https_node_port = 31005 }",
        "Service default/web",
    )?;

    let with_kubeconfig = virtual_worker(&inner.url(), "\"host-01\"", port)
        .replace("vcluster ", "kubeconfig_wo = \"{}\"\n  vcluster ");
    env.write(&(registered.clone() + &with_kubeconfig))?;
    let refused = env.workspace.failing_validate()?.text();
    assert!(
        refused.contains("has no kubeconfig of its own"),
        "{refused}"
    );
    let physical = registered.replace(
        "\"host\"\n  kube",
        &format!("\"host\"\n  vcluster = {port}\n  kube"),
    );
    env.write(&physical)?;
    let refused = env.workspace.failing_validate()?.text();
    assert!(refused.contains("this one is physical"), "{refused}");

    // A namespace of others is not taken.
    host.kubectl(["create", "namespace", "deploy-01"])?;
    let before = (stack.host_objects()?, env.vault()?.inventory()?);
    let cluster = virtual_worker(&inner.url(), "\"host-01\"", port);
    env.write(&(registered.clone() + &cluster))?;
    let refused = env.workspace.failing_apply()?.text();
    assert!(refused.contains("Namespace deploy-01"), "{refused}");
    assert_eq!((stack.host_objects()?, env.vault()?.inventory()?), before);
    Ok(())
}

#[test]
fn a_host_is_kept_while_it_has_virtual_clusters_and_one_that_cannot_be_reached_keeps_the_state()
-> Case {
    let mut stack = Stack::start()?;
    let worker = virtual_worker(
        &stack.inner.url(),
        "\"host-01\"",
        "{ https_node_port = 31000 }",
    );
    stack.env.write(&stack.configuration())?;
    stack.env.workspace.apply()?;
    let before = stack.host_objects()?;
    // By name Terraform does not see that one needs the other.
    stack.env.write(&worker)?;
    let refused = stack.env.workspace.failing_apply()?.text();
    assert!(refused.contains("hosts virtual clusters"), "{refused}");
    assert_eq!(stack.host_objects()?, before);

    stack.env.write(&stack.configuration())?;
    stack
        .env
        .workspace
        .assert_empty_plan("after a refused destroy")?;
    stack.host.stop_api_server();
    let planned = stack.env.workspace.run(["plan", "-no-color"])?;
    assert_eq!(planned.exit_code(), Some(0), "{}", planned.stderr());
    let text = planned.stdout();
    assert!(
        text.contains("The host host-01 of the virtual cluster deploy-01 cannot be reached"),
        "{text}"
    );
    assert!(text.contains("No changes"), "{text}");
    Ok(())
}

#[test]
fn a_host_that_is_gone_is_forgotten_with_its_virtual_clusters_on_request_alone() -> Case {
    let mut stack = Stack::start()?;
    let before = stack.env.vault()?.inventory()?;
    stack.env.write(&stack.configuration())?;
    stack.env.workspace.apply()?;
    let manifest = stack.env.workspace.resource("nautes_cluster.deploy")?["manifest_path"].clone();
    let manifest = manifest.as_str().unwrap_or_default();
    stack.host.stop_api_server();
    let refused = stack.env.workspace.failing_destroy()?.text();
    assert!(refused.contains("unreachable_clusters"), "{refused}");
    stack.env.read_file(TENANT_REPOSITORY, manifest)?;

    let workspace = &mut stack.env.workspace;
    workspace.set_env("NAUTES_UNREACHABLE_CLUSTERS", "forget");
    let refused = workspace.failing_destroy()?.text();
    assert!(refused.contains("itself answers"), "{refused}");
    stack.inner.stop_api_server();
    let destroyed = workspace.run(["destroy", "-auto-approve", "-no-color"])?;
    let text = destroyed.success()?.stdout().to_owned();
    for part in [
        "deploy-01 is forgotten with its host host-01",
        "data-deploy-01-0",
        "The cluster host-01 is forgotten",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert_eq!(stack.env.vault()?.inventory()?, before);
    assert!(stack.env.read_file(TENANT_REPOSITORY, manifest).is_err());
    Ok(())
}

#[test]
fn a_host_that_was_rebuilt_gets_its_virtual_clusters_anew() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, host, inner, ..
    } = &stack;
    let workspace = &env.workspace;
    let forwarder = Forwarder::start(host)?;
    let port = "{ https_node_port = 31000 }";
    let virtual_worker = virtual_worker(&inner.url(), "nautes_cluster.host.id", port);
    let configuration = self::host(&forwarder.url()) + &virtual_worker;
    env.write(&configuration)?;
    workspace.apply()?;

    let folder = tempfile::tempdir()?;
    let rebuilt = ControlPlane::start(folder.path(), &ControlPlaneOptions::default())?;
    let stand_in = StandIn::start(&rebuilt)?;
    stand_in.set_virtual_cluster("deploy-01", &kubeconfig(inner)?);
    rebuilt.apply(VOLUME)?;
    forwarder.switch(&rebuilt);
    workspace.write("kubeconfig", &kubeconfig(&rebuilt)?)?;
    let system = rebuilt.api(Method::GET, "/api/v1/namespaces/kube-system", None)?;
    let uid = system["metadata"]["uid"].as_str().unwrap_or_default();
    let accepted = format!("cluster_uid = \"{uid}\"\n  kubeconfig_wo ");
    env.write(&configuration.replacen("kubeconfig_wo ", &accepted, 1))?;
    workspace.apply_with(&[])?;
    let service = "/api/v1/namespaces/deploy-01/services/deploy-01";
    assert!(rebuilt.get(service)?.is_none());

    // Now the host tells that it has nothing of it.
    workspace.apply()?;
    assert!(rebuilt.get(service)?.is_some());
    workspace.destroy()?;
    assert!(rebuilt.get(service)?.is_none());
    Ok(())
}

#[test]
fn a_virtual_cluster_with_data_is_destroyed_only_if_it_tells_that_nothing_is_in_it() -> Case {
    let mut stack = Stack::start()?;
    stack.env.write(&stack.configuration())?;
    stack.env.workspace.apply()?;
    let product = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": "shop", "labels": { "resource.nautes.io/belongsto": "product-1" },
    } });
    stack.inner.apply(&product.to_string())?;
    let before = stack.host_objects()?;

    // A manifest that somebody has removed is no destroy that was interrupted.
    let manifest = stack.env.workspace.resource("nautes_cluster.deploy")?["manifest_path"].clone();
    let removal = json!([{ "action": "delete", "file_path": manifest }]);
    stack.env.commit(TENANT_REPOSITORY, &removal)?;
    let refused = stack.env.workspace.failing_destroy()?.text();
    assert!(refused.contains("namespaces in it: shop"), "{refused}");

    // Nor is a virtual cluster gone whose host has its data.
    stack.inner.stop_api_server();
    let workspace = &mut stack.env.workspace;
    workspace.set_env("NAUTES_UNREACHABLE_CLUSTERS", "forget");
    let refused = workspace.failing_destroy()?.text();
    assert!(refused.contains("has its data"), "{refused}");
    assert_eq!(stack.host_objects()?, before);
    Ok(())
}
