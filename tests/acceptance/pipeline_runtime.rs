//! Pipeline runtimes in a worker whose components are only their kinds, and with controllers that are stood in for.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use testbed::{Method, StandIn, Workspace};

use crate::cluster::{Stack, TENANT_REPOSITORY, definitions};
use crate::test_env::Case;

const CLUSTER: &str = "pipe-01";
const ARGO: &str = "/apis/argoproj.io/v1alpha1/namespaces/argo-events";
const HOST_KEYS: &str = "gitlab.example.com ecdsa-sha2-nistp256 AAAA";

/// The gateway of a worker: it answers as an event source does that knows the token and gets an empty body.
struct Gateway {
    port: u16,
    tokens: Arc<Mutex<Vec<String>>>,
}

impl Gateway {
    fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let tokens: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&tokens);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).unwrap_or_default();
                let request =
                    String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
                let mut lines = request.lines();
                let token = lines.find_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    name.eq_ignore_ascii_case("x-gitlab-token")
                        .then(|| value.to_owned())
                });
                if let Ok(mut seen) = seen.lock() {
                    seen.extend(token);
                }
                let text = "invalid event";
                let answer = format!(
                    "HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                    text.len()
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Ok(Self { port, tokens })
    }

    fn url(&self) -> String {
        format!("http://webhook.localhost:{}", self.port)
    }
}

/// A worker for pipelines, and the workspace of a product team.
struct Pipelines {
    stack: Stack,
    team: Workspace,
    gateway: Gateway,
    _stand_in: StandIn,
}

impl Pipelines {
    fn start() -> anyhow::Result<Self> {
        let stack = Stack::start()?;
        let control_plane = &stack.control_plane;
        for namespace in ["argocd", "argo-events", "tekton-pipelines"] {
            control_plane.kubectl(["create", "namespace", namespace])?;
        }
        for file in [
            "argo-cd-v3.5.1.yaml",
            "argo-events-v1.9.11.yaml",
            "external-secrets-2.9.0.yaml",
            "tekton-pipelines-v1.15.0.yaml",
        ] {
            control_plane.apply(&definitions(file)?)?;
        }
        control_plane.apply(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: argocd-rbac-cm, namespace: argocd }\ndata: { policy.csv: '' }\n---\napiVersion: v1\nkind: Secret\nmetadata: { name: argocd-secret, namespace: argocd }\nstringData: { server.secretkey: abc }\n",
        )?;
        let stand_in = StandIn::start(control_plane)?;
        stack.env.write(&worker(&control_plane.url()))?;
        stack.env.workspace.apply()?;
        let gateway = Gateway::start()?;
        let settings = json!({ "allow_local_requests_from_web_hooks_and_services": true });
        let gitlab = &stack.env.gitlab;
        gitlab.api(Method::PUT, "/application/settings", Some(&settings))?;
        let vault = stack.env.vault()?;
        let mut team = stack
            .env
            .new_workspace(&runtime(&RuntimeOptions::default()))?;
        for (name, value) in [
            ("NAUTES_VAULT_ADDRESS", vault.url()),
            ("NAUTES_VAULT_TOKEN", vault.root_token().to_owned()),
            (
                "NAUTES_TENANT_REPOSITORY_PROJECT",
                TENANT_REPOSITORY.to_owned(),
            ),
            ("NAUTES_GITLAB_SSH_KNOWN_HOSTS", HOST_KEYS.to_owned()),
        ] {
            team.set_env(name, value);
        }
        let pipelines = Self {
            stack,
            team,
            gateway,
            _stand_in: stand_in,
        };
        pipelines.write_webhook_address()?;
        Ok(pipelines)
    }

    /// Writes what a gateway would add to the facts of the cluster.
    fn write_webhook_address(&self) -> anyhow::Result<()> {
        let path = "/api/v1/namespaces/nautes/configmaps/nautes-cluster-facts";
        let mut facts = self.get(path)?;
        let text = facts["data"]["facts"].as_str().unwrap_or_default();
        let mut known: Value = serde_json::from_str(text)?;
        known["webhook_base_url"] = json!(self.gateway.url());
        known["webhook_tls_verifiable"] = json!(false);
        known["ingress_class"] = json!("traefik");
        facts["data"]["facts"] = json!(known.to_string());
        self.stack
            .control_plane
            .api(Method::PUT, path, Some(&facts))?;
        Ok(())
    }

    fn get(&self, path: &str) -> anyhow::Result<Value> {
        let found = self.stack.control_plane.get(path)?;
        found.ok_or_else(|| anyhow::anyhow!("there is no {path}"))
    }

    fn write(&self, options: &RuntimeOptions<'_>) -> anyhow::Result<()> {
        Ok(self.team.write("main.tf", &runtime(options))?)
    }

    fn runtime(&self) -> anyhow::Result<Value> {
        Ok(self.team.resource("nautes_pipeline_runtime.build")?)
    }

    fn uid(&self) -> anyhow::Result<String> {
        let id = self.runtime()?["id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(id.replace('/', "-"))
    }

    /// The hooks of a repository of the product.
    fn hooks(&self, repository: &str) -> anyhow::Result<Vec<Value>> {
        let path = format!("/projects/shop%2F{repository}/hooks");
        let listed = self.stack.env.gitlab.api(Method::GET, &path, None)?;
        Ok(listed.as_array().cloned().unwrap_or_default())
    }
}

/// What varies in the configuration of a runtime.
struct RuntimeOptions<'a> {
    branch: &'a str,
    credentials: &'a str,
    events: &'a str,
    has_runtime: bool,
}

impl Default for RuntimeOptions<'_> {
    fn default() -> Self {
        Self {
            branch: "main",
            credentials: "null",
            events: r#"["push_events"]"#,
            has_runtime: true,
        }
    }
}

fn worker(api_server: &str) -> String {
    format!(
        r#"
resource "nautes_cluster" "pipe" {{
  name                  = "{CLUSTER}"
  api_server            = "{api_server}"
  cluster_type          = "physical"
  usage                 = "worker"
  worker_type           = "pipeline"
  kubeconfig_wo         = file("${{path.module}}/kubeconfig")
  kubeconfig_wo_version = 1
  components = {{
    deployment = {{ install = false }}, secret_sync = {{ install = false }}, gateway = {{ install = false }},
    pipeline = {{ install = false }}, event_listener = {{ install = false }},
  }}
}}
"#
    )
}

fn runtime(options: &RuntimeOptions<'_>) -> String {
    let RuntimeOptions {
        branch,
        credentials,
        events,
        has_runtime,
    } = options;
    let rest = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_project" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}

resource "nautes_environment" "build" {
  product  = nautes_product.shop.id
  name     = "build"
  cluster  = "pipe-01"
  env_type = "build"
}

resource "nautes_code_repo" "source" {
  product = nautes_product.shop.id
  name    = "checkout"
  project = nautes_project.checkout.id
}

resource "nautes_code_repo" "pipelines" {
  product = nautes_product.shop.id
  name    = "ci"
  project = nautes_project.checkout.id
}
"#;
    if !has_runtime {
        return rest.to_owned();
    }
    format!(
        r#"{rest}
resource "nautes_pipeline_runtime" "build" {{
  product         = nautes_product.shop.id
  name            = "checkout-ci"
  project         = nautes_project.checkout.id
  pipeline_source = nautes_code_repo.pipelines.id
  destination     = {{ environment = nautes_environment.build.id }}
  event_sources = {{
    on-push = {{ gitlab = {{ code_repo = nautes_code_repo.source.id, events = {events}, branch = "{branch}" }} }}
    nightly = {{ calendar = {{ schedule = "0 3 * * *" }} }}
  }}
  pipelines = {{ build = {{ path = "pipelines/build.yaml", label = "build" }} }}
  pipeline_triggers = [
    {{ event_source = "on-push", pipeline = "build", inputs = [{{ from_event = "commitID", kustomization_path = "/spec/params/0/value" }}] }},
    {{ event_source = "nightly", pipeline = "build", revision = "main" }},
  ]
  credentials = {credentials}
}}
"#
    )
}

#[test]
fn a_runtime_is_made_repaired_changed_and_removed_without_a_trace() -> Case {
    let pipelines = Pipelines::start()?;
    let Pipelines {
        stack,
        team,
        gateway,
        ..
    } = &pipelines;
    let without = RuntimeOptions {
        has_runtime: false,
        ..RuntimeOptions::default()
    };
    pipelines.write(&without)?;
    team.apply()?;
    let before = (
        stack.control_plane.snapshot()?,
        stack.env.vault()?.inventory()?,
        pipelines.hooks("checkout")?,
    );

    // Made: `apply` checks that the plan afterwards is empty.
    pipelines.write(&RuntimeOptions::default())?;
    team.apply()?;
    let runtime = pipelines.runtime()?;
    assert_eq!(runtime["runtime_namespace"], "shop-checkout-ci");
    assert_eq!(
        runtime["credential_secrets"],
        json!({ "source": "checkout-ci-source" })
    );
    let uid = pipelines.uid()?;
    let hooks = pipelines.hooks("checkout")?;
    assert_eq!(hooks.len(), 1);
    let url = hooks[0]["url"].as_str().unwrap_or_default();
    assert!(
        url.starts_with(&format!("{}/{uid}/repo-", gateway.url())),
        "{url}"
    );
    assert_eq!(hooks[0]["push_events"], true);
    assert_eq!(hooks[0]["enable_ssl_verification"], false);
    assert_eq!(runtime["webhooks"]["on-push"]["id"], hooks[0]["id"]);
    let sensor = pipelines.get(&format!("{ARGO}/sensors/{uid}"))?;
    assert_eq!(
        sensor["spec"]["dependencies"].as_array().map(Vec::len),
        Some(2)
    );
    // The hook was asked with the token of the worker, which is nowhere in the state.
    let repository = url.rsplit('/').next().unwrap_or_default();
    let secret = format!("/api/v1/namespaces/argo-events/secrets/{uid}-{repository}-secret-token");
    let token = gateway.tokens.lock().unwrap().first().cloned();
    let token = token.ok_or_else(|| anyhow::anyhow!("nobody asked the gateway"))?;
    let state = std::fs::read_to_string(team.path().join("terraform.tfstate"))?;
    assert!(!state.contains(&token));

    // Repaired: what was changed or removed by hand comes back.
    let control_plane = &stack.control_plane;
    control_plane.api(Method::DELETE, &format!("{ARGO}/sensors/{uid}"), None)?;
    control_plane.api(Method::DELETE, &secret, None)?;
    let hook = format!("/projects/shop%2Fcheckout/hooks/{}", hooks[0]["id"]);
    stack.env.gitlab.api(Method::DELETE, &hook, None)?;
    team.apply()?;
    pipelines.get(&format!("{ARGO}/sensors/{uid}"))?;
    assert_eq!(pipelines.hooks("checkout")?.len(), 1);
    let other = gateway.tokens.lock().unwrap().last().cloned();
    assert_ne!(other, Some(token));

    // Changed in place.
    pipelines.write(&RuntimeOptions {
        branch: "release",
        events: r#"["push_events", "tag_push_events"]"#,
        credentials: r#"{ deploy = { code_repo = nautes_code_repo.source.id, permission = "readwrite" } }"#,
        ..RuntimeOptions::default()
    })?;
    team.apply()?;
    let runtime = pipelines.runtime()?;
    assert_eq!(
        runtime["credential_secrets"]["deploy"],
        "checkout-ci-deploy"
    );
    assert_eq!(pipelines.hooks("checkout")?[0]["tag_push_events"], true);
    let account =
        pipelines.get("/api/v1/namespaces/shop-checkout-ci/serviceaccounts/checkout-ci")?;
    let linked = account["secrets"].as_array().map(Vec::len);
    assert_eq!(linked, Some(2), "{account}");

    // Removed: everything is as it was before.
    pipelines.write(&without)?;
    team.apply()?;
    let after = (
        stack.control_plane.snapshot()?,
        stack.env.vault()?.inventory()?,
        pipelines.hooks("checkout")?,
    );
    let differing: Vec<_> = after
        .0
        .iter()
        .filter(|(path, object)| before.0.get(*path) != Some(object))
        .map(|(path, _)| path)
        .chain(before.0.keys().filter(|path| !after.0.contains_key(*path)))
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
    assert_eq!(after.1, before.1);
    assert_eq!(after.2, before.2);
    Ok(())
}

#[test]
fn a_hook_that_gitlab_has_disabled_is_made_anew() -> Case {
    let pipelines = Pipelines::start()?;
    let Pipelines { stack, team, .. } = &pipelines;
    let gitlab = &stack.env.gitlab;
    gitlab.update_switches(&json!({ "hook_auto_disabling": "since_17_11" }))?;
    team.apply()?;
    let hook = pipelines.hooks("checkout")?.remove(0);
    // The gateway answers with 400, which GitLab counts as a failure.
    for number in 0..4 {
        let file =
            json!([{ "action": "create", "file_path": format!("{number}"), "content": "x" }]);
        stack.env.commit("shop/checkout", &file)?;
        gitlab.wait_until_idle()?;
    }
    let disabled = pipelines.hooks("checkout")?.remove(0);
    assert_eq!(
        disabled["alert_status"], "temporarily_disabled",
        "{disabled}"
    );
    let plan = team.plan()?;
    assert_eq!(plan.action("nautes_pipeline_runtime.build"), Some("update"));
    let shown = team.show_plan()?.to_string();
    assert!(shown.contains("GitLab does not call the hook"), "{shown}");

    team.apply()?;
    let renewed = pipelines.hooks("checkout")?;
    assert_eq!(renewed.len(), 1);
    assert_ne!(renewed[0]["id"], hook["id"]);
    assert_eq!(renewed[0]["alert_status"], "executable");
    Ok(())
}

#[test]
fn a_creation_that_was_interrupted_is_finished_and_makes_nothing_twice() -> Case {
    let pipelines = Pipelines::start()?;
    let Pipelines { stack, team, .. } = &pipelines;
    let gitlab = &stack.env.gitlab;
    for after_effect in [false, true] {
        gitlab.inject_fault(&json!({
            "method": "POST", "path": "/hooks$", "times": 1, "after_effect": after_effect,
            "failure": { "respond": { "status": 403 } },
        }))?;
        let error = team.failing_apply()?.text();
        assert!(error.contains("make the hook of repo-"), "{error}");
        // What is there is finished, whatever the configuration says by now.
        pipelines.write(&RuntimeOptions {
            branch: "release",
            ..RuntimeOptions::default()
        })?;
    }
    team.apply()?;
    assert_eq!(pipelines.hooks("checkout")?.len(), 1);
    team.destroy()?;
    let registries = pipelines
        .get("/api/v1/namespaces/nautes/configmaps")?
        .to_string();
    assert!(!registries.contains("nautes-tf-product"), "{registries}");
    Ok(())
}

#[test]
fn the_sensor_of_one_product_cannot_start_pipelines_of_another() -> Case {
    let pipelines = Pipelines::start()?;
    let Pipelines { stack, team, .. } = &pipelines;
    let shop = runtime(&RuntimeOptions::default());
    let resources = [
        "nautes_product",
        "nautes_project",
        "nautes_environment",
        "nautes_code_repo",
        "nautes_pipeline_runtime",
    ];
    let mut toys = shop.replace("name = \"shop\"", "name = \"toys\"");
    for label in ["shop", "checkout", "build", "source", "pipelines"] {
        for resource in resources {
            toys = toys
                .replace(
                    &format!("\"{resource}\" \"{label}\""),
                    &format!("\"{resource}\" \"toys_{label}\""),
                )
                .replace(
                    &format!("{resource}.{label}."),
                    &format!("{resource}.toys_{label}."),
                );
        }
    }
    team.write("main.tf", &format!("{shop}{toys}"))?;
    team.apply()?;
    let id = |address: &str| -> anyhow::Result<String> {
        let runtime = team.resource(address)?;
        Ok(runtime["id"].as_str().unwrap_or_default().replace('/', "-"))
    };
    let shop = id("nautes_pipeline_runtime.build")?;
    let may =
        |namespace: &str, account: &str, verb: &str, resource: &str| -> anyhow::Result<bool> {
            let (group, resource) = resource.split_once('/').unwrap_or(("", resource));
            let review = json!({
                "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                "spec": {
                    "user": format!("system:serviceaccount:{account}"),
                    "groups": ["system:serviceaccounts", "system:authenticated"],
                    "resourceAttributes": {
                        "namespace": namespace, "verb": verb, "group": group, "resource": resource,
                    },
                },
            });
            let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
            let answer = stack.control_plane.api(Method::POST, path, Some(&review))?;
            Ok(answer["status"]["allowed"] == true)
        };
    let sensor = format!("argo-events:{shop}");
    assert!(may(
        "shop-checkout-ci",
        &sensor,
        "create",
        "tekton.dev/pipelineruns"
    )?);
    for (namespace, verb, resource) in [
        ("toys-checkout-ci", "create", "tekton.dev/pipelineruns"),
        ("shop-checkout-ci", "get", "secrets"),
        ("shop-checkout-ci", "delete", "tekton.dev/pipelineruns"),
        ("argo-events", "get", "secrets"),
    ] {
        assert!(
            !may(namespace, &sensor, verb, resource)?,
            "{verb} {resource} in {namespace}"
        );
    }
    let account = "shop-checkout-ci:checkout-ci";
    assert!(may("shop-checkout-ci", account, "create", "secrets")?);
    assert!(!may("toys-checkout-ci", account, "get", "secrets")?);

    // Each account reads the keys of its own product in Vault, from its own namespace.
    let role = format!("auth/{CLUSTER}/role/{shop}");
    let role = stack.env.vault()?.api(Method::GET, &role, None)?;
    let data = &role["data"];
    assert_eq!(
        data["bound_service_account_namespaces"],
        json!(["shop-checkout-ci"])
    );
    assert_eq!(data["bound_service_account_names"], json!(["checkout-ci"]));
    let pipelines = team.resource("nautes_code_repo.pipelines")?;
    let source = pipelines["id"].as_str().unwrap_or_default();
    let policies = json!([format!("gitlab-{source}-default-readonly")]);
    assert_eq!(data["token_policies"], policies);
    Ok(())
}

#[test]
fn mistakes_are_named_before_anything_is_written() -> Case {
    let pipelines = Pipelines::start()?;
    let Pipelines { team, .. } = &pipelines;
    let valid = runtime(&RuntimeOptions::default());
    let credentials = |text: &str| {
        runtime(&RuntimeOptions {
            credentials: text,
            ..RuntimeOptions::default()
        })
    };
    for (configuration, expected) in [
        (
            valid.replace(", revision = \"main\" },", " },"),
            "The event of a schedule names no branch",
        ),
        (valid.replace("commitID", "title"), "has the value title"),
        (
            valid.replace("/spec/params", "spec/params"),
            "is not a JSON pointer",
        ),
        (
            valid.replace("credentials = null", "isolation = \"exclusive\""),
            "Invalid value for isolation",
        ),
        (
            credentials(
                "{ source = { code_repo = nautes_code_repo.source.id, permission = \"readonly\" } }",
            ),
            "an entry which the provider adds",
        ),
    ] {
        team.write("main.tf", &configuration)?;
        let text = team.failing_plan()?.text();
        assert!(text.contains(expected), "{expected}: {text}");
    }

    let without_project = credentials(
        "{ deploy = { code_repo = nautes_code_repo.other.id, permission = \"readwrite\" } }",
    );
    let other = "resource \"nautes_code_repo\" \"other\" {\n  product = nautes_product.shop.id\n  name = \"other\"\n}\n";
    team.write("main.tf", &format!("{without_project}{other}"))?;
    let text = team.failing_apply()?.text();
    assert!(
        text.contains("resource \"nautes_code_repo_binding\" \"deploy\""),
        "{text}"
    );
    let vault = credentials(
        "{ registry = { vault = { mount = \"git\", path = \"shop/x\", key = \"a\" }, type = \"opaque\" } }",
    );
    team.write("main.tf", &vault)?;
    let text = team.failing_apply()?.text();
    assert!(text.contains("holds secrets of the platform"), "{text}");
    team.write(
        "main.tf",
        &vault
            .replace("\"git\"", "\"kv\"")
            .replace("shop/x", "toys/x"),
    )?;
    let text = team.failing_apply()?.text();
    assert!(text.contains("does not begin with shop/"), "{text}");
    assert_eq!(pipelines.hooks("checkout")?.len(), 0);
    Ok(())
}
