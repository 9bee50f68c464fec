//! Clusters beside an installation of Nautes: registered for its operators, or refused.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testbed::{ControlPlane, ControlPlaneOptions, Method};

use crate::test_env::{Case, TestEnv};

const TENANT_REPOSITORY: &str = "tenant/management";

/// A worker for deployments, without components where the provider installs them.
fn worker(api_server: &str, more: &str) -> String {
    format!(
        r#"
resource "nautes_cluster" "deploy" {{
  name          = "deploy-01"
  api_server    = "{api_server}"
  cluster_type  = "physical"
  usage         = "worker"
  worker_type   = "deployment"
  kubeconfig_wo = file("${{path.module}}/kubeconfig")
  {more}
}}
"#
    )
}

const NO_COMPONENTS: &str = "components = { deployment = { install = false }, progressive_delivery = { install = false }, secret_sync = { install = false }, gateway = { install = false } }";

struct Stack {
    env: TestEnv,
    control_plane: ControlPlane,
    _folder: tempfile::TempDir,
}

impl Stack {
    fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let control_plane = ControlPlane::start(folder.path(), &ControlPlaneOptions::default())?;
        let mut env = TestEnv::with_vault("")?;
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

    /// The names of the namespaces and service accounts in the cluster.
    fn objects(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for path in ["/api/v1/namespaces", "/api/v1/serviceaccounts"] {
            let listed = self.control_plane.api(Method::GET, path, None)?;
            let items = listed.get("items").and_then(Value::as_array);
            for object in items.into_iter().flatten() {
                let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
                let namespace = text("/metadata/namespace").unwrap_or_default();
                let name = text("/metadata/name").unwrap_or_default();
                names.insert(format!("{path} {namespace}/{name}"));
            }
        }
        Ok(names)
    }

    /// The paths of the files in the tenant's repository, and how many commits it has.
    fn repository(&self) -> anyhow::Result<(BTreeSet<String>, usize)> {
        let project = TENANT_REPOSITORY.replace('/', "%2F");
        let call = |path: &str| {
            let path = format!("/projects/{project}/repository/{path}per_page=100");
            self.env.gitlab.api(Method::GET, &path, None)
        };
        let tree = call("tree?recursive=true&")?;
        let entries = tree.as_array().cloned().unwrap_or_default();
        let files = entries
            .iter()
            .filter(|entry| entry.get("type") == Some(&json!("blob")))
            .filter_map(|entry| entry.get("path")?.as_str().map(str::to_owned));
        let commits = call("commits?")?.as_array().map_or(0, Vec::len);
        Ok((files.collect(), commits))
    }
}

#[test]
fn a_cluster_of_an_installation_is_registered_with_its_files_and_nothing_is_installed() -> Case {
    let mut stack = Stack::start()?;
    stack.env.workspace.set_env("NAUTES_RECONCILER", "nautes");
    let Stack {
        env, control_plane, ..
    } = &stack;
    let before = (stack.objects()?, env.vault()?.inventory()?);
    let (files, commits) = stack.repository()?;

    env.write(&worker(&control_plane.url(), ""))?;
    let refused = env.workspace.failing_plan()?.text();
    assert!(
        refused.contains("credential cannot be exchanged"),
        "{refused}"
    );
    let as_given = "credential = { kind = \"as_given\" }";
    let by_token = worker(&control_plane.url(), as_given).replace(
        "file(\"${path.module}/kubeconfig\")",
        "yamlencode({ users = [{ name = \"a\", user = { token = \"t\" } }] })",
    );
    env.write(&by_token)?;
    let refused = env.workspace.failing_plan()?.text();
    assert!(refused.contains("no client certificate"), "{refused}");

    env.write(&worker(&control_plane.url(), as_given))?;
    env.workspace.apply()?;
    let (registered, made) = stack.repository()?;
    assert_eq!(
        made,
        commits + 1,
        "the files are not in the commit of the manifest"
    );
    for path in [
        "nautes/overlays/production/clusters/deploy-01.yaml",
        "nautes/overlays/production/clusters/kustomization.yaml",
        "tenant/production/runtime-appset.yaml",
        "runtimes/deploy-01-runtime/runtime-app.yaml",
        "runtimes/deploy-01-runtime/production/argo-rollouts-app.yaml",
        "runtimes/deploy-01-runtime/argocd/overlays/production/patch-argocd-cm.yaml",
    ] {
        assert!(
            registered.contains(path),
            "{path} is missing in {registered:?}"
        );
    }
    let project = "runtimes/deploy-01-runtime/runtime-app.yaml";
    let project = env.read_file(TENANT_REPOSITORY, project)?;
    assert!(project.contains("tenant/management.git"), "{project}");
    assert_eq!(stack.objects()?, before.0);
    let secret = "cluster/data/kubernetes/deploy-01/default/admin";
    let secret = env.vault()?.api(Method::GET, secret, None)?;
    let kubeconfig = secret["data"]["data"]["kubeconfig"].as_str();
    let kubeconfig: Value = serde_json::from_str(kubeconfig.unwrap_or_default())?;
    assert!(kubeconfig["users"][0]["user"]["client-certificate-data"].is_string());

    let moved = worker(
        &control_plane.url(),
        &format!("{as_given}\n  primary_domain = \"example.com\""),
    );
    env.write(&moved)?;
    env.workspace.apply()?;
    let argo_cd = "runtimes/deploy-01-runtime/argocd/overlays/production/patch-argocd-cm.yaml";
    let argo_cd = env.read_file(TENANT_REPOSITORY, argo_cd)?;
    assert!(
        argo_cd.contains("argocd.deploy-01.example.com"),
        "{argo_cd}"
    );

    env.workspace.destroy()?;
    let (left, _) = stack.repository()?;
    let of_cluster = left.iter().filter(|path| path.contains("deploy-01"));
    assert_eq!(of_cluster.count(), 0, "{left:?}");
    assert!(left.is_superset(&files));
    assert_eq!((stack.objects()?, env.vault()?.inventory()?), before);
    Ok(())
}

#[test]
fn the_provider_installs_nothing_beside_an_installation() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    env.write(&worker(&control_plane.url(), NO_COMPONENTS))?;
    let operator = "
apiVersion: v1
kind: Namespace
metadata: { name: nautes }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: argo-operator-controller-manager, namespace: nautes }
spec:
  replicas: 0
  selector: { matchLabels: { app: operator } }
  template:
    metadata: { labels: { app: operator } }
    spec: { containers: [{ name: operator, image: operator }] }
";
    control_plane.apply(operator)?;
    let before = (
        stack.objects()?,
        env.vault()?.inventory()?,
        stack.repository()?,
    );
    let refused = env.workspace.failing_apply()?.text();
    assert!(
        refused.contains("argo-operator-controller-manager"),
        "{refused}"
    );
    let after = (
        stack.objects()?,
        env.vault()?.inventory()?,
        stack.repository()?,
    );
    assert_eq!(after, before);

    let file = json!([{
        "action": "create",
        "file_path": "tenant/production/runtime-appset.yaml",
        "content": "kind: ApplicationSet\n",
    }]);
    env.commit(TENANT_REPOSITORY, &file)?;
    let before = (
        stack.objects()?,
        env.vault()?.inventory()?,
        stack.repository()?,
    );
    let refused = env.workspace.failing_apply()?.text();
    assert!(
        refused.contains("has the folder tenant/production"),
        "{refused}"
    );
    let after = (
        stack.objects()?,
        env.vault()?.inventory()?,
        stack.repository()?,
    );
    assert_eq!(after, before);
    Ok(())
}

#[test]
fn a_cluster_is_handed_over_to_the_operators_and_taken_back() -> Case {
    let mut stack = Stack::start()?;
    let as_given = format!("{NO_COMPONENTS}\n  credential = {{ kind = \"as_given\" }}");
    let configuration = worker(&stack.control_plane.url(), &as_given);
    stack.env.write(&configuration)?;
    stack.env.workspace.apply()?;
    let account = "/api/v1/serviceaccounts nautes/nautes-runtime".to_owned();
    assert!(stack.objects()?.contains(&account));

    stack.env.workspace.set_env("NAUTES_RECONCILER", "nautes");
    let planned = stack.env.workspace.run(["plan", "-no-color"])?.success()?;
    let text = planned.stdout();
    assert!(
        text.contains("The operators of Nautes take over the cluster deploy-01")
            && text.contains("updated in-place"),
        "{text}"
    );
    // What a runtime still has there needs the credential of runtimes for its removal.
    let registry = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: nautes-tf-product-42, namespace: nautes }\ndata: { deployment.shop: '{}' }\n";
    stack.control_plane.apply(registry)?;
    stack.env.workspace.apply_with(&[])?;
    assert!(stack.objects()?.contains(&account));
    stack.control_plane.kubectl([
        "delete",
        "configmap",
        "-n",
        "nautes",
        "nautes-tf-product-42",
    ])?;
    stack.env.workspace.apply()?;
    stack
        .env
        .workspace
        .assert_empty_plan("after the hand-over")?;
    let left = stack.objects()?;
    for (object, stays) in [
        ("/api/v1/namespaces /nautes", true),
        ("/api/v1/namespaces /vault", true),
        (&*account, false),
        ("/api/v1/serviceaccounts nautes/nautes-probe", false),
        ("/api/v1/serviceaccounts vault/vault-auth", false),
    ] {
        assert_eq!(left.contains(object), stays, "{object} in {left:?}");
    }
    let vault = stack.env.vault()?;
    assert!(vault.api(Method::GET, "sys/auth/deploy-01", None).is_err());
    let secret = |account: &str| {
        let path = format!("cluster/data/kubernetes/deploy-01/default/{account}");
        vault.api(Method::GET, &path, None)
    };
    assert!(secret("runtime").is_err());
    secret("admin")?;

    // The provider takes the cluster back, once no installation works from the repository any more.
    let clone = stack.env.clone(TENANT_REPOSITORY)?;
    let mut actions = Vec::new();
    for entry in std::fs::read_dir(clone.join("tenant/production"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let path = format!("tenant/production/{name}");
        actions.push(json!({ "action": "delete", "file_path": path }));
    }
    stack.env.commit(TENANT_REPOSITORY, &json!(actions))?;
    stack.env.workspace.set_env("NAUTES_RECONCILER", "provider");
    let planned = stack.env.workspace.run(["plan", "-no-color"])?.success()?;
    let text = planned.stdout();
    assert!(
        text.contains("takes over the cluster deploy-01 from the operators"),
        "{text}"
    );
    stack.env.workspace.apply()?;
    assert!(stack.objects()?.contains(&account));
    stack.env.workspace.destroy()?;
    Ok(())
}

#[test]
fn what_the_provider_has_made_is_not_destroyed_for_the_operators() -> Case {
    let mut stack = Stack::start()?;
    let as_given = format!("{NO_COMPONENTS}\n  credential = {{ kind = \"as_given\" }}");
    stack
        .env
        .write(&worker(&stack.control_plane.url(), &as_given))?;
    stack.env.workspace.apply()?;
    stack.env.workspace.set_env("NAUTES_RECONCILER", "nautes");
    let before = (stack.objects()?, stack.env.vault()?.inventory()?);
    let refused = stack.env.workspace.failing_destroy()?.text();
    assert!(
        refused.contains("Destroy it with reconciler = \"provider\""),
        "{refused}"
    );

    // After an import the cluster itself tells whose it is.
    let remove = ["state", "rm", "nautes_cluster.deploy"];
    stack.env.workspace.run(remove)?.success()?;
    stack
        .env
        .workspace
        .import("nautes_cluster.deploy", "deploy-01")?;
    let refused = stack.env.workspace.failing_destroy()?.text();
    assert!(
        refused.contains("Destroy it with reconciler = \"provider\""),
        "{refused}"
    );
    assert_eq!((stack.objects()?, stack.env.vault()?.inventory()?), before);
    Ok(())
}
