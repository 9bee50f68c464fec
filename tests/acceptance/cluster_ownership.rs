//! What others have under the names that the provider uses.

use serde_json::{Value, json};
use testbed::Method;

use crate::cluster::Stack;
use crate::test_env::Case;

const POLICY: &str = "sys/policies/acl/kubernetes-deploy-01-default-runtime";

fn write_policy(stack: &Stack, text: &str) -> Case {
    let body = json!({ "policy": text });
    stack.env.vault()?.api(Method::POST, POLICY, Some(&body))?;
    Ok(())
}

fn policy(stack: &Stack) -> anyhow::Result<String> {
    let stored = stack.env.vault()?.api(Method::GET, POLICY, None)?;
    let text = stored["data"]["policy"].as_str();
    Ok(text.unwrap_or_default().to_owned())
}

/// Destroys everything, and returns what it says.
fn destroy(stack: &Stack) -> anyhow::Result<String> {
    let destroyed = stack
        .env
        .workspace
        .run(["destroy", "-auto-approve", "-no-color"])?;
    Ok(destroyed.success()?.stdout().to_owned())
}

#[test]
fn a_policy_of_others_is_neither_overwritten_nor_deleted() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    let theirs = "path \"shop/data/*\" {\n  capabilities = [\"read\"]\n}\n";
    write_policy(&stack, theirs)?;
    let before = (control_plane.snapshot()?, env.vault()?.inventory()?);
    let refused = env.workspace.failing_apply()?.text();
    for expected in [
        "The policy kubernetes-deploy-01-default-runtime is taken in Vault",
        "vault policy delete kubernetes-deploy-01-default-runtime",
    ] {
        assert!(refused.contains(expected), "{refused}");
    }
    assert_eq!(
        (control_plane.snapshot()?, env.vault()?.inventory()?),
        before
    );

    // One that an older version of the provider has written is the cluster's.
    let rules = ["runtime", "argocd-webhook"].map(|secret| {
        ["data", "metadata"].map(|part| {
            format!("path \"cluster/{part}/kubernetes/deploy-01/default/{secret}\" {{\n  capabilities = [\"read\"]\n}}\n")
        }).join("\n")
    });
    write_policy(&stack, &rules.join("\n"))?;
    env.workspace.apply()?;
    let uid = env.workspace.resource("nautes_cluster.deploy")?["cluster_uid"].clone();
    let header = format!("# nautes {}\n", uid.as_str().unwrap_or_default());
    let written = policy(&stack)?;
    assert!(written.starts_with(&header), "{written}");

    write_policy(&stack, theirs)?;
    let text = destroy(&stack)?;
    let expected = "The policy kubernetes-deploy-01-default-runtime stays in Vault";
    assert!(text.contains(expected), "{text}");
    assert_eq!(policy(&stack)?.trim(), theirs.trim());
    Ok(())
}

#[test]
fn a_token_of_a_webhook_that_is_not_the_clusters_is_refused() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    let argo_cd = crate::cluster_components::written(
        &stack,
        "argo-cd.yaml",
        &crate::cluster_removal::argo_cd(),
        "v3.5.1",
    )?;
    let slots = [("deployment", argo_cd.as_str())];
    env.write(&crate::cluster_components::worker_with(&stack, &slots))?;
    let path = |part: &str| format!("cluster/{part}/kubernetes/deploy-01/default/argocd-webhook");
    let vault = env.vault()?;
    let token = json!({ "data": { "token": "theirs" } });
    vault.api(Method::POST, &path("data"), Some(&token))?;
    let metadata = |owner: &str| json!({ "custom_metadata": { "owner": owner } });
    let before = (control_plane.snapshot()?, vault.inventory()?);
    let refused = env.workspace.failing_apply()?.text();
    assert!(
        refused.contains("does not say to which cluster it belongs")
            && refused.contains("vault kv metadata put -custom-metadata=owner="),
        "{refused}"
    );
    assert_eq!((control_plane.snapshot()?, vault.inventory()?), before);
    vault.api(Method::POST, &path("metadata"), Some(&metadata("4f0c")))?;
    let refused = env.workspace.failing_apply()?.text();
    assert!(
        refused.contains("Vault has a secret of another cluster at cluster/kubernetes/deploy-01/default/argocd-webhook"),
        "{refused}"
    );

    let system = control_plane.get("/api/v1/namespaces/kube-system")?;
    let uid = system.unwrap_or_default()["metadata"]["uid"].clone();
    let uid = uid.as_str().unwrap_or_default();
    vault.api(Method::POST, &path("metadata"), Some(&metadata(uid)))?;
    env.workspace.apply()?;
    let secret = "/api/v1/namespaces/argocd/secrets/argocd-secret";
    let secret = control_plane.get(secret)?.unwrap_or_default();
    assert_eq!(secret["data"]["webhook.gitlab.secret"], json!("dGhlaXJz"));

    // One that an older version of the provider has written carries no owner, and gets it.
    vault.api(
        Method::POST,
        &path("metadata"),
        Some(&json!({ "custom_metadata": {} })),
    )?;
    control_plane.kubectl(["delete", "deployment", "-n", "argocd", "argocd-server"])?;
    env.workspace.apply()?;
    let stored: Value = vault.api(Method::GET, &path("metadata"), None)?;
    assert_eq!(stored["data"]["custom_metadata"]["owner"], json!(uid));

    vault.api(Method::POST, &path("metadata"), Some(&metadata("4f0c")))?;
    let refused = env.workspace.failing_destroy()?.text();
    assert!(
        refused.contains("Vault has a secret of another cluster"),
        "{refused}"
    );
    Ok(())
}

/// Objects of others with names that the provider needs, besides the namespaces.
const THEIRS: [(&str, &str); 7] = [
    (
        "ServiceAccount vault/vault-auth",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: vault-auth, namespace: vault }\n",
    ),
    (
        "Secret vault/vault-auth-token-2",
        "apiVersion: v1\nkind: Secret\nmetadata: { name: vault-auth-token-2, namespace: vault }\n",
    ),
    (
        "ConfigMap nautes/nautes-cluster-facts",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: nautes-cluster-facts, namespace: nautes }\n",
    ),
    (
        "Secret nautes/nautes-runtime-token",
        "apiVersion: v1\nkind: Secret\nmetadata: { name: nautes-runtime-token, namespace: nautes }\n",
    ),
    (
        "ClusterRole nautes-runtime",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: nautes-runtime }\n",
    ),
    (
        "ClusterRoleBinding terraform-provider-nautes",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: { name: terraform-provider-nautes }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }\n",
    ),
    (
        "ValidatingAdmissionPolicyBinding nautes-runtime",
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: { name: nautes-runtime }\nspec: { policyName: theirs, validationActions: [Audit] }\n",
    ),
];

#[test]
fn names_of_others_are_refused_before_anything_is_written_and_their_namespaces_are_used() -> Case {
    let stack = Stack::start()?;
    let Stack {
        env, control_plane, ..
    } = &stack;
    for namespace in ["vault", "nautes", "argo-rollouts"] {
        control_plane.kubectl(["create", "namespace", namespace])?;
    }
    for (_, object) in THEIRS {
        control_plane.apply(object)?;
    }
    let before = (control_plane.snapshot()?, env.vault()?.inventory()?);
    let refused = env.workspace.failing_apply()?.text();
    for (name, _) in THEIRS.iter().chain(&[("Namespace nautes", "")]) {
        let expected = format!("- {name}: it exists and does not carry the label");
        assert!(refused.contains(&expected), "{expected}: {refused}");
    }
    assert!(!refused.contains("Namespace vault"), "{refused}");
    assert_eq!(
        (control_plane.snapshot()?, env.vault()?.inventory()?),
        before
    );

    for (name, object) in THEIRS {
        stack.env.workspace.write("theirs.yaml", object)?;
        let file = stack.env.workspace.path().join("theirs.yaml");
        let deleted = control_plane.kubectl(["delete", "-f", &file.display().to_string()]);
        deleted.map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
    }
    control_plane.kubectl(["delete", "namespace", "nautes"])?;
    let component = crate::cluster_components::rollouts(&[("v1alpha1", true)]);
    let component =
        crate::cluster_components::written(&stack, "rollouts.yaml", &component, "v1.0.0")?;
    let slots = [("progressive_delivery", component.as_str())];
    env.write(&crate::cluster_components::worker_with(&stack, &slots))?;
    let namespaces = || -> anyhow::Result<Vec<Value>> {
        let paths = ["vault", "argo-rollouts"].map(|name| format!("/api/v1/namespaces/{name}"));
        let found = paths.iter().map(|path| control_plane.get(path));
        let found: Result<Vec<_>, _> = found.collect();
        Ok(found?.into_iter().flatten().collect())
    };
    let as_they_were = namespaces()?;
    env.workspace.apply()?;
    let deployment = "/apis/apps/v1/namespaces/argo-rollouts/deployments/argo-rollouts";
    assert!(control_plane.get(deployment)?.is_some());
    env.workspace.destroy()?;
    assert_eq!(namespaces()?, as_they_were);
    let accounts = "/api/v1/namespaces/vault/serviceaccounts/vault-auth";
    assert_eq!(control_plane.get(accounts)?, None);
    assert_eq!(control_plane.get(deployment)?, None);
    Ok(())
}
