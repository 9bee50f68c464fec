//! The components of clusters, with the install manifests of their projects, on a real Kubernetes API.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Method, StandIn};

use crate::cluster::{NO_COMPONENTS, Stack, TENANT_REPOSITORY, manifest, worker};
use crate::test_env::Case;

const ADDRESS: &str = "nautes_cluster.deploy";

/// What a worker for deployments has, with nothing of it installed.
const NOTHING: [(&str, &str); 4] = [
    ("deployment", "{ install = false }"),
    ("progressive_delivery", "{ install = false }"),
    ("secret_sync", "{ install = false }"),
    ("gateway", "{ install = false }"),
];

/// A worker for deployments that has nothing but these slots.
pub(crate) fn worker_with(stack: &Stack, slots: &[(&str, &str)]) -> String {
    let others = NOTHING
        .iter()
        .filter(|(slot, _)| slots.iter().all(|(chosen, _)| chosen != slot));
    let all = slots.iter().chain(others);
    let lines = all.map(|(slot, value)| format!("    {slot} = {value}\n"));
    let components = format!("{{\n{}  }}", lines.collect::<String>());
    worker(&stack.control_plane.url(), 1).replace(NO_COMPONENTS, &components)
}

/// A slot with a manifest in a file, and more arguments.
fn from_file(file: &str, version: &str, more: &str) -> anyhow::Result<String> {
    let (path, sha256) = manifest(file)?;
    Ok(slot_text(&path, &sha256, version, more))
}

fn slot_text(path: &str, sha256: &str, version: &str, more: &str) -> String {
    format!("{{ version = \"{version}\", url = \"{path}\", sha256 = \"{sha256}\"{more} }}")
}

/// Writes a manifest into the workspace, and returns a slot with it.
pub(crate) fn written(
    stack: &Stack,
    file: &str,
    content: &str,
    version: &str,
) -> anyhow::Result<String> {
    stack.env.workspace.write(file, content)?;
    let path = stack.env.workspace.path().join(file);
    let digest = ring::digest::digest(&ring::digest::SHA256, content.as_bytes());
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    let sha256: String = digits.collect();
    Ok(slot_text(&path.display().to_string(), &sha256, version, ""))
}

/// Installs a manifest as somebody else would.
fn install_theirs(stack: &Stack, file: &str, namespace: &str) -> Case {
    let (path, _) = manifest(file)?;
    let cluster = &stack.control_plane;
    cluster.apply(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {namespace} }}\n"
    ))?;
    let mut arguments = vec!["apply", "--server-side", "-f", &path];
    if namespace == "argocd" {
        // Its manifest names no namespace.
        arguments.extend(["-n", namespace]);
    }
    cluster.kubectl(arguments)?;
    Ok(())
}

/// An object without what changes by itself.
fn content(stack: &Stack, path: &str) -> anyhow::Result<Value> {
    let object = stack.control_plane.get(path)?;
    let mut object = object.ok_or_else(|| anyhow::anyhow!("{path} is gone"))?;
    object["status"].take();
    for field in ["managedFields", "resourceVersion", "generation"] {
        object["metadata"][field].take();
    }
    Ok(object)
}

/// Waits for what the cluster itself removes after a destroy.
fn assert_objects_become(stack: &Stack, expected: &BTreeSet<String>) -> Case {
    let deadline = Instant::now() + Duration::from_secs(60);
    while stack.objects()? != *expected && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(stack.objects()?, *expected);
    Ok(())
}

fn drift(stack: &Stack) -> anyhow::Result<String> {
    stack.env.workspace.apply_with(&["-refresh-only"])?;
    Ok(stack.env.workspace.resource(ADDRESS)?["drift"].to_string())
}

/// What others have in their cluster.
const THEIRS: [&str; 7] = [
    "/apis/apps/v1/namespaces/argocd/deployments/argocd-server",
    "/api/v1/namespaces/argocd/secrets/argocd-secret",
    "/api/v1/namespaces/argocd/configmaps/argocd-rbac-cm",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/applications.argoproj.io",
    "/apis/apps/v1/namespaces/traefik/deployments/traefik",
    "/apis/apps/v1/namespaces/cert-manager/deployments/cert-manager",
    "/api/v1/namespaces/argocd",
];

/// Asserts that nothing is written where the components of others are in the way.
fn assert_refused(stack: &Stack, rollouts: &str) -> Case {
    let env = &stack.env;
    let argo_cd = from_file("argo-cd-v3.5.1.yaml", "v3.5.1", "")?;
    let cert_manager = from_file("cert-manager-1.21.1.yaml", "v1.21.1", "")?;
    let before = (stack.objects()?, env.vault()?.inventory()?);
    env.write(&worker_with(
        stack,
        &[
            ("deployment", &argo_cd),
            ("cert_management", &cert_manager),
            ("gateway", "{}"),
            ("progressive_delivery", rollouts),
        ],
    ))?;
    let refused = env.workspace.failing_apply()?;
    assert_eq!(refused.errors().count(), 3, "{}", refused.text());
    let text = refused.text();
    for expected in [
        "CustomResourceDefinition applications.argoproj.io",
        "Deployment argocd/argocd-server",
        "Deployment cert-manager/cert-manager",
        "Service traefik/traefik",
        "set install = false in components.deployment",
        "set install = false in components.cert_management",
        "set install = false in components.gateway",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert!(!text.contains("Rollout"), "{text}");
    assert_eq!((stack.objects()?, env.vault()?.inventory()?), before);
    Ok(())
}

#[test]
fn components_of_others_are_refused_used_and_left_as_they_were() -> Case {
    let stack = Stack::start()?;
    let env = &stack.env;
    let _controllers = StandIn::start(&stack.control_plane)?;
    install_theirs(&stack, "argo-cd-v3.5.1.yaml", "argocd")?;
    install_theirs(&stack, "cert-manager-1.21.1.yaml", "cert-manager")?;
    install_theirs(&stack, "traefik-41.3.0.yaml", "traefik")?;
    let rollouts = from_file("argo-rollouts-v1.9.1.yaml", "v1.9.1", "")?;

    let before = stack.objects()?;
    assert_refused(&stack, &rollouts)?;

    let contents = || -> anyhow::Result<Vec<Value>> {
        THEIRS.iter().map(|path| content(&stack, path)).collect()
    };
    let as_it_was = contents()?;
    env.write(&worker_with(
        &stack,
        &[
            (
                "deployment",
                "{ install = false, host = \"argocd.example.com\" }",
            ),
            ("cert_management", "{ install = false }"),
            (
                "gateway",
                "{ install = false, service_type = \"LoadBalancer\" }",
            ),
            ("progressive_delivery", &rollouts),
        ],
    ))?;
    let applied = env.workspace.apply()?;
    let warnings = applied.outcome.text();
    assert!(warnings.contains("CVE-2026-85594"), "{warnings}");
    assert!(
        warnings.contains("External Secrets is not there yet"),
        "{warnings}"
    );
    let cluster = env.workspace.resource(ADDRESS)?;
    assert_eq!(cluster["argocd_url"], json!("https://argocd.example.com"));
    let status = cluster["component_status"].as_object();
    let installed = status.map(|status| status.keys().cloned().collect::<Vec<_>>());
    assert_eq!(installed, Some(vec!["argo-rollouts".to_owned()]));

    // Only our own keys have been written, and they are repaired.
    let secret = content(&stack, THEIRS[1])?;
    assert!(
        secret["data"]["webhook.gitlab.secret"].is_string(),
        "{secret}"
    );
    let claims = content(&stack, THEIRS[2])?;
    assert_eq!(claims["data"]["scopes"], json!("[groups]"));
    stack.control_plane.kubectl([
        "patch",
        "configmap",
        "-n",
        "argocd",
        "argocd-rbac-cm",
        "--type=json",
        "--patch=[{\"op\":\"remove\",\"path\":\"/data/scopes\"}]",
    ])?;
    let found = drift(&stack)?;
    assert!(found.contains("argocd-rbac-cm lacks the key"), "{found}");
    env.workspace.apply()?;
    assert_eq!(
        content(&stack, THEIRS[2])?["data"]["scopes"],
        json!("[groups]")
    );

    env.workspace.destroy()?;
    let left = contents()?;
    for (was, is) in as_it_was.iter().zip(&left) {
        let empty = |value: &Value| value.as_object().is_none_or(serde_json::Map::is_empty);
        let (mut was, mut is) = (was.clone(), is.clone());
        if empty(&was["data"]) && empty(&is["data"]) {
            was["data"].take();
            is["data"].take();
        }
        assert_eq!(was, is);
    }
    assert_objects_become(&stack, &before)
}

#[test]
fn a_version_is_upgraded_with_what_it_no_longer_has_and_others_changes_are_repaired() -> Case {
    let stack = Stack::start()?;
    let env = &stack.env;
    let (path, _) = manifest("argo-rollouts-v1.9.1.yaml")?;
    let old = fs::read_to_string(Path::new(&path))?;
    let extra =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: extra }\ndata: { key: value }\n";
    let first = written(
        &stack,
        "old.yaml",
        &format!("{old}\n---\n{extra}"),
        "v1.9.1",
    )?;
    env.write(&worker_with(&stack, &[("progressive_delivery", &first)]))?;
    env.workspace.apply()?;
    let extra = "/api/v1/namespaces/argo-rollouts/configmaps/extra";
    assert!(stack.control_plane.get(extra)?.is_some());

    let cluster = &stack.control_plane;
    cluster.kubectl([
        "delete",
        "deployment",
        "-n",
        "argo-rollouts",
        "argo-rollouts",
    ])?;
    let edit = "{\"data\":{\"key\":\"theirs\"}}";
    cluster.kubectl([
        "patch",
        "configmap",
        "-n",
        "argo-rollouts",
        "extra",
        "--patch",
        edit,
    ])?;
    let found = drift(&stack)?;
    assert!(
        found.contains("Deployment argo-rollouts/argo-rollouts is gone")
            && found.contains("ConfigMap argo-rollouts/extra /data/key"),
        "{found}"
    );
    env.workspace.apply()?;
    assert_eq!(content(&stack, extra)?["data"]["key"], json!("value"));

    let second = written(&stack, "new.yaml", &old, "v1.9.2")?;
    env.write(&worker_with(&stack, &[("progressive_delivery", &second)]))?;
    env.workspace.apply()?;
    assert_eq!(stack.control_plane.get(extra)?, None);
    let status = env.workspace.resource(ADDRESS)?["component_status"]["argo-rollouts"].clone();
    assert_eq!(status["version"], json!("v1.9.2"));

    // What we have installed stays, if it is not to be installed any more.
    env.write(&worker_with(&stack, &[]))?;
    let planned = env.workspace.plan()?;
    let warnings = planned.outcome.text();
    assert!(
        warnings.contains("Argo Rollouts stays in the cluster"),
        "{warnings}"
    );
    env.workspace.apply()?;
    env.workspace.destroy()?;
    let deployment = "/apis/apps/v1/namespaces/argo-rollouts/deployments/argo-rollouts";
    assert!(stack.control_plane.get(deployment)?.is_some());
    Ok(())
}

/// A component with one kind, in two of its versions.
pub(crate) fn rollouts(versions: &[(&str, bool)]) -> String {
    let versions = versions.iter().map(|(name, is_stored)| {
        format!(
            "  - {{ name: {name}, served: true, storage: {is_stored}, schema: {{ openAPIV3Schema: {{ type: object, x-kubernetes-preserve-unknown-fields: true }} }} }}\n"
        )
    });
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{ name: rollouts.argoproj.io }}\nspec:\n  group: argoproj.io\n  names: {{ kind: Rollout, plural: rollouts }}\n  scope: Namespaced\n  versions:\n{}---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: argo-rollouts }}\nspec:\n  selector: {{ matchLabels: {{ app: rollouts }} }}\n  template:\n    metadata: {{ labels: {{ app: rollouts }} }}\n    spec: {{ containers: [{{ name: rollouts, image: \"quay.io/argoproj/argo-rollouts:v1.0.0\" }}] }}\n",
        versions.collect::<String>()
    )
}

#[test]
fn a_stored_version_goes_with_an_upgrade_unless_others_have_objects_of_it() -> Case {
    let stack = Stack::start()?;
    let env = &stack.env;
    let first = written(
        &stack,
        "old.yaml",
        &rollouts(&[("v1alpha0", true)]),
        "v1.0.0",
    )?;
    env.write(&worker_with(&stack, &[("progressive_delivery", &first)]))?;
    env.workspace.apply()?;
    let cluster = &stack.control_plane;
    let rollout = |namespace: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha0\nkind: Rollout\nmetadata: {{ name: web, namespace: {namespace} }}\nspec: {{ replicas: 2 }}\n"
        )
    };
    cluster.apply(
        "apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { resource.nautes.io/belongsto: product-7 } }\n",
    )?;
    cluster.apply(&rollout("shop"))?;
    cluster.apply(&rollout("default"))?;

    let new = rollouts(&[("v1alpha1", true)]);
    let second = written(&stack, "new.yaml", &new, "v1.1.0")?;
    env.write(&worker_with(&stack, &[("progressive_delivery", &second)]))?;
    let before = stack.objects()?;
    let refused = env.workspace.failing_apply()?.text();
    for expected in [
        "rollouts.argoproj.io drops the stored version v1alpha0",
        "Rollout.argoproj.io default/web",
        "migrate_foreign = true",
    ] {
        assert!(refused.contains(expected), "{refused}");
    }
    let definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/rollouts.argoproj.io";
    let definition =
        || -> anyhow::Result<Value> { Ok(cluster.get(definition)?.unwrap_or_default()) };
    assert_eq!(
        definition()?["spec"]["versions"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(stack.objects()?, before);

    // What products have counts as ours.
    cluster.kubectl([
        "delete",
        "rollouts.v1alpha0.argoproj.io",
        "-n",
        "default",
        "web",
    ])?;
    env.workspace.apply()?;
    assert_eq!(
        definition()?["status"]["storedVersions"],
        json!(["v1alpha1"])
    );
    let path = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web";
    assert_eq!(content(&stack, path)?["spec"]["replicas"], json!(2));
    Ok(())
}

#[test]
fn a_manifest_that_cannot_be_had_leaves_nothing_written() -> Case {
    let stack = Stack::start()?;
    let env = &stack.env;
    let before = (stack.objects()?, env.vault()?.inventory()?);
    let zeros = "0".repeat(64);
    let unreachable = slot_text("https://127.0.0.1:1/install.yaml", &zeros, "v3.5.1", "");
    let (path, _) = manifest("argo-rollouts-v1.9.1.yaml")?;
    let other = slot_text(&path, &zeros, "v1.9.1", "");
    env.write(&worker_with(
        &stack,
        &[
            ("deployment", &unreachable),
            ("progressive_delivery", &other),
        ],
    ))?;
    let refused = env.workspace.failing_apply()?;
    let text = refused.text();
    for expected in [
        "Cannot download the manifest of Argo CD v3.5.1",
        "is not the expected one",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!((stack.objects()?, env.vault()?.inventory()?), before);
    Ok(())
}

#[test]
fn a_host_has_a_gateway_with_the_ports_that_were_chosen() -> Case {
    let stack = Stack::start()?;
    let env = &stack.env;
    let host = worker(&stack.control_plane.url(), 1)
        .replace("\"worker\"\n", "\"host\"\n")
        .replace("  worker_type           = \"deployment\"\n", "")
        .replace(
            NO_COMPONENTS,
            "{ gateway = { https_node_port = 31443, http_node_port = 31080 } }",
        );
    env.write(&host)?;
    env.workspace.plan()?;
    let planned = env.workspace.show_plan()?;
    let change = &planned["resource_changes"][0]["change"];
    let expected = json!({ "traefik": {
        "http_port": 31080, "https_port": 31443, "service_type": "NodePort"
    } });
    assert_eq!(change["after"]["entry_points"], expected, "{change}");
    env.workspace.apply()?;
    let cluster = env.workspace.resource(ADDRESS)?;
    assert_eq!(cluster["entry_points"], expected);
    assert_eq!(cluster["argocd_url"], Value::Null);
    let service = content(&stack, "/api/v1/namespaces/traefik/services/traefik")?;
    let ports = service["spec"]["ports"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let ports: Vec<_> = ports.iter().map(|port| port["nodePort"].clone()).collect();
    assert_eq!(ports, [json!(31080), json!(31443)]);
    let path = cluster["manifest_path"].as_str().unwrap_or_default();
    let manifest = env.read_file(TENANT_REPOSITORY, path)?;
    assert!(manifest.contains("httpsNodePort: \"31443\""), "{manifest}");
    env.workspace.destroy()?;
    Ok(())
}

#[test]
fn the_dashboards_get_single_sign_on_and_the_secret_is_in_the_cluster_alone() -> Case {
    let stack = Stack::start()?;
    let env = &stack.env;
    let _controllers = StandIn::start(&stack.control_plane)?;
    let dashboard = from_file("tekton-dashboard-v0.71.0.yaml", "v0.71.0", "")?;
    let pipeline = from_file(
        "tekton-pipelines-v1.15.0.yaml",
        "v1.15.0",
        &format!(", dashboard = {dashboard}"),
    )?;
    let pipelines = |provider: &str| {
        let slots = [
            ("deployment", "{ install = false }"),
            ("secret_sync", "{ install = false }"),
            ("event_listener", "{ install = false }"),
            ("pipeline", pipeline.as_str()),
        ];
        let lines = slots.map(|(slot, value)| format!("    {slot} = {value}\n"));
        let components = format!("{{\n{}  }}", lines.concat());
        let worker = worker(&stack.control_plane.url(), 1)
            .replace("\"deployment\"", "\"pipeline\"")
            .replace(NO_COMPONENTS, &components);
        format!("{provider}{worker}")
    };
    let provider = "provider \"nautes\" {\n  oidc = { issuer = \"https://sso.example.com\", client_id = \"nautes\", client_secret = \"s3cr3t-client\" }\n}\n";
    env.write(&pipelines(provider))?;
    env.workspace.apply()?;
    let cluster = env.workspace.resource(ADDRESS)?;
    let tekton = cluster["tekton_url"].as_str().unwrap_or_default();
    assert!(tekton.starts_with("https://tekton.deploy-01."), "{tekton}");
    let state = env.workspace.state_file().unwrap_or_default();
    assert!(!state.contains("s3cr3t-client"));
    let ingress =
        "/apis/networking.k8s.io/v1/namespaces/tekton-pipelines/ingresses/tekton-dashboard";
    let annotations = content(&stack, ingress)?["metadata"]["annotations"].clone();
    assert_eq!(
        annotations["traefik.ingress.kubernetes.io/router.middlewares"],
        json!("traefik-oauth-deploy-01@kubernetescrd")
    );
    let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?labelSelector=rbac.dashboard.tekton.dev/subject";
    let bindings = stack.control_plane.api(Method::GET, bindings, None)?;
    assert_eq!(bindings["items"].as_array().map(Vec::len), Some(0));
    let proxy = "/apis/apps/v1/namespaces/oauth2-proxy/deployments/oauth2-proxy";
    assert!(stack.control_plane.get(proxy)?.is_some());

    // Without single sign-on, nobody reaches the dashboard.
    env.write(&pipelines(""))?;
    env.workspace.apply()?;
    let cluster = env.workspace.resource(ADDRESS)?;
    assert_eq!(cluster["tekton_url"], Value::Null);
    assert_eq!(stack.control_plane.get(proxy)?, None);
    assert_eq!(stack.control_plane.get(ingress)?, None);
    env.workspace.destroy()?;
    Ok(())
}

#[test]
fn what_cannot_work_is_refused_when_it_is_planned() -> Case {
    let stack = Stack::start()?;
    let env = &stack.env;
    for (slot, value, expected) in [
        (
            "gateway",
            "{ https_node_port = 443 }",
            "443 is not a port that Kubernetes gives to Services",
        ),
        (
            "gateway",
            "{ http_node_port = 30443 }",
            "Two ports of the gateway are the same",
        ),
        (
            "deployment",
            "{ url = \"https://example.com/install.yaml\" }",
            "sha256",
        ),
        ("deployment", "{ name = \"flux\" }", "Unknown component"),
        (
            "secret_sync",
            "{ namespace = \"secrets\" }",
            "cannot be installed in the namespace secrets",
        ),
        (
            "event_listener",
            "{ replicas = 3 }",
            "A slot that the cluster does not have",
        ),
        (
            "event_listener",
            "{ install = false, replicas = 2 }",
            "1, or 3 or more",
        ),
    ] {
        env.write(&worker_with(&stack, &[(slot, value)]))?;
        let refused = env.workspace.failing_validate()?.text();
        assert!(refused.contains(expected), "{value}: {refused}");
    }
    env.write(&worker_with(
        &stack,
        &[
            (
                "deployment",
                "{ host = \"webhook.deploy-01.127.0.0.1.nip.io\" }",
            ),
            ("gateway", "{}"),
        ],
    ))?;
    let refused = env.workspace.failing_plan()?.text();
    assert!(
        refused.contains("Two services of the cluster have one host"),
        "{refused}"
    );

    // What gives the cluster away is a matter of insecure_skip_check.
    let powerful = worker(&stack.control_plane.url(), 1).replace(
        "  components",
        "  reserved_namespaces_allowed_products = { argocd = [\"shop\"] }\n  product_allowed_cluster_resources = { shop = [{ kind = \"ClusterRole\", group = \"rbac.authorization.k8s.io\", name = null }] }\n  components",
    );
    env.write(&powerful)?;
    let refused = env.workspace.failing_plan()?;
    assert_eq!(refused.errors().count(), 2, "{}", refused.text());
    env.write(&powerful.replace("  components", "  insecure_skip_check = true\n  components"))?;
    let planned = env.workspace.plan()?;
    let given_away = |warning: &&testbed::Diagnostic| warning.summary.contains("give");
    assert_eq!(planned.outcome.warnings().filter(given_away).count(), 2);
    Ok(())
}
