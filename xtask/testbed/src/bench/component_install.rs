//! P13: the writes that install a component, against those of kubectl; and the calls of a plan without changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use sha2::{Digest, Sha256};
use testbed::cargo::workspace_root;
use testbed::progress::step;
use testbed::{AuditEvent, ControlPlane, ControlPlaneOptions, Method, StandIn};

use super::figure::{Figure, Value};
use super::metric::Metric;
use super::sample::median;
use super::setup::Bench;
use super::stack::VaultStack;

const ROUNDS: usize = 5;

/// Calls to list the objects of a kind and to read those of which only some are wanted.
const CALLS_PER_KIND: usize = 3;

const TENANT_REPOSITORY: &str = "tenant/management";

/// The slots with install manifests from files, by their versions.
const COMPONENTS: [(&str, &str, &str); 4] = [
    ("deployment", "argo-cd-v3.5.1.yaml", "v3.5.1"),
    (
        "progressive_delivery",
        "argo-rollouts-v1.9.1.yaml",
        "v1.9.1",
    ),
    ("secret_sync", "external-secrets-2.9.0.yaml", "v2.9.0"),
    ("cert_management", "cert-manager-1.21.1.yaml", "v1.21.1"),
];

pub(super) const METRIC: Metric = Metric {
    id: "P13",
    title: "installing Argo CD, first to last write, over `kubectl apply --server-side`; no-op plan of a cluster with five components",
    conclusion: "An installation takes what the cluster needs for the writes, although every object is looked up before the \
                 first of them. A plan without changes lists each kind once, however many objects there are of it.",
    measure,
};

fn measure(bench: &Bench) -> anyhow::Result<Figure> {
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for round in 1..=ROUNDS {
        step(&format!("  round {round}"), || -> anyhow::Result<()> {
            theirs.push(install_with_kubectl()?);
            ours.push(install_with_provider(bench)?);
            Ok(())
        })?;
    }
    let median = |values: &[Duration]| median(values).unwrap_or_default().as_secs_f64();
    let (ours, theirs) = (median(&ours), median(&theirs));
    let (kind, calls, all) = no_op_plan(bench)?;
    Ok(Figure::new(
        vec![
            Value::new(ours / theirs, 1.1, "x kubectl"),
            Value::count(calls, CALLS_PER_KIND, " calls for a kind"),
        ],
        format!(
            "{ROUNDS} alternating runs on fresh control planes, medians: {ours:.2} s, kubectl {theirs:.2} s; the plan makes \
             {all} calls, most of them for {kind}"
        ),
    ))
}

/// A control plane in a temporary folder.
struct Fresh {
    cluster: ControlPlane,
    _folder: tempfile::TempDir,
}

impl Fresh {
    fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
        let cluster = ControlPlane::start(folder.path(), &ControlPlaneOptions::default())?;
        Ok(Self {
            cluster,
            _folder: folder,
        })
    }

    /// How long it took from the first to the last write of an object of Argo CD.
    fn window(&self) -> anyhow::Result<Duration> {
        let events = self.cluster.audit_events()?;
        let writes: Vec<&AuditEvent> = events.iter().filter(|event| is_of_argo_cd(event)).collect();
        let first = writes.iter().map(|event| event.received).min();
        let last = writes.iter().map(|event| event.finished).max();
        let (first, last) = first.zip(last).context("nothing was written")?;
        ensure!(
            writes.len() > 50,
            "only {} objects were written",
            writes.len()
        );
        Ok((last - first).try_into()?)
    }
}

/// Whether a request wrote an object of the manifest of Argo CD. Controllers write with other verbs or
/// as service accounts of `kube-system`.
fn is_of_argo_cd(event: &AuditEvent) -> bool {
    let Some(object) = &event.object_ref else {
        return false;
    };
    let is_of_cluster = event
        .user
        .username
        .starts_with("system:serviceaccount:kube-system:");
    event.verb == "patch"
        && !is_of_cluster
        && object.subresource.is_empty()
        && (object.namespace == "argocd" || object.name.contains("argo"))
        && object.resource != "namespaces"
}

fn install_with_kubectl() -> anyhow::Result<Duration> {
    let fresh = Fresh::start()?;
    let (file, _) = manifest("argo-cd-v3.5.1.yaml")?;
    let file = file.display().to_string();
    fresh.cluster.kubectl(["create", "namespace", "argocd"])?;
    fresh
        .cluster
        .kubectl(["apply", "--server-side", "-n", "argocd", "-f", &file])?;
    fresh.window()
}

fn install_with_provider(bench: &Bench) -> anyhow::Result<Duration> {
    let fresh = Fresh::start()?;
    let _stand_in = StandIn::start(&fresh.cluster)?;
    let stack = tenant_stack(bench, &fresh.cluster)?;
    let slots = slots(
        &COMPONENTS[..1],
        &["progressive_delivery", "secret_sync", "gateway"],
    )?;
    stack.apply_quickly(&worker(&fresh.cluster.url(), &slots))?;
    fresh.window()
}

/// Plans a cluster with five components without changes, and returns the kind with the most calls, their number,
/// and the number of all calls.
fn no_op_plan(bench: &Bench) -> anyhow::Result<(String, usize, usize)> {
    let fresh = Fresh::start()?;
    let _stand_in = StandIn::start(&fresh.cluster)?;
    let proxy = fresh.cluster.start_proxy()?;
    let stack = tenant_stack(bench, &fresh.cluster)?;
    let kubeconfig = fs::read_to_string(fresh.cluster.kubeconfig_through(&proxy)?)?;
    stack.workspace.write("kubeconfig", &kubeconfig)?;
    // The fifth is Traefik.
    let slots = slots(&COMPONENTS, &[])?;
    stack.apply_quickly(&worker(&proxy.url(), &slots))?;
    let (planned, calls) = proxy.calls_during(|| stack.plan(&[]));
    planned?;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for call in calls.as_slice() {
        *kinds.entry(kind(&call.path)).or_default() += 1;
    }
    let most = kinds.into_iter().max_by_key(|(_, calls)| *calls);
    let (kind, most) = most.context("the plan made no call")?;
    Ok((kind, most, calls.count()))
}

/// Returns the path of the collection that a call is about.
fn kind(path: &str) -> String {
    let mut segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let version = if segments.first() == Some(&"apis") {
        3
    } else {
        2
    };
    if segments.get(version) == Some(&"namespaces") && segments.len() > version + 2 {
        segments.drain(version..version + 2);
    }
    segments.truncate(version + 1);
    segments.join("/")
}

/// Starts a GitLab with a tenant's repository, and a Vault.
fn tenant_stack(bench: &Bench, cluster: &ControlPlane) -> anyhow::Result<VaultStack> {
    let stack = bench.vault_stack("")?;
    let group = json!({ "name": "tenant", "path": "tenant" });
    let group = stack.gitlab.api(Method::POST, "/groups", Some(&group))?;
    let project = json!({
        "name": "management", "path": "management", "namespace_id": group.get("id"),
        "initialize_with_readme": true,
    });
    stack
        .gitlab
        .api(Method::POST, "/projects", Some(&project))?;
    let kubeconfig = cluster.kubectl(["config", "view", "--raw", "--flatten"])?;
    stack.workspace.write("kubeconfig", &kubeconfig.stdout)?;
    Ok(stack)
}

fn worker(api_server: &str, slots: &str) -> String {
    format!(
        r#"
provider "nautes" {{
  tenant_repository = {{ project = "{TENANT_REPOSITORY}" }}
}}

resource "nautes_cluster" "deploy" {{
  name          = "deploy-01"
  api_server    = "{api_server}"
  cluster_type  = "physical"
  usage         = "worker"
  worker_type   = "deployment"
  kubeconfig_wo = file("${{path.module}}/kubeconfig")
  components = {{
{slots}  }}
}}
"#
    )
}

/// The slots of components from files, and of those that are not installed.
fn slots(components: &[(&str, &str, &str)], without: &[&str]) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for (slot, file, version) in components {
        let (path, sha256) = manifest(file)?;
        lines.push(format!(
            "    {slot} = {{ version = \"{version}\", url = \"{}\", sha256 = \"{sha256}\" }}\n",
            path.display()
        ));
    }
    let without = without.iter();
    lines.extend(without.map(|slot| format!("    {slot} = {{ install = false }}\n")));
    Ok(lines.concat())
}

/// Returns the path of an install manifest, and its SHA-256.
fn manifest(file: &str) -> anyhow::Result<(PathBuf, String)> {
    let path = workspace_root().join("../shared/components").join(file);
    let path =
        fs::canonicalize(&path).with_context(|| format!("cannot find {}", path.display()))?;
    let digest = Sha256::digest(fs::read(&path)?);
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    Ok((path, digits.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_about_the_collection_of_its_object() {
        for (path, expected) in [
            ("/api/v1/namespaces", "api/v1/namespaces"),
            ("/api/v1/namespaces/nautes", "api/v1/namespaces"),
            ("/api/v1/namespaces/nautes/secrets/a", "api/v1/secrets"),
            ("/apis/apps/v1/deployments", "apis/apps/v1/deployments"),
            (
                "/apis/apps/v1/namespaces/argocd/deployments/a",
                "apis/apps/v1/deployments",
            ),
            ("/version", "version"),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }
}
