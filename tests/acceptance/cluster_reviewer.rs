//! How Vault verifies the service accounts of a worker.

use serde_json::{Value, json};
use testbed::Method;

use crate::cluster::{Stack, worker};
use crate::test_env::Case;

/// Logs in to Vault as the account that exists for nothing else; returns the policies of its token.
fn log_in(stack: &Stack) -> anyhow::Result<Value> {
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": { "audiences": ["vault"] },
    });
    let path = "/api/v1/namespaces/nautes/serviceaccounts/nautes-probe/token";
    let token = stack
        .control_plane
        .api(Method::POST, path, Some(&request))?;
    let body = json!({ "role": "nautes-probe", "jwt": token["status"]["token"] });
    let vault = stack.env.vault()?;
    let login = vault.api(Method::POST, "auth/deploy-01/login", Some(&body))?;
    Ok(login["auth"]["policies"].clone())
}

fn reviewer_secrets(stack: &Stack) -> anyhow::Result<Vec<String>> {
    let path = "/api/v1/namespaces/vault/secrets";
    let secrets = stack.control_plane.api(Method::GET, path, None)?;
    let secrets = secrets["items"].as_array().into_iter().flatten();
    let names = secrets.filter_map(|secret| secret["metadata"]["name"].as_str().map(str::to_owned));
    Ok(names.collect())
}

fn drift(stack: &Stack) -> anyhow::Result<String> {
    let workspace = &stack.env.workspace;
    workspace.apply_with(&["-refresh-only"])?;
    Ok(workspace.resource("nautes_cluster.deploy")?["drift"].to_string())
}

#[test]
fn vault_verifies_service_accounts_and_what_keeps_it_from_that_is_drift() -> Case {
    let stack = Stack::start()?;
    let workspace = &stack.env.workspace;
    workspace.apply()?;
    let policies = log_in(&stack)?;
    assert!(policies.as_array().is_none_or(Vec::is_empty), "{policies}");

    // A partial write, as people make it, clears the token.
    let vault = stack.env.vault()?;
    let partial = json!({
        "kubernetes_host": stack.control_plane.url(),
        "kubernetes_ca_cert": stack.control_plane.certificate_authority(),
        "disable_local_ca_jwt": true,
    });
    vault.api(Method::POST, "auth/deploy-01/config", Some(&partial))?;
    assert!(log_in(&stack).is_err());
    let found = drift(&stack)?;
    assert!(found.contains("auth/deploy-01"), "{found}");
    workspace.apply()?;
    log_in(&stack)?;

    // The token ends with its Secret.
    stack
        .control_plane
        .kubectl(["delete", "secret", "-n", "vault", "vault-auth-token"])?;
    let found = drift(&stack)?;
    assert!(found.contains("vault/vault-auth"), "{found}");
    workspace.apply()?;
    log_in(&stack)?;

    // So does the role of the probe.
    vault.api(Method::DELETE, "auth/deploy-01/role/nautes-probe", None)?;
    let found = drift(&stack)?;
    assert!(found.contains("nautes-probe"), "{found}");
    workspace.apply()?;
    log_in(&stack)?;

    // A rotation ends the old token when the new one is proven.
    assert_eq!(reviewer_secrets(&stack)?, ["vault-auth-token"]);
    let limited = worker(&stack.control_plane.url(), 1).replacen(
        "name ",
        "credential = { rotate_after = \"1s\" }\n  name ",
        1,
    );
    stack.env.write(&limited)?;
    workspace.apply_with(&[])?;
    workspace.apply_with(&[])?;
    assert_eq!(reviewer_secrets(&stack)?.len(), 1);
    log_in(&stack)?;
    Ok(())
}

#[test]
fn an_api_server_that_vault_does_not_reach_is_an_error_that_names_the_argument() -> Case {
    let stack = Stack::start()?;
    let elsewhere = worker(&stack.control_plane.url(), 1).replacen(
        "name ",
        "vault_kubernetes_host = \"https://127.0.0.1:1\"\n  name ",
        1,
    );
    stack.env.write(&elsewhere)?;
    let refused = stack.env.workspace.failing_apply()?.text();
    assert!(
        refused.contains("Vault cannot verify service accounts"),
        "{refused}"
    );
    assert!(refused.contains("vault_kubernetes_host"), "{refused}");
    // The next apply goes on.
    stack.env.write(&worker(&stack.control_plane.url(), 1))?;
    stack.env.workspace.apply()?;
    log_in(&stack)?;
    Ok(())
}
