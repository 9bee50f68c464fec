//! With which credential a cluster is managed.

use serde_json::{Value, json};
use testbed::Method;

use crate::cluster::{Stack, worker};
use crate::test_env::Case;

/// A worker whose given kubeconfig is kept.
fn as_given(stack: &Stack, version: u64) -> String {
    let body = worker(&stack.control_plane.url(), version);
    body.replacen("name ", "credential = { kind = \"as_given\" }\n  name ", 1)
}

fn kubeconfig(stack: &Stack, user: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{ "name": "a", "cluster": {
            "server": stack.control_plane.url(),
            "certificate-authority-data": base64(&stack.control_plane.certificate_authority()),
        } }],
        "users": [{ "name": "a", "user": user }],
        "contexts": [{ "name": "a", "context": { "cluster": "a", "user": "a" } }],
    })
    .to_string()
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A user whose credential comes from a command.
fn with_command(stack: &Stack) -> anyhow::Result<Value> {
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": { "token": stack.control_plane.admin_token() },
    });
    let workspace = &stack.env.workspace;
    workspace.write("credential", &credential.to_string())?;
    let file = workspace.path().join("credential").display().to_string();
    Ok(json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "cat", "args": [file],
        "interactiveMode": "Never",
    } }))
}

#[test]
fn a_command_is_run_for_the_exchange_and_nowhere_else() -> Case {
    let mut stack = Stack::start()?;
    let user = with_command(&stack)?;
    let text = kubeconfig(&stack, &user);
    stack.env.workspace.write("kubeconfig", &text)?;

    stack.env.write(&as_given(&stack, 1))?;
    let refused = stack.env.workspace.failing_plan()?.text();
    assert!(
        refused.contains("command cat") && refused.contains("as_given"),
        "{refused}"
    );
    assert!(
        refused.contains("provider::nautes::kubeconfig"),
        "{refused}"
    );

    stack.env.write(&worker(&stack.control_plane.url(), 1))?;
    stack.env.workspace.set_env("TFC_RUN_ID", "run-1");
    let refused = stack.env.workspace.failing_plan()?.text();
    assert!(refused.contains("remote run"), "{refused}");

    stack.env.workspace.set_env("TFC_RUN_ID", "");
    stack.env.workspace.apply()?;
    // The command is not needed any more.
    stack.env.workspace.remove("credential")?;
    stack.env.workspace.set_env("TFC_RUN_ID", "run-2");
    stack.env.workspace.assert_empty_plan("in a remote run")?;
    stack.env.workspace.destroy()?;
    Ok(())
}

#[test]
fn the_end_of_a_credential_that_is_kept_is_shown_and_warned_of() -> Case {
    let stack = Stack::start()?;
    let workspace = &stack.env.workspace;
    stack.env.write(&as_given(&stack, 1))?;
    workspace.apply()?;
    let of_certificate = workspace.resource("nautes_cluster.deploy")?["credential"].clone();
    assert!(of_certificate["expires_at"].is_string(), "{of_certificate}");
    let planned = workspace.run(["plan", "-no-color"])?.success()?;
    assert!(
        !planned.stdout().contains("ends soon"),
        "{}",
        planned.stdout()
    );

    // A token of a day.
    let control_plane = &stack.control_plane;
    control_plane.kubectl(["create", "serviceaccount", "-n", "default", "deployer"])?;
    control_plane.kubectl([
        "create",
        "clusterrolebinding",
        "deployer",
        "--clusterrole=cluster-admin",
        "--serviceaccount=default:deployer",
    ])?;
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": { "expirationSeconds": 86400 },
    });
    let path = "/api/v1/namespaces/default/serviceaccounts/deployer/token";
    let answer = control_plane.api(Method::POST, path, Some(&request))?;
    let user = json!({ "token": answer["status"]["token"] });
    workspace.write("kubeconfig", &kubeconfig(&stack, &user))?;
    stack.env.write(&as_given(&stack, 2))?;
    workspace.apply()?;
    let of_token = workspace.resource("nautes_cluster.deploy")?["credential"].clone();
    assert_ne!(of_token["expires_at"], of_certificate["expires_at"]);
    let planned = workspace.run(["plan", "-no-color"])?.success()?;
    assert!(
        planned.stdout().contains("ends soon"),
        "{}",
        planned.stdout()
    );
    assert!(
        planned.stdout().contains("No changes"),
        "{}",
        planned.stdout()
    );
    Ok(())
}

#[test]
fn a_kubeconfig_is_built_from_ephemeral_parts_and_its_token_is_nowhere_in_the_state() -> Case {
    let mut stack = Stack::start()?;
    let url = stack.control_plane.url();
    let built = format!(
        "provider::nautes::kubeconfig(\"{url}\", file(\"${{path.module}}/ca.pem\"), var.token)"
    );
    let body = worker(&url, 1).replace("file(\"${path.module}/kubeconfig\")", &built);
    let variable = "variable \"token\" {\n  type      = string\n  ephemeral = true\n}\n";
    let authority = stack.control_plane.certificate_authority();
    stack.env.workspace.write("ca.pem", &authority)?;
    stack.env.write(&format!("{variable}{body}"))?;
    let token = stack.control_plane.admin_token().to_owned();
    stack.env.workspace.set_env("TF_VAR_token", &token);
    stack.env.workspace.apply()?;
    let state = stack.env.workspace.state_file().unwrap_or_default();
    assert!(!state.contains(&token), "the token is in the state");
    Ok(())
}
