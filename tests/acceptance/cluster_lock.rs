//! What several runs do to one cluster: one after the other changes it, and none writes what is there already.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::{AuditEvent, Method, Workspace};

use crate::cluster::{Stack, TENANT_REPOSITORY, worker};
use crate::test_env::Case;

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/nautes/leases/nautes-tf-cluster";
const OWN: &str = "system:serviceaccount:nautes:terraform-provider-nautes";

/// A worker whose tokens may become this old, which is a change of the state alone.
fn with_limit(stack: &Stack, limit: &str) -> String {
    let credential = format!("credential = {{ rotate_after = \"{limit}\" }}\n  name ");
    worker(&stack.control_plane.url(), 1).replacen("name ", &credential, 1)
}

/// Writes who holds the lease, and for how long.
fn hold(stack: &Stack, holder: &str, seconds: u64) -> Case {
    let mut lease = stack.control_plane.get(LEASE)?.unwrap_or_default();
    lease["spec"]["holderIdentity"] = json!(holder);
    lease["spec"]["leaseDurationSeconds"] = json!(seconds);
    stack.control_plane.api(Method::PUT, LEASE, Some(&lease))?;
    Ok(())
}

fn holder(stack: &Stack) -> anyhow::Result<Value> {
    let lease = stack.control_plane.get(LEASE)?.unwrap_or_default();
    Ok(lease["spec"]["holderIdentity"].clone())
}

fn writes(events: &[AuditEvent]) -> Vec<String> {
    let writes = events.iter().filter(|event| {
        // A token is requested and not written.
        let object = event.object_ref.clone().unwrap_or_default();
        event.user.username == OWN
            && object.subresource != "token"
            && matches!(
                event.verb.as_str(),
                "create" | "update" | "patch" | "delete"
            )
    });
    writes
        .map(|event| {
            let object = event.object_ref.clone().unwrap_or_default();
            format!("{} {}/{}", event.verb, object.resource, object.name)
        })
        .collect()
}

fn second_workspace(stack: &Stack, body: &str) -> anyhow::Result<Workspace> {
    let env = &stack.env;
    let mut workspace = env.new_workspace(body)?;
    let vault = env.vault()?;
    workspace.set_env("NAUTES_VAULT_ADDRESS", vault.url());
    workspace.set_env("NAUTES_VAULT_TOKEN", vault.root_token());
    workspace.set_env("NAUTES_TENANT_REPOSITORY_PROJECT", TENANT_REPOSITORY);
    let kubeconfig = stack
        .control_plane
        .kubectl(["config", "view", "--raw", "--flatten"])?;
    workspace.write("kubeconfig", &kubeconfig.stdout)?;
    Ok(workspace)
}

#[test]
fn an_update_that_changes_nothing_in_the_cluster_writes_nothing_there_but_its_lock() -> Case {
    let stack = Stack::start()?;
    stack.env.workspace.apply()?;
    let before = stack.control_plane.audit_events()?.len();
    stack.env.write(&with_limit(&stack, "2161h"))?;
    stack.env.workspace.apply_with(&[])?;
    let events = stack.control_plane.audit_events()?;
    let written = writes(events.get(before..).unwrap_or_default());
    let lock = "update leases/nautes-tf-cluster";
    assert!(written.iter().all(|write| write == lock), "{written:?}");
    assert!(written.len() >= 2, "{written:?}");
    Ok(())
}

#[test]
fn a_run_waits_for_another_one_in_the_cluster_and_says_for_which() -> Case {
    let stack = Stack::start()?;
    let workspace = &stack.env.workspace;
    workspace.apply()?;
    assert_eq!(holder(&stack)?, json!(""));

    // Somebody holds it longer than the operation may take.
    hold(&stack, "somebody", 3600)?;
    let limited =
        with_limit(&stack, "2161h").replacen("name ", "timeouts = { update = \"5s\" }\n  name ", 1);
    stack.env.write(&limited)?;
    let before = stack.control_plane.audit_events()?.len();
    let refused = workspace.failing_apply()?.text();
    assert!(
        refused.contains("another run in the cluster deploy-01"),
        "{refused}"
    );
    assert!(refused.contains("somebody"), "{refused}");
    let events = stack.control_plane.audit_events()?;
    assert_eq!(writes(events.get(before..).unwrap_or_default()), [""; 0]);

    // It gives it back while another run waits.
    stack.env.write(&with_limit(&stack, "2162h"))?;
    let before = events.len();
    let mut running = workspace.start_apply(&[])?;
    let asks = |events: &[AuditEvent]| {
        let mut asks = events.iter().filter(|event| {
            let object = event.object_ref.clone().unwrap_or_default();
            event.user.username == OWN && object.resource == "leases"
        });
        asks.nth(1).is_some()
    };
    while !asks(
        stack
            .control_plane
            .audit_events()?
            .get(before..)
            .unwrap_or_default(),
    ) {
        assert!(!running.has_ended(), "the run has not waited");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(holder(&stack)?, json!("somebody"));
    hold(&stack, "", 60)?;
    running.finish()?.success()?;

    // A holder that is dead loses it when it ends.
    hold(&stack, "dead", 2)?;
    stack.env.write(&with_limit(&stack, "2163h"))?;
    workspace.apply()?;
    assert_eq!(holder(&stack)?, json!(""));
    Ok(())
}

#[test]
fn two_processes_set_up_one_cluster_one_after_the_other() -> Case {
    let stack = Stack::start()?;
    let first = &stack.env.workspace;
    first.apply()?;
    let second = second_workspace(&stack, &with_limit(&stack, "2160h"))?;
    second.import("nautes_cluster.deploy", "deploy-01")?;
    // Both rotate what they find.
    stack.env.write(&with_limit(&stack, "1s"))?;
    second.write("main.tf", &with_limit(&stack, "1s"))?;
    for workspace in [first, &second] {
        workspace.apply_with(&["-refresh=false"])?;
        workspace.apply_with(&["-refresh-only"])?;
    }
    let mut runs = [first.start_apply(&[])?, second.start_apply(&[])?];
    for run in &mut runs {
        while !run.has_ended() {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    for run in runs {
        run.finish()?.success()?;
    }
    assert_eq!(holder(&stack)?, json!(""));
    // What is in Vault works, and nothing is left over.
    let plain = with_limit(&stack, "2160h");
    stack.env.write(&plain)?;
    first.apply()?;
    for (path, count) in [("nautes", 2), ("vault", 1)] {
        let path = format!("/api/v1/namespaces/{path}/secrets");
        let secrets = stack.control_plane.api(Method::GET, &path, None)?;
        assert_eq!(
            secrets["items"].as_array().map(Vec::len),
            Some(count),
            "{secrets}"
        );
    }
    Ok(())
}

#[test]
fn a_run_that_was_killed_keeps_nobody_out_for_longer_than_its_lease() -> Case {
    let stack = Stack::start()?;
    let workspace = &stack.env.workspace;
    workspace.apply()?;
    stack.env.write(&with_limit(&stack, "2161h"))?;
    let mut running = workspace.start_apply(&[])?;
    while holder(&stack)? == json!("") && !running.has_ended() {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.kill_providers();
    running.kill();
    let killed = holder(&stack)?;
    if killed != json!("") {
        hold(&stack, killed.as_str().unwrap_or_default(), 3)?;
    }
    workspace.apply()?;
    assert_eq!(holder(&stack)?, json!(""));
    Ok(())
}
