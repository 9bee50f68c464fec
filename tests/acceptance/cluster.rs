//! Physical clusters on a real Kubernetes API.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{ControlPlane, ControlPlaneOptions, StandIn};
use testbed::{Method, exactly};

use crate::test_env::{Case, TestEnv};

/// What a worker for deployments would have otherwise.
pub(crate) const NO_COMPONENTS: &str = "{ deployment = { install = false }, progressive_delivery = { install = false }, secret_sync = { install = false }, gateway = { install = false } }";

pub(crate) const TENANT_REPOSITORY: &str = "tenant/management";

/// A worker for deployments at an address.
///
/// A worker without components: what is to be installed is for the tests that are about it.
pub(crate) fn worker(api_server: &str, kubeconfig_version: u64) -> String {
    format!(
        r#"
resource "nautes_cluster" "deploy" {{
  name                  = "deploy-01"
  api_server            = "{api_server}"
  cluster_type          = "physical"
  usage                 = "worker"
  worker_type           = "deployment"
  kubeconfig_wo         = file("${{path.module}}/kubeconfig")
  kubeconfig_wo_version = {kubeconfig_version}
  components = {NO_COMPONENTS}
}}
"#
    )
}

/// A GitLab with a tenant's repository, a Vault and a cluster.
pub(crate) struct Stack {
    pub(crate) env: TestEnv,
    pub(crate) control_plane: ControlPlane,
    _folder: tempfile::TempDir,
}

impl Stack {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let control_plane = ControlPlane::start(folder.path(), &ControlPlaneOptions::default())?;
        let mut env = TestEnv::with_vault(&worker(&control_plane.url(), 1))?;
        env.vault()?.enable_kv("cluster")?;
        let group = json!({ "name": "tenant", "path": "tenant" });
        let group = env.gitlab.api(Method::POST, "/groups", Some(&group))?;
        let project = json!({
            "name": "management", "path": "management", "namespace_id": group.get("id"),
            "initialize_with_readme": true,
        });
        env.gitlab.api(Method::POST, "/projects", Some(&project))?;
        env.workspace
            .set_env("NAUTES_TENANT_REPOSITORY_PROJECT", TENANT_REPOSITORY);
        let kubeconfig = control_plane.kubectl(["config", "view", "--raw", "--flatten"])?;
        env.workspace.write("kubeconfig", &kubeconfig.stdout)?;
        Ok(Self {
            env,
            control_plane,
            _folder: folder,
        })
    }

    /// The names of the objects in the cluster that a person would miss.
    pub(crate) fn objects(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for path in [
            "/api/v1/namespaces",
            "/api/v1/serviceaccounts",
            "/api/v1/secrets",
            "/api/v1/configmaps",
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        ] {
            let listed = self.control_plane.api(Method::GET, path, None)?;
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

    fn secret(&self) -> anyhow::Result<Value> {
        self.secret_of("admin")
    }

    pub(crate) fn secret_of(&self, account: &str) -> anyhow::Result<Value> {
        let path = format!("cluster/data/kubernetes/deploy-01/default/{account}");
        let secret = self.env.vault()?.api(Method::GET, &path, None)?;
        Ok(secret.pointer("/data/data").cloned().unwrap_or_default())
    }
}

#[test]
fn a_physical_worker_is_registered_repaired_and_removed_without_a_trace() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    let before = (stack.objects()?, env.vault()?.inventory()?);
    env.workspace.apply()?;
    let cluster = env.workspace.resource("nautes_cluster.deploy")?;
    assert_eq!(cluster["id"], json!("deploy-01"));
    let system = control_plane.get("/api/v1/namespaces/kube-system")?;
    assert_eq!(
        cluster["cluster_uid"],
        system.unwrap_or_default()["metadata"]["uid"]
    );
    assert!(
        cluster["kubernetes_version"]
            .as_str()
            .is_some_and(|version| version.starts_with('v'))
    );
    let manifest = cluster["manifest_path"].as_str().unwrap_or_default();
    let manifest = env.read_file(TENANT_REPOSITORY, manifest)?;
    assert!(manifest.contains("name: deploy-01"), "{manifest}");

    // The stored credential is one of our own, and works; it is nowhere else.
    let secret = stack.secret()?;
    let kubeconfig: Value =
        serde_json::from_str(secret["kubeconfig"].as_str().unwrap_or_default())?;
    let token = kubeconfig["users"][0]["user"]["token"]
        .as_str()
        .unwrap_or_default();
    assert!(token.len() > 100, "the kubeconfig has no token");
    let state = fs::read_to_string(env.workspace.path().join("terraform.tfstate"))?;
    assert!(!state.contains(token) && !state.contains("client-key-data"));
    let mount = env.vault()?.api(Method::GET, "sys/auth/deploy-01", None)?;
    let description = format!(
        "nautes {}",
        cluster["cluster_uid"].as_str().unwrap_or_default()
    );
    assert_eq!(mount["data"]["description"], json!(description));

    let (planned, calls) = env.gitlab.calls_during(|| env.workspace.plan())?;
    assert!(planned?.is_empty(), "the plan after an apply is not empty");
    calls.writes().assert_calls(exactly(0));

    // What is deleted in the cluster is drift, and an apply makes it again.
    control_plane.kubectl([
        "delete",
        "configmap",
        "-n",
        "nautes",
        "nautes-cluster-facts",
    ])?;
    control_plane.kubectl(["delete", "serviceaccount", "-n", "nautes", "nautes-probe"])?;
    env.workspace.apply_with(&["-refresh-only"])?;
    let drift = env.workspace.resource("nautes_cluster.deploy")?["drift"].to_string();
    assert!(
        drift.contains("nautes-cluster-facts") && drift.contains("nautes-probe"),
        "{drift}"
    );
    env.workspace.apply()?;
    assert!(env.workspace.plan()?.is_empty());

    // Another state takes it over as it is.
    env.workspace
        .run(["state", "rm", "nautes_cluster.deploy"])?
        .success()?;
    env.workspace.import("nautes_cluster.deploy", "deploy-01")?;
    env.workspace.apply()?;
    assert!(env.workspace.plan()?.is_empty());

    env.workspace.destroy()?;
    // The rights of the provider go after its namespace.
    let deadline = Instant::now() + Duration::from_secs(60);
    while stack.objects()? != before.0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!((stack.objects()?, env.vault()?.inventory()?), before);
    Ok(())
}

#[test]
fn a_token_that_is_too_old_is_replaced_by_one_that_works_before_it_ends() -> Case {
    let stack = Stack::start()?;
    let env = &stack.env;
    env.workspace.apply()?;
    let first = stack.secret()?;
    let with_limit = |limit: &str| {
        let credential =
            format!("credential = {{ rotate_after = \"{limit}\" }}\n  kubeconfig_wo_version");
        worker(&stack.control_plane.url(), 1).replace("kubeconfig_wo_version", &credential)
    };
    env.write(&with_limit("1s"))?;
    env.workspace.apply_with(&[])?;
    env.workspace.apply_with(&[])?;
    let second = stack.secret()?;
    assert_ne!(first["kubeconfig"], second["kubeconfig"]);
    let secrets = "/api/v1/namespaces/nautes/secrets";
    let secrets = stack.control_plane.api(Method::GET, secrets, None)?;
    let names = secrets["items"].as_array().into_iter().flatten();
    let mut accounts: Vec<&str> = names
        .filter_map(|secret| {
            secret["metadata"]["annotations"]["kubernetes.io/service-account.name"].as_str()
        })
        .collect();
    accounts.sort_unstable();
    let expected = ["nautes-runtime", "terraform-provider-nautes"];
    assert_eq!(accounts, expected, "{secrets}");
    env.write(&with_limit("2160h"))?;
    env.workspace.apply()?;
    Ok(())
}

#[test]
fn a_cluster_that_another_one_answers_for_is_an_error_and_nothing_is_changed() -> Case {
    let stack = Stack::start()?;
    let env = &stack.env;
    env.workspace.apply()?;
    let folder = tempfile::tempdir()?;
    let other = ControlPlane::start(folder.path(), &ControlPlaneOptions::default())?;
    let before = (stack.objects()?, env.vault()?.inventory()?);
    env.write(&worker(&other.url(), 2))?;
    let kubeconfig = other.kubectl(["config", "view", "--raw", "--flatten"])?;
    env.workspace.write("kubeconfig", &kubeconfig.stdout)?;
    let refused = env.workspace.failing_apply()?.text();
    assert!(refused.contains("Another cluster answers"), "{refused}");
    assert!(refused.contains("cluster_uid"), "{refused}");
    assert_eq!((stack.objects()?, env.vault()?.inventory()?), before);
    Ok(())
}

#[test]
fn an_auth_mount_of_somebody_else_is_refused_before_anything_is_written() -> Case {
    let stack = Stack::start()?;
    let env = &stack.env;
    let theirs = json!({ "type": "kubernetes", "description": "of another team" });
    env.vault()?
        .api(Method::POST, "sys/auth/deploy-01", Some(&theirs))?;
    let before = (stack.objects()?, env.vault()?.inventory()?);
    let refused = env.workspace.failing_apply()?.text();
    assert!(refused.contains("auth/deploy-01"), "{refused}");
    assert!(refused.contains("of another team"), "{refused}");
    assert_eq!((stack.objects()?, env.vault()?.inventory()?), before);
    Ok(())
}

#[test]
fn a_cluster_that_cannot_be_reached_is_a_warning_and_keeps_its_state() -> Case {
    let mut stack = Stack::start()?;
    stack.env.workspace.apply()?;
    stack.control_plane.stop_api_server();
    let planned = stack.env.workspace.run(["plan", "-no-color"])?;
    assert_eq!(planned.exit_code(), Some(0), "{}", planned.stderr());
    let text = planned.stdout();
    assert!(
        text.contains("The cluster deploy-01 cannot be reached"),
        "{text}"
    );
    assert!(text.contains("No changes"), "{text}");
    Ok(())
}

/// Returns the definitions of kinds in a manifest.
pub(crate) fn definitions(file: &str) -> anyhow::Result<String> {
    let (path, _) = manifest(file)?;
    let text = std::fs::read_to_string(path)?;
    let documents = text.split("\n---");
    let definitions: Vec<&str> = documents
        .filter(|document| document.contains("\nkind: CustomResourceDefinition"))
        .collect();
    Ok(definitions.join("\n---"))
}

/// The install manifests of upstream projects, which are test data.
pub(crate) fn manifest(name: &str) -> anyhow::Result<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/components");
    let path = folder.canonicalize()?.join(name);
    let content = fs::read(&path)?;
    let digest = ring::digest::digest(&ring::digest::SHA256, &content);
    let mut sha256 = String::new();
    for byte in digest.as_ref() {
        write!(sha256, "{byte:02x}")?;
    }
    Ok((path.display().to_string(), sha256))
}

/// The components of a worker for deployments, from files.
fn components(argo_cd: &str) -> anyhow::Result<String> {
    let slot = |slot: &str, file: &str, version: &str| -> anyhow::Result<String> {
        let (path, sha256) = manifest(file)?;
        Ok(format!(
            "    {slot} = {{ version = \"{version}\", url = \"{path}\", sha256 = \"{sha256}\" }}\n"
        ))
    };
    Ok(format!(
        "{{\n{}{}{}  }}",
        slot("deployment", "argo-cd-v3.5.1.yaml", argo_cd)?,
        slot(
            "progressive_delivery",
            "argo-rollouts-v1.9.1.yaml",
            "v1.9.1"
        )?,
        slot("secret_sync", "external-secrets-2.9.0.yaml", "v2.9.0")?,
    ))
}

#[test]
fn a_worker_for_deployments_gets_its_components_keeps_them_and_loses_them() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    let _controllers = StandIn::start(control_plane)?;
    let before = (stack.objects()?, env.vault()?.inventory()?);
    let configuration =
        worker(&control_plane.url(), 1).replace(NO_COMPONENTS, &components("v3.5.1")?);
    env.write(&configuration)?;
    env.workspace.apply()?;
    env.workspace.assert_empty_plan("after the installation")?;
    let status = env.workspace.resource("nautes_cluster.deploy")?["component_status"].clone();
    assert_eq!(status["argocd"]["version"], json!("v3.5.1"));

    control_plane.kubectl(["delete", "deployment", "-n", "argocd", "argocd-server"])?;
    control_plane.kubectl([
        "scale",
        "deployment",
        "-n",
        "argo-rollouts",
        "argo-rollouts",
        "--replicas=3",
    ])?;
    env.workspace.apply_with(&["-refresh-only"])?;
    let drift = env.workspace.resource("nautes_cluster.deploy")?["drift"].to_string();
    assert!(
        drift.contains("argocd-server") && drift.contains("argo-rollouts"),
        "{drift}"
    );
    env.workspace.apply()?;

    env.workspace.destroy()?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while stack.objects()? != before.0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!((stack.objects()?, env.vault()?.inventory()?), before);
    Ok(())
}
