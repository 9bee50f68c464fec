//! What the removal of a component leaves to others.

use serde_json::{Value, json};
use testbed::{Hold, Method};

use crate::cluster::{Stack, TENANT_REPOSITORY};
use crate::cluster_components::{rollouts, worker_with, written};
use crate::test_env::Case;

const ADDRESS: &str = "nautes_cluster.deploy";

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A definition of a kind with one version.
pub(crate) fn definition(group: &str, kind: &str, plural: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{ name: {plural}.{group} }}\nspec:\n  group: {group}\n  names: {{ kind: {kind}, plural: {plural} }}\n  scope: Namespaced\n  versions:\n  - {{ name: v1alpha1, served: true, storage: true, schema: {{ openAPIV3Schema: {{ type: object, x-kubernetes-preserve-unknown-fields: true }} }} }}\n---\n"
    )
}

/// A workload of a component.
fn workload(kind: &str, name: &str) -> String {
    let service = if kind == "StatefulSet" {
        format!("\n  serviceName: {name}")
    } else {
        String::new()
    };
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec:{service}\n  selector: {{ matchLabels: {{ app: {name} }} }}\n  template:\n    metadata: {{ labels: {{ app: {name} }} }}\n    spec: {{ containers: [{{ name: main, image: \"example.com/main:v1\" }}] }}\n---\n"
    )
}

/// An Argo CD with few objects.
pub(crate) fn argo_cd() -> String {
    let empty = |kind: &str, name: &str| {
        format!("apiVersion: v1\nkind: {kind}\nmetadata: {{ name: {name} }}\n---\n")
    };
    [
        definition("argoproj.io", "Application", "applications"),
        definition("argoproj.io", "AppProject", "appprojects"),
        workload("Deployment", "argocd-server"),
        workload("StatefulSet", "argocd-application-controller"),
        empty("ConfigMap", "argocd-cm"),
        empty("ConfigMap", "argocd-cmd-params-cm"),
        empty("ConfigMap", "argocd-rbac-cm"),
        empty("ConfigMap", "argocd-ssh-known-hosts-cm"),
        empty("Secret", "argocd-secret"),
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: { name: default }\nspec: {}\n"
            .to_owned(),
    ]
    .concat()
}

/// A cert-manager with few objects.
fn cert_manager() -> String {
    [
        definition("cert-manager.io", "Certificate", "certificates"),
        workload("Deployment", "cert-manager"),
        workload("Deployment", "cert-manager-webhook"),
    ]
    .concat()
}

/// An object of somebody else.
fn theirs(api_version: &str, kind: &str, namespace: &str) -> String {
    format!(
        "apiVersion: {api_version}\nkind: {kind}\nmetadata: {{ name: theirs, namespace: {namespace} }}\nspec: {{}}\n"
    )
}

fn assert_contains(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "{expected:?} is not in {text}");
    }
}

#[test]
fn a_cluster_is_not_destroyed_under_what_others_run_with_its_components() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    let component = written(
        &stack,
        "rollouts.yaml",
        &rollouts(&[("v1alpha1", true)]),
        "v1.0.0",
    )?;
    env.write(&worker_with(
        &stack,
        &[("progressive_delivery", &component)],
    ))?;
    env.workspace.apply()?;
    let path = env.workspace.resource(ADDRESS)?["manifest_path"].clone();
    control_plane.apply(&theirs("argoproj.io/v1alpha1", "Rollout", "default"))?;
    let before = (control_plane.snapshot()?, env.vault()?.inventory()?);
    let refused = env.workspace.failing_destroy()?.text();
    assert_contains(
        &refused,
        &[
            "Cannot remove Argo Rollouts from the cluster deploy-01: others use it",
            "1 Rollout.argoproj.io (default/theirs)",
            "Nothing was changed",
            "install = false in components.progressive_delivery",
        ],
    );
    assert_eq!(
        (control_plane.snapshot()?, env.vault()?.inventory()?),
        before
    );
    env.read_file(TENANT_REPOSITORY, path.as_str().unwrap_or_default())?;

    // The way out of those who keep it.
    env.write(&worker_with(&stack, &[]))?;
    env.workspace.apply()?;
    env.workspace.destroy()?;
    let deployment = "/apis/apps/v1/namespaces/argo-rollouts/deployments/argo-rollouts";
    let rollout = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/theirs";
    for kept in [deployment, rollout] {
        assert!(control_plane.get(kept)?.is_some(), "{kept} is gone");
    }
    Ok(())
}

#[test]
fn a_component_is_neither_removed_nor_moved_under_what_others_run_with_it() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    let argo_cd = written(&stack, "argo-cd.yaml", &argo_cd(), "v3.5.1")?;
    let cert_manager = written(&stack, "cert-manager.yaml", &cert_manager(), "v1.21.1")?;
    let cluster = |namespace: &str, more: &[(&str, &str)]| {
        let namespace = format!(", namespace = \"{namespace}\" }}");
        let argo_cd = argo_cd.replace(" }", &namespace);
        let mut slots = vec![("deployment", argo_cd.as_str())];
        slots.extend(more);
        worker_with(&stack, &slots)
    };
    let with_certificates = [("cert_management", cert_manager.as_str())];
    env.write(&cluster("argocd", &with_certificates))?;
    env.workspace.apply()?;
    control_plane.apply(&theirs("argoproj.io/v1alpha1", "Application", "argocd"))?;
    control_plane.apply(&theirs(
        "cert-manager.io/v1alpha1",
        "Certificate",
        "default",
    ))?;

    let before = (control_plane.snapshot()?, env.vault()?.inventory()?);
    env.write(&cluster("delivery", &[]))?;
    let refused = env.workspace.failing_apply()?;
    assert_eq!(refused.errors().count(), 2, "{}", refused.text());
    assert_contains(
        &refused.text(),
        &[
            "Cannot remove cert-manager from the cluster deploy-01: others use it",
            "1 Certificate.cert-manager.io (default/theirs)",
            "install = false in components.cert_management",
            "Cannot move Argo CD to the namespace delivery",
            "1 Application.argoproj.io (argocd/theirs)",
            "set namespace = \"argocd\" in components.deployment",
        ],
    );
    assert_eq!(
        (control_plane.snapshot()?, env.vault()?.inventory()?),
        before
    );

    // When they are gone, so is the namespace that was left.
    control_plane.kubectl(["delete", "application", "-n", "argocd", "theirs"])?;
    control_plane.kubectl(["delete", "certificate", "-n", "default", "theirs"])?;
    env.workspace.apply()?;
    for gone in [
        "/api/v1/namespaces/argocd",
        "/api/v1/namespaces/cert-manager",
    ] {
        let found = control_plane.get(gone)?;
        let is_going = found.is_none_or(|it| !it["metadata"]["deletionTimestamp"].is_null());
        assert!(is_going, "{gone} stays");
    }
    env.workspace.destroy()?;
    Ok(())
}

#[test]
fn what_an_upgrade_cannot_remove_is_named_in_a_warning() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    let new = rollouts(&[("v1alpha1", true)]);
    let old = format!("{}{new}", definition("example.com", "Widget", "widgets"));
    let first = written(&stack, "old.yaml", &old, "v1.0.0")?;
    env.write(&worker_with(&stack, &[("progressive_delivery", &first)]))?;
    env.workspace.apply()?;
    control_plane.apply(&theirs("example.com/v1alpha1", "Widget", "default"))?;
    let second = written(&stack, "new.yaml", &new, "v1.1.0")?;
    env.write(&worker_with(&stack, &[("progressive_delivery", &second)]))?;
    let applied = env.workspace.apply()?;
    assert_contains(
        &applied.outcome.text(),
        &[
            "An object of Argo Rollouts stays in the cluster deploy-01",
            "CustomResourceDefinition widgets.example.com stays",
            "Widget.example.com default/theirs",
        ],
    );
    let definitions: Value = control_plane.api(Method::GET, CRDS, None)?;
    assert!(definitions.to_string().contains("widgets.example.com"));
    let status = env.workspace.resource(ADDRESS)?["component_status"]["argo-rollouts"].clone();
    assert_eq!(status["version"], json!("v1.1.0"));
    Ok(())
}

#[test]
fn a_value_that_others_have_written_too_stays_theirs() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    control_plane.kubectl(["create", "namespace", "argocd"])?;
    env.workspace.write("theirs.yaml", &argo_cd())?;
    let theirs = env.workspace.path().join("theirs.yaml");
    let theirs = theirs.display().to_string();
    let apply = |file: &str| {
        let arguments = [
            "apply",
            "--server-side",
            "--field-manager=gitops",
            "-n",
            "argocd",
        ];
        control_plane.kubectl(arguments.into_iter().chain(["-f", file]))
    };
    // The definitions are served a moment later.
    for attempt in 0.. {
        match apply(&theirs) {
            Err(error) if attempt == 9 => return Err(error.into()),
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(500)),
            Ok(_) => break,
        }
    }
    env.write(&worker_with(&stack, &[]))?;
    env.workspace.apply()?;
    let data = |path: &str| -> anyhow::Result<Value> {
        let found = control_plane.get(&format!("/api/v1/namespaces/argocd/{path}"))?;
        Ok(found.unwrap_or_default()["data"].clone())
    };
    assert_eq!(
        data("configmaps/argocd-rbac-cm")?["scopes"],
        json!("[groups]")
    );
    assert!(data("secrets/argocd-secret")?["webhook.gitlab.secret"].is_string());

    let scopes = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: argocd-rbac-cm }\ndata: { scopes: \"[groups]\" }\n";
    env.workspace.write("scopes.yaml", scopes)?;
    apply(
        &env.workspace
            .path()
            .join("scopes.yaml")
            .display()
            .to_string(),
    )?;
    env.workspace.destroy()?;
    assert_eq!(
        data("configmaps/argocd-rbac-cm")?["scopes"],
        json!("[groups]")
    );
    assert!(!data("secrets/argocd-secret")?["webhook.gitlab.secret"].is_string());
    // It is theirs alone now.
    let object = control_plane.get("/api/v1/namespaces/argocd/configmaps/argocd-rbac-cm")?;
    let managers = object.unwrap_or_default()["metadata"]["managedFields"].to_string();
    assert!(
        !managers.contains("terraform-provider-nautes"),
        "{managers}"
    );
    Ok(())
}

#[test]
fn what_an_interrupted_run_has_begun_is_removed_if_it_is_not_to_be_installed() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    let proxy = control_plane.start_proxy()?;
    let kubeconfig = std::fs::read_to_string(control_plane.kubeconfig_through(&proxy)?)?;
    env.workspace.write("kubeconfig", &kubeconfig)?;
    let component = rollouts(&[("v1alpha1", true)]);
    let component = written(&stack, "rollouts.yaml", &component, "v1.0.0")?;
    let configuration = |slots: &[(&str, &str)]| {
        worker_with(&stack, slots).replace(&control_plane.url(), &proxy.url())
    };
    env.write(&configuration(&[("progressive_delivery", &component)]))?;
    let held = proxy.hold_call_to("PATCH", "/deployments/", Hold::AfterEffect);
    let mut running = env.workspace.start_apply(&[])?;
    assert!(held.wait_until_held(|| running.has_ended())?);
    running.kill_providers();
    running.finish()?;
    drop(held);
    proxy.clear_faults();
    control_plane.kubectl(["delete", "leases", "--all", "-n", "nautes"])?;
    let deployment = "/apis/apps/v1/namespaces/argo-rollouts/deployments/argo-rollouts";
    assert!(control_plane.get(deployment)?.is_some());

    env.write(&configuration(&[]))?;
    let applied = env.workspace.apply()?;
    let text = applied.outcome.text();
    assert_contains(&text, &["What was begun of Argo Rollouts is removed"]);
    assert_eq!(control_plane.get(deployment)?, None);
    let definition = format!("{CRDS}/rollouts.argoproj.io");
    assert_eq!(control_plane.get(&definition)?, None);
    env.workspace.destroy()?;
    Ok(())
}
