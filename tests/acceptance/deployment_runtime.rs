//! Deployment runtimes on a real Kubernetes API, with a stand-in for the controllers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{ControlledKind, Method, Proxy, Readiness, StandIn};

use crate::cluster::{Stack, definitions};
use crate::test_env::Case;

const ADDRESS: &str = "nautes_deployment_runtime.web";
const ARGO: &str = "/apis/argoproj.io/v1alpha1/namespaces/argocd";
const ESO: &str = "/apis/external-secrets.io/v1/namespaces/argocd";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// A product with an environment in the cluster and a repository with manifests.
pub(crate) fn product(label: &str) -> String {
    format!(
        r#"
resource "nautes_product" "{label}" {{
  name = "{label}"
}}

resource "nautes_environment" "{label}" {{
  product  = nautes_product.{label}.id
  name     = "test"
  cluster  = nautes_cluster.deploy.id
  env_type = "test"
}}

resource "nautes_code_repo" "{label}" {{
  product = nautes_product.{label}.id
  name    = "manifests"
}}

resource "nautes_code_repo" "{label}_more" {{
  product = nautes_product.{label}.id
  name    = "more"
}}
"#
    )
}

/// A runtime of a product; `more` are further arguments.
pub(crate) fn runtime(address: &str, product: &str, more: &str) -> String {
    let source = if more.contains("manifest_source") {
        ""
    } else {
        "manifest_source = { code_repo = nautes_code_repo.PRODUCT.id, target_revision = \"main\", path = \"deploy/test\" }"
    };
    let destination = if more.contains("destination") {
        ""
    } else {
        "destination = { environment = nautes_environment.PRODUCT.id }"
    };
    format!(
        "\nresource \"nautes_deployment_runtime\" \"{address}\" {{\n  product = nautes_product.PRODUCT.id\n  name = \"web\"\n  {source}\n  {destination}\n  {more}\n}}\n"
    )
    .replace("PRODUCT", product)
}

/// A worker for deployments whose controllers a stand-in plays.
pub(crate) struct Worker {
    pub(crate) stack: Stack,
    pub(crate) stand_in: StandIn,
    cluster: String,
}

impl Worker {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let stack = Stack::start()?;
        let url = stack.control_plane.url();
        Self::set_up(stack, &url)
    }

    /// Makes one that is reached through a proxy.
    pub(crate) fn start_behind_proxy() -> anyhow::Result<(Self, Proxy)> {
        let stack = Stack::start()?;
        let proxy = stack.control_plane.start_proxy()?;
        let kubeconfig = stack.control_plane.kubeconfig_through(&proxy)?;
        let kubeconfig = std::fs::read_to_string(kubeconfig)?;
        stack.env.workspace.write("kubeconfig", &kubeconfig)?;
        let worker = Self::set_up(stack, &proxy.url())?;
        Ok((worker, proxy))
    }

    fn set_up(stack: Stack, url: &str) -> anyhow::Result<Self> {
        let control_plane = &stack.control_plane;
        for file in ["argo-cd-v3.5.1.yaml", "external-secrets-2.9.0.yaml"] {
            control_plane.apply(&definitions(file)?)?;
        }
        control_plane.kubectl(["create", "namespace", "argocd"])?;
        control_plane.apply(ARGO_CD)?;
        let cluster = crate::cluster::worker(url, 1);
        stack.env.write(&cluster)?;
        stack.env.workspace.apply()?;
        let stand_in = StandIn::start(control_plane)?;
        let worker = Self {
            stack,
            stand_in,
            cluster,
        };
        wait_for("Argo CD", || {
            let path = "/apis/apps/v1/namespaces/argocd/statefulsets/argocd-application-controller";
            let found = worker.get(path)?;
            Ok(found["status"]["readyReplicas"] == json!(1))
        })?;
        Ok(worker)
    }

    /// Replaces the configuration besides the cluster, and applies it.
    pub(crate) fn apply(&self, body: &str) -> Case {
        self.write(body)?;
        self.stack.env.workspace.apply()?;
        Ok(())
    }

    pub(crate) fn write(&self, body: &str) -> Case {
        self.stack.env.write(&format!("{}{body}", self.cluster))
    }

    /// Reads an object; null if there is none.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.stack.control_plane.get(path)?.unwrap_or_default())
    }

    fn role(&self, name: &str) -> anyhow::Result<Value> {
        let path = format!("auth/deploy-01/role/{name}");
        let role = self.stack.env.vault()?.api(Method::GET, &path, None);
        Ok(role.map(|role| role["data"].clone()).unwrap_or_default())
    }

    pub(crate) fn drift(&self, address: &str) -> anyhow::Result<String> {
        let workspace = &self.stack.env.workspace;
        workspace.apply_with(&["-refresh-only"])?;
        Ok(workspace.resource(address)?["drift"].to_string())
    }

    /// Changes an object of Argo CD as a person would.
    fn patch(&self, kind: &str, name: &str, patch: &str) -> Case {
        let arguments = [
            "patch",
            kind,
            "-n",
            "argocd",
            name,
            "--type=merge",
            "-p",
            patch,
        ];
        self.stack.control_plane.kubectl(arguments)?;
        Ok(())
    }

    /// What is in the cluster and in Vault.
    pub(crate) fn inventory(&self) -> anyhow::Result<Inventory> {
        // The API server answers only after a moment for kinds that were just defined.
        let deadline = Instant::now() + Duration::from_secs(60);
        let snapshot = loop {
            match self.stack.control_plane.snapshot() {
                Err(testbed::Error::Refused { status: 429, .. }) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(500));
                }
                snapshot => break snapshot?,
            }
        };
        Ok((
            snapshot,
            self.stack.env.vault()?.inventory()?.into_iter().collect(),
        ))
    }
}

impl Worker {
    /// Waits until everything is as it was.
    pub(crate) fn assert_becomes(&self, before: &Inventory) -> Case {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.inventory()? != *before && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(500));
        }
        let now = self.inventory()?;
        let names = |inventory: &Inventory| -> BTreeSet<String> {
            inventory
                .0
                .keys()
                .chain(inventory.1.keys())
                .cloned()
                .collect()
        };
        let (left, lost) = (names(&now), names(before));
        anyhow::ensure!(
            now == *before,
            "left: {:?}; lost: {:?}; or something has changed",
            left.difference(&lost),
            lost.difference(&left)
        );
        Ok(())
    }
}

/// What is in the cluster and in Vault.
pub(crate) type Inventory = (BTreeMap<String, Value>, BTreeMap<String, String>);

/// What there is of Argo CD besides its kinds: its rights, which others have keys in, and a controller.
const ARGO_CD: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: { name: argocd-rbac-cm, namespace: argocd }
data: { policy.csv: "p, role:x, projects, get, y, allow" }
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: argocd-application-controller
  namespace: argocd
  labels: { app.kubernetes.io/name: argocd-application-controller }
spec:
  serviceName: argocd-application-controller
  selector: { matchLabels: { app: argocd } }
  template:
    metadata: { labels: { app: argocd } }
    spec: { containers: [{ name: argocd, image: argocd }] }
"#;

/// Waits until something is so.
pub(crate) fn wait_for(what: &str, is_done: impl Fn() -> anyhow::Result<bool>) -> Case {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is_done()? {
        anyhow::ensure!(Instant::now() < deadline, "{what} was waited for in vain");
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

#[test]
fn a_runtime_is_deployed_repaired_and_removed_without_a_trace() -> Case {
    let worker = Worker::start()?;
    let env = &worker.stack.env;
    worker.apply(&product("shop"))?;
    let before = worker.inventory()?;

    let root = format!("{}{}", product("shop"), runtime("web", "shop", ""));
    worker.apply(&root)?;
    let state = env.workspace.resource(ADDRESS)?;
    let product = state["namespace"].as_str().unwrap_or_default().to_owned();
    assert_eq!(state["effective_namespaces"], json!(["shop-web"]));
    assert_eq!(state["effective_account"], json!("web"));
    assert_eq!(state["cluster"], json!("deploy-01"));
    assert_eq!(state["application"], json!(format!("{product}-web")));
    assert_eq!(state["drift"], Value::Null);
    let manifest = env.read_file("shop/default.project", "runtimes/web.yaml")?;
    assert!(manifest.contains("- shop-web"), "{manifest}");

    let application = worker.get(&format!("{ARGO}/applications/{product}-web"))?;
    let repository = env.workspace.resource("nautes_code_repo.shop")?;
    assert_eq!(
        application["spec"]["source"]["repoURL"],
        repository["ssh_url"]
    );
    assert_eq!(application["spec"]["project"], json!(product));
    let project = worker.get(&format!("{ARGO}/appprojects/{product}"))?;
    assert_eq!(
        project["spec"]["sourceRepos"],
        json!([repository["ssh_url"]])
    );
    let destinations = project["spec"]["destinations"].to_string();
    assert!(destinations.contains("shop-web") && !destinations.contains('*'));
    let rights = worker.get("/api/v1/namespaces/argocd/configmaps/argocd-rbac-cm")?;
    let policy = &rights["data"][format!("policy.nautes-{product}.csv")];
    assert!(policy.to_string().contains("g, shop, "), "{rights}");
    assert!(rights["data"]["policy.csv"].is_string(), "{rights}");
    let id = repository["id"].as_str().unwrap_or_default();
    let credential = worker.get(&format!("{ESO}/externalsecrets/nautes-{product}-{id}"))?;
    let template = &credential["spec"]["target"]["template"]["data"];
    assert_eq!(template["project"], json!(product));
    let role = worker.role(&format!("{product}-web"))?;
    assert_eq!(
        role["bound_service_account_namespaces"],
        json!(["shop-web"])
    );
    assert_eq!(
        role["token_policies"],
        json!([format!("gitlab-{id}-default-readonly")])
    );
    let role = worker.role(&product)?;
    assert_eq!(
        role["bound_service_account_names"],
        json!([format!("nautes-{product}")])
    );

    // What is changed from outside is drift, and an apply repairs it.
    let cluster = &worker.stack.control_plane;
    cluster.kubectl(["delete", "serviceaccount", "-n", "shop-web", "web"])?;
    let any_source = r#"{"spec":{"sourceRepos":["*"]}}"#;
    worker.patch("appproject", &product, any_source)?;
    let elsewhere = r#"{"spec":{"source":{"path":"elsewhere"}}}"#;
    worker.patch("application", &format!("{product}-web"), elsewhere)?;
    env.vault()?.api(
        Method::DELETE,
        &format!("auth/deploy-01/role/{product}-web"),
        None,
    )?;
    let drift = worker.drift(ADDRESS)?;
    for expected in [
        "ServiceAccount shop-web/web is gone",
        "/spec/sourceRepos",
        "/spec/source/path",
        "in Vault is gone",
    ] {
        assert!(drift.contains(expected), "{expected} is not in {drift}");
    }
    env.workspace.apply()?;
    let project = worker.get(&format!("{ARGO}/appprojects/{product}"))?;
    assert_eq!(
        project["spec"]["sourceRepos"],
        json!([repository["ssh_url"]])
    );
    assert!(!worker.role(&format!("{product}-web"))?.is_null());

    worker.apply(&self::product("shop"))?;
    worker.assert_becomes(&before)?;
    assert!(
        env.read_file("shop/default.project", "runtimes/web.yaml")
            .is_err()
    );
    Ok(())
}

#[test]
fn a_runtime_changes_its_source_namespaces_and_account_without_an_interruption() -> Case {
    let worker = Worker::start()?;
    let env = &worker.stack.env;
    let root = |more: &str| format!("{}{}", product("shop"), runtime("web", "shop", more));
    worker.apply(&root(""))?;
    let product = env.workspace.resource(ADDRESS)?["namespace"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let application = worker.get(&format!("{ARGO}/applications/{product}-web"))?;
    let uid = application["metadata"]["uid"].clone();

    worker.apply(&root(
        r#"destination = { environment = nautes_environment.shop.id, namespaces = ["shop-a", "shop-b"] }
           account = "deployer"
           wait_for = "healthy"
           manifest_source = { code_repo = nautes_code_repo.shop_more.id, target_revision = "v2", path = "." }"#,
    ))?;
    let application = worker.get(&format!("{ARGO}/applications/{product}-web"))?;
    assert_eq!(application["metadata"]["uid"], uid);
    assert_eq!(
        application["spec"]["destination"]["namespace"],
        json!("shop-a")
    );
    let more = env.workspace.resource("nautes_code_repo.shop_more")?;
    let project = worker.get(&format!("{ARGO}/appprojects/{product}"))?;
    assert_eq!(project["spec"]["sourceRepos"], json!([more["ssh_url"]]));
    assert!(worker.get("/api/v1/namespaces/shop-web")?.is_null());
    assert!(worker.role(&format!("{product}-web"))?.is_null());
    let role = worker.role(&format!("{product}-deployer"))?;
    assert_eq!(
        role["bound_service_account_namespaces"],
        json!(["shop-a", "shop-b"])
    );
    let first = env.workspace.resource("nautes_code_repo.shop")?;
    let id = first["id"].as_str().unwrap_or_default();
    assert!(
        worker
            .get(&format!("{ESO}/externalsecrets/nautes-{product}-{id}"))?
            .is_null()
    );
    Ok(())
}

#[test]
fn a_failed_deployment_ends_the_wait_and_keeps_what_worked_before() -> Case {
    let worker = Worker::start()?;
    let env = &worker.stack.env;
    let root = |more: &str| format!("{}{}", product("shop"), runtime("web", "shop", more));
    let unready = Readiness::NotReady("the manifests are wrong".to_owned());
    worker
        .stand_in
        .set_readiness(ControlledKind::Application, unready.clone());
    worker.write(&root("wait_for = \"synced\""))?;
    let applied = env.workspace.apply_with(&[])?;
    let text = applied.outcome.text();
    assert!(text.contains("the manifests are wrong"), "{text}");

    worker
        .stand_in
        .set_readiness(ControlledKind::Application, Readiness::Ready);
    worker.apply(&root("wait_for = \"synced\""))?;
    worker
        .stand_in
        .set_readiness(ControlledKind::Application, unready);
    worker.write(&root(
        "wait_for = \"synced\"\n  destination = { environment = nautes_environment.shop.id, namespaces = [\"shop-new\"] }",
    ))?;
    let failed = env.workspace.failing_apply()?;
    assert!(
        failed.text().contains("the manifests are wrong"),
        "{}",
        failed.text()
    );
    assert!(
        !worker.get("/api/v1/namespaces/shop-web")?.is_null(),
        "the old namespace is gone"
    );
    worker
        .stand_in
        .set_readiness(ControlledKind::Application, Readiness::Ready);
    env.workspace.apply()?;
    assert!(worker.get("/api/v1/namespaces/shop-web")?.is_null());
    Ok(())
}

#[test]
fn two_products_use_one_name_in_a_cluster_and_reach_nothing_of_each_other() -> Case {
    let worker = Worker::start()?;
    let env = &worker.stack.env;
    let root = format!(
        "{}{}{}{}",
        product("shop"),
        product("bank"),
        runtime("web", "shop", ""),
        runtime("bank", "bank", "")
    );
    worker.apply(&root)?;
    let id = |address: &str| -> anyhow::Result<String> {
        let namespace = env.workspace.resource(address)?["namespace"].clone();
        Ok(namespace.as_str().unwrap_or_default().to_owned())
    };
    let (shop, bank) = (id(ADDRESS)?, id("nautes_deployment_runtime.bank")?);
    for (own, other, space) in [(&shop, &bank, "shop-web"), (&bank, &shop, "bank-web")] {
        let project = worker.get(&format!("{ARGO}/appprojects/{own}"))?;
        let text = project["spec"].to_string();
        assert!(
            text.contains(space) && !text.contains(other.as_str()),
            "{text}"
        );
        let role = worker.role(&format!("{own}-web"))?;
        assert_eq!(role["bound_service_account_namespaces"], json!([space]));
        let bindings = worker.get(&format!("{RBAC}/namespaces/{space}/rolebindings"))?;
        assert!(!bindings.to_string().contains(other.as_str()), "{bindings}");
    }
    // A namespace of one product is refused to another one before anything is written.
    worker.write(&root.replace(
        "destination = { environment = nautes_environment.bank.id }",
        "destination = { environment = nautes_environment.bank.id, namespaces = [\"shop-web\"] }",
    ))?;
    let refused = env.workspace.failing_apply()?;
    assert!(
        refused.text().contains("shop-web is taken"),
        "{}",
        refused.text()
    );

    worker.apply(&format!(
        "{}{}{}",
        product("shop"),
        product("bank"),
        runtime("bank", "bank", "")
    ))?;
    let kept = worker.get(&format!("{ARGO}/applications/{bank}-web"))?;
    assert!(!kept.is_null());
    let rights = worker.get("/api/v1/namespaces/argocd/configmaps/argocd-rbac-cm")?;
    assert!(rights["data"][format!("policy.nautes-{bank}.csv")].is_string());
    assert!(rights["data"][format!("policy.nautes-{shop}.csv")].is_null());
    Ok(())
}
