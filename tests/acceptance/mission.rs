//! The whole of what the provider is for, in one root: a push that makes a run, and a change that is deployed.

use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};
use testbed::{
    ArgoEvents, ControlPlane, ControlPlaneOptions, Method, RunningEventSource, RunningSensor,
    StandIn,
};

use crate::cluster::{Stack, definitions};
use crate::test_env::Case;

/// The kinds of the components of both workers.
const DEFINITIONS: [&str; 4] = [
    "argo-cd-v3.5.1.yaml",
    "argo-events-v1.9.11.yaml",
    "external-secrets-2.9.0.yaml",
    "tekton-pipelines-v1.15.0.yaml",
];

/// What there is of Argo CD besides its kinds.
const ARGO_CD: &str = "
apiVersion: v1
kind: ConfigMap
metadata: { name: argocd-rbac-cm, namespace: argocd }
data: { policy.csv: '' }
---
apiVersion: v1
kind: Secret
metadata: { name: argocd-secret, namespace: argocd }
stringData: { server.secretkey: abc }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: argocd-application-controller, namespace: argocd }
spec:
  serviceName: argocd-application-controller
  selector: { matchLabels: { app: argocd } }
  template:
    metadata: { labels: { app: argocd } }
    spec: { containers: [{ name: argocd, image: argocd }] }
";

const ARGO_PROJECT: &str = "/apis/argoproj.io/v1alpha1/namespaces";
const RUNS: &str = "/apis/tekton.dev/v1/namespaces/shop-ci/pipelineruns";
const LIMIT: Duration = Duration::from_secs(90);

/// Everything, without any `depends_on`.
const ROOT: &str = r#"
locals {
  installed = { install = false }
}

resource "nautes_cluster" "pipeline" {
  name             = "pipe-01"
  api_server       = "{pipeline_server}"
  cluster_type     = "physical"
  usage            = "worker"
  worker_type      = "pipeline"
  kubeconfig_wo    = file("${path.module}/kubeconfig")
  webhook_base_url = "{webhooks}"
  components = {
    deployment     = local.installed
    secret_sync    = local.installed
    gateway        = local.installed
    pipeline       = local.installed
    event_listener = local.installed
  }
}

resource "nautes_cluster" "deployment" {
  name          = "deploy-01"
  api_server    = "{deployment_server}"
  cluster_type  = "physical"
  usage         = "worker"
  worker_type   = "deployment"
  kubeconfig_wo = file("${path.module}/kubeconfig-deployment")
  components = {
    deployment           = local.installed
    secret_sync          = local.installed
    gateway              = local.installed
    progressive_delivery = local.installed
  }
}

resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "build" {
  product  = nautes_product.shop.id
  name     = "build"
  cluster  = nautes_cluster.pipeline.id
  env_type = "build"
}

resource "nautes_environment" "production" {
  product  = nautes_product.shop.id
  name     = "production"
  cluster  = nautes_cluster.deployment.id
  env_type = "production"
}

resource "nautes_project" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}

resource "nautes_code_repo" "source" {
  product       = nautes_product.shop.id
  name          = "checkout"
  project       = nautes_project.checkout.id
  force_destroy = true
}

resource "nautes_code_repo" "pipelines" {
  product = nautes_product.shop.id
  name    = "ci"
  project = nautes_project.checkout.id
}

resource "nautes_code_repo" "deployment" {
  product = nautes_product.shop.id
  name    = "deployment"
}

resource "nautes_code_repo_binding" "deployment" {
  product     = nautes_product.shop.id
  name        = "deployment"
  code_repo   = nautes_code_repo.deployment.id
  projects    = [nautes_project.checkout.id]
  permissions = "readwrite"
}

resource "nautes_pipeline_runtime" "build" {
  product         = nautes_product.shop.id
  name            = "checkout-ci"
  project         = nautes_project.checkout.id
  pipeline_source = nautes_code_repo.pipelines.id
  destination     = { environment = nautes_environment.build.id, namespace = "shop-ci" }
  event_sources = {
    on-push = { gitlab = { code_repo = nautes_code_repo.source.id, events = ["push_events"], branch = "main" } }
  }
  pipelines = { build = { path = "pipelines/build.yaml" } }
  pipeline_triggers = [
    { event_source = "on-push", pipeline = "build", inputs = [{ from_event = "commitID", kustomization_path = "/spec/params/0/value" }] },
  ]
  credentials = {
    deploy = { code_repo = nautes_code_repo_binding.deployment.code_repo, permission = "readwrite" }
  }
}

resource "nautes_deployment_runtime" "production" {
  product  = nautes_product.shop.id
  name     = "checkout"
  projects = [nautes_project.checkout.id]
  manifest_source = {
    code_repo       = nautes_code_repo_binding.deployment.code_repo
    target_revision = "main"
    path            = "production"
  }
  destination = { environment = nautes_environment.production.id, namespaces = ["shop-checkout"] }
}
"#;

fn root(pipeline_server: &str, deployment_server: &str, webhooks: &str) -> String {
    ROOT.replace("{pipeline_server}", pipeline_server)
        .replace("{deployment_server}", deployment_server)
        .replace("{webhooks}", webhooks)
}

/// The gateway of a worker: it passes connections on to the event source, once that runs.
struct Gateway {
    port: u16,
    target: Arc<Mutex<Option<String>>>,
}

impl Gateway {
    fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let target: Arc<Mutex<Option<String>>> = Arc::default();
        let shared = Arc::clone(&target);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let target = shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                if let Some(target) = target {
                    std::thread::spawn(move || pass_on(&stream, &target));
                }
            }
        });
        Ok(Self { port, target })
    }

    fn url(&self) -> String {
        format!("http://webhook.localhost:{}", self.port)
    }

    fn lead_to(&self, url: &str) {
        let address = url.trim_start_matches("http://").to_owned();
        let mut target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        *target = Some(address);
    }
}

fn pass_on(accepted: &TcpStream, target: &str) -> io::Result<()> {
    let dialled = TcpStream::connect(target)?;
    std::thread::scope(|scope| {
        for (mut from, mut to) in [(accepted, &dialled), (&dialled, accepted)] {
            scope.spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    });
    Ok(())
}

/// Two workers whose components are only their kinds, with what stands in for their controllers.
struct Workers {
    stack: Stack,
    deployment: ControlPlane,
    gateway: Gateway,
    _stand_ins: [StandIn; 2],
    _folder: tempfile::TempDir,
}

impl Workers {
    fn start() -> anyhow::Result<Self> {
        let stack = Stack::start()?;
        let folder = tempfile::tempdir()?;
        let options = ControlPlaneOptions::default();
        let deployment = ControlPlane::start(folder.path(), &options)?;
        for control_plane in [&stack.control_plane, &deployment] {
            for namespace in ["argocd", "argo-events", "tekton-pipelines"] {
                control_plane.kubectl(["create", "namespace", namespace])?;
            }
            for file in DEFINITIONS {
                control_plane.apply(&definitions(file)?)?;
            }
            control_plane.apply(ARGO_CD)?;
            control_plane.kubectl([
                "wait",
                "--namespace=argocd",
                "statefulset/argocd-application-controller",
                "--for=jsonpath={.status.readyReplicas}=1",
                "--timeout=120s",
            ])?;
        }
        let stand_ins = [
            StandIn::start(&stack.control_plane)?,
            StandIn::start(&deployment)?,
        ];
        let kubeconfig = deployment.kubectl(["config", "view", "--raw", "--flatten"])?;
        let workspace = &stack.env.workspace;
        workspace.write("kubeconfig-deployment", &kubeconfig.stdout)?;
        let settings = json!({ "allow_local_requests_from_web_hooks_and_services": true });
        let gitlab = &stack.env.gitlab;
        gitlab.api(Method::PUT, "/application/settings", Some(&settings))?;
        let gateway = Gateway::start()?;
        let mut workers = Self {
            stack,
            deployment,
            gateway,
            _stand_ins: stand_ins,
            _folder: folder,
        };
        let root = root(
            &workers.stack.control_plane.url(),
            &workers.deployment.url(),
            &workers.gateway.url(),
        );
        workers.stack.env.workspace.set_env(
            "NAUTES_GITLAB_SSH_KNOWN_HOSTS",
            "gitlab.example.com ecdsa-sha2-nistp256 AAAA",
        );
        workers.stack.env.write(&root)?;
        Ok(workers)
    }

    /// Everything that exists outside the state, once what stands in for controllers has nothing more to write.
    fn everything_at_rest(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let begun = Instant::now();
        let mut found = self.everything()?;
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let again = self.everything()?;
            if again == found {
                return Ok(found);
            }
            anyhow::ensure!(begun.elapsed() < LIMIT, "the workers do not come to rest");
            found = again;
        }
    }

    /// Everything that exists outside the state, by name.
    fn everything(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let mut found = BTreeMap::new();
        for (name, control_plane) in [
            ("pipe-01", &self.stack.control_plane),
            ("deploy-01", &self.deployment),
        ] {
            let objects = control_plane.snapshot()?.into_iter();
            found.extend(objects.map(|(path, object)| (format!("{name} {path}"), object)));
        }
        let vault = self.stack.env.vault()?.inventory()?.into_iter();
        found.extend(vault.map(|(name, value)| (format!("vault {name}"), json!(value))));
        for list in ["/groups", "/projects"] {
            let listed = self.stack.env.gitlab.api(Method::GET, list, None)?;
            for object in listed.as_array().into_iter().flatten() {
                let url = object.get("web_url").and_then(Value::as_str);
                let url = url.unwrap_or_default();
                // GitLab keeps what was deleted for some days.
                if !url.contains("deletion_scheduled") {
                    found.insert(url.to_owned(), Value::Null);
                }
            }
        }
        Ok(found)
    }
}

impl Workers {
    /// Applies the root while the event source and the Sensor begin to run as soon as the worker has them.
    fn apply(
        &self,
        events: &ArgoEvents<'_>,
        parallelism: &str,
    ) -> anyhow::Result<(RunningEventSource, RunningSensor)> {
        let workspace = &self.stack.env.workspace;
        let is_over = AtomicBool::new(false);
        let running = std::thread::scope(|scope| {
            let running = scope.spawn(|| self.run_events(events, &is_over));
            let applied = workspace.apply_with(&[parallelism]);
            is_over.store(true, Ordering::SeqCst);
            let running = running.join().map_err(|_| anyhow::anyhow!("a panic"))?;
            applied?;
            running
        })?;
        workspace.assert_empty_plan("after apply")?;
        Ok(running)
    }

    fn run_events(
        &self,
        events: &ArgoEvents<'_>,
        is_over: &AtomicBool,
    ) -> anyhow::Result<(RunningEventSource, RunningSensor)> {
        let sources = format!("{ARGO_PROJECT}/argo-events/eventsources");
        let control_plane = &self.stack.control_plane;
        let name = loop {
            let listed = control_plane.api(Method::GET, &sources, None)?;
            let name = listed.pointer("/items/0/metadata/name");
            if let Some(name) = name.and_then(Value::as_str) {
                break name.to_owned();
            }
            anyhow::ensure!(!is_over.load(Ordering::SeqCst), "there is no event source");
            std::thread::sleep(Duration::from_millis(200));
        };
        let source = events.run_event_source("argo-events", &name)?;
        self.gateway.lead_to(source.url());
        let sensor = name.strip_suffix("-gitlab").unwrap_or(&name);
        let sensor = events.run_sensor("argo-events", sensor)?;
        Ok((source, sensor))
    }

    /// Pushes to the source repository, and waits for the run with the commit.
    fn push(&self, sensor: &RunningSensor) -> Case {
        let env = &self.stack.env;
        let file = json!([{ "action": "create", "file_path": "a.txt", "content": "a" }]);
        env.commit("shop/checkout", &file)?;
        let branch = "/projects/shop%2Fcheckout/repository/branches/main";
        let branch = env.gitlab.api(Method::GET, branch, None)?;
        let commit = branch.pointer("/commit/id").context("no commit")?;
        let begun = Instant::now();
        let run = loop {
            let runs = self.stack.control_plane.api(Method::GET, RUNS, None)?;
            if let Some(run) = runs.pointer("/items/0") {
                break run.clone();
            }
            anyhow::ensure!(begun.elapsed() < LIMIT, "no run:\n{}", sensor.log()?);
            std::thread::sleep(Duration::from_millis(100));
        };
        let params = run.pointer("/spec/params").and_then(Value::as_array);
        let mut params = params.into_iter().flatten();
        let passes_commit = params.any(|param| param.get("value") == Some(commit));
        assert!(passes_commit, "{run}");
        Ok(())
    }

    /// Calls the address of the hook with a token that nobody has.
    fn call_with_another_token(&self) -> Case {
        let hooks = "/projects/shop%2Fcheckout/hooks";
        let hooks = self.stack.env.gitlab.api(Method::GET, hooks, None)?;
        let url = hooks.pointer("/0/url").and_then(Value::as_str);
        let path = url
            .context("no hook")?
            .trim_start_matches(&self.gateway.url());
        let client = reqwest::blocking::Client::builder().no_proxy().build()?;
        let request = client.post(format!("http://127.0.0.1:{}{path}", self.gateway.port));
        let request = request
            .header("X-Gitlab-Event", "Push Hook")
            .header("X-Gitlab-Token", "another")
            .json(&json!({ "object_kind": "push", "ref": "refs/heads/main" }));
        assert_eq!(request.send()?.status(), 400);
        Ok(())
    }
}

#[test]
fn one_apply_makes_what_runs_pipelines_and_deploys_and_one_destroy_leaves_nothing() -> Case {
    let workers = Workers::start()?;
    let folder = tempfile::tempdir()?;
    let events = ArgoEvents::start(&workers.stack.control_plane, folder.path())?;
    let before = workers.everything_at_rest()?;
    for parallelism in ["-parallelism=10", "-parallelism=1", "-parallelism=50"] {
        let (_source, sensor) = workers.apply(&events, parallelism)?;
        workers.call_with_another_token()?;
        workers.push(&sensor)?;

        // Argo CD may read the deployment repository, and no other.
        let list = |plural: &str| {
            let path = format!("{ARGO_PROJECT}/argocd/{plural}");
            workers.deployment.api(Method::GET, &path, None)
        };
        let applications = list("applications")?;
        let url = applications.pointer("/items/0/spec/source/repoURL");
        let url = url.and_then(Value::as_str).unwrap_or_default();
        assert!(url.ends_with("shop/deployment.git"), "{applications}");
        let projects = list("appprojects")?;
        let sources = projects.pointer("/items/0/spec/sourceRepos");
        assert_eq!(sources, Some(&json!([url])), "{projects}");

        let destroy = ["-destroy", parallelism];
        workers.stack.env.workspace.apply_with(&destroy)?;
        let after = workers.everything()?;
        let names = before.keys().chain(after.keys());
        let changed: Vec<_> = names
            .filter(|name| before.get(*name) != after.get(*name))
            .collect();
        assert!(changed.is_empty(), "{parallelism}: {changed:#?}");
    }
    Ok(())
}
