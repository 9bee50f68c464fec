//! Code repositories that were changed outside Terraform.

#![expect(
    clippy::indexing_slicing,
    reason = "a missing field of a response reads as null"
)]

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use serde_json::{Value, json};
use testbed::{Method, OpenBao};

use crate::code_repo::{CHECKOUT, SHOP};
use crate::test_env::{Case, TestEnv};

const PROJECT: &str = "/projects/shop%2Fcheckout";

#[test]
fn changes_made_outside_terraform_are_detected_and_repaired() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    env.workspace.apply_with(&[])?;
    let before = env.workspace.resource(CHECKOUT)?;
    let id = before["id"].as_str().unwrap_or_default();
    let api = |method, path: &str, body: Option<&Value>| {
        let path = format!("{PROJECT}{path}");
        env.gitlab.api(method, &path, body)
    };
    let vault = env.vault()?;

    let key = &before["deploy_keys"]["readonly"]["id"];
    let public = api(Method::GET, &format!("/deploy_keys/{key}"), None)?;
    api(Method::DELETE, &format!("/deploy_keys/{key}"), None)?;
    let by_hand = json!({ "title": "by hand", "key": public["key"], "can_push": false });
    api(Method::POST, "/deploy_keys", Some(&by_hand))?;
    let token = &before["access_token"]["id"];
    api(Method::DELETE, &format!("/access_tokens/{token}"), None)?;
    vault.api(
        Method::DELETE,
        &format!("git/metadata/gitlab/{id}/default/readwrite"),
        None,
    )?;
    vault.api(
        Method::DELETE,
        &format!("sys/policies/acl/gitlab-{id}-default-readonly"),
        None,
    )?;
    api(Method::PUT, "", Some(&json!({ "description": "By hand" })))?;
    api(Method::POST, "/archive", None)?;

    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("update"), "{plan}");
    let drift = env.workspace.show_plan()?["resource_drift"].to_string();
    for message in [
        format!("the deploy key {id}-readonly is missing in GitLab"),
        format!("the secret git/gitlab/{id}/default/readwrite is missing in Vault"),
        format!("the policy gitlab-{id}-default-readonly is missing in Vault"),
        "the GitLab project is archived".to_owned(),
    ] {
        assert!(drift.contains(&message), "{message} is not in {drift}");
    }
    let with_description = SHOP.replace(
        "access_token   = {}",
        "access_token   = {}\n  description    = \"\"",
    );
    env.write(&with_description)?;
    env.workspace.apply()?;

    let after = env.workspace.resource(CHECKOUT)?;
    assert_eq!(after["id"], before["id"]);
    for permissions in ["readonly", "readwrite"] {
        let id_of = |state: &Value| state["deploy_keys"][permissions]["id"].clone();
        assert_ne!(id_of(&after), id_of(&before), "{permissions}");
    }
    assert_ne!(after["access_token"]["id"], before["access_token"]["id"]);
    assert_eq!(
        env.deploy_keys("shop/checkout")?,
        [
            "by hand".to_owned(),
            format!("{id}-readonly"),
            format!("{id}-readwrite+")
        ]
    );
    let project = api(Method::GET, "", None)?;
    assert_eq!(project["archived"], false);
    assert_eq!(project["description"], "");
    env.workspace.destroy()?;
    Ok(())
}

#[test]
fn a_repository_deleted_outside_terraform_is_recreated_without_leftovers() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    let empty = env.vault()?.inventory()?;
    env.workspace.apply_with(&[])?;
    let before = env.workspace.resource(CHECKOUT)?;
    env.gitlab.api(Method::DELETE, PROJECT, None)?;
    let plan = env.workspace.plan()?;
    // It stays in the state until everything that was created for it is deleted.
    assert_eq!(plan.action(CHECKOUT), Some("replace"), "{plan}");
    env.workspace.apply()?;
    let after = env.workspace.resource(CHECKOUT)?;
    assert_ne!(after["id"], before["id"]);
    let deleted = before["id"].as_str().unwrap_or_default();
    let manifests = env.clone("shop/default.project")?.join("code-repos");
    assert!(!manifests.join(deleted).exists());
    let inventory = env.vault()?.inventory()?;
    assert!(
        !inventory.keys().any(|name| name.contains(deleted)),
        "{inventory:?}"
    );

    env.gitlab.api(Method::DELETE, PROJECT, None)?;
    env.workspace.destroy()?;
    assert_eq!(env.vault()?.inventory()?, empty);
    Ok(())
}

/// Checks that the access token is replaced when a refresh finds that it expires soon.
///
/// GitLab reports the old token once during the plan, and once during the apply before the new token is created.
pub(crate) fn check_rotation(env: &TestEnv, vault: &OpenBao) -> Case {
    let before = env.workspace.resource(CHECKOUT)?;
    let secret = format!(
        "git/data/gitlab/{}/default/accesstoken-api",
        before["id"].as_str().unwrap_or_default()
    );
    let path = format!("{PROJECT}/access_tokens");
    let old = format!("{path}/{}", before["access_token"]["id"]);
    let mut listed = env.gitlab.api(Method::GET, &old, None)?;
    let in_ten_days = SystemTime::now() + Duration::from_secs(10 * 86_400);
    let day = humantime::format_rfc3339(in_ten_days).to_string();
    listed["created_at"] = json!("2020-01-01T00:00:00.000Z");
    listed["expires_at"] = json!(day.get(..10));
    let old_token = json!({
        "method": "GET", "path": "/access_tokens", "times": 1,
        "failure": { "respond": { "status": 200, "body": [listed] } },
    });

    env.gitlab.inject_fault(&old_token)?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("update"), "{plan}");
    let planned = env.workspace.show_plan()?;
    let changes = planned["resource_changes"].as_array();
    let mut changes = changes.into_iter().flatten();
    let change = changes.find(|change| change["address"] == CHECKOUT);
    let change = change
        .map(|change| &change["change"])
        .context("no change")?;
    assert_eq!(change["before"]["access_token"]["rotation_due"], true);
    let unknown = &change["after_unknown"]["access_token"];
    assert_eq!(*unknown, json!({ "expires_at": true, "id": true }));

    env.gitlab.inject_fault(&old_token)?;
    env.workspace.apply_plan()?;
    let after = env.workspace.resource(CHECKOUT)?;
    let new = &after["access_token"]["id"];
    assert_ne!(*new, before["access_token"]["id"]);
    assert_eq!(after["access_token"]["rotation_due"], false);
    let stored = vault.api(Method::GET, &secret, None)?;
    assert_eq!(stored["data"]["data"]["id"], new.to_string());
    let revoked = env.gitlab.api(Method::GET, &old, None);
    assert!(revoked.is_err() || revoked?["revoked"] == true);
    env.workspace.assert_empty_plan("after the rotation")?;
    Ok(())
}

#[test]
fn a_token_that_expires_soon_is_rotated() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    env.workspace.apply_with(&[])?;
    check_rotation(&env, env.vault()?)
}

#[test]
fn a_refused_destroy_leaves_no_mark_in_the_description() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    env.workspace.apply_with(&[])?;
    let repo = env.workspace.resource(CHECKOUT)?;
    let binding = format!(
        "apiVersion: nautes.resource.nautes.io/v1alpha1\nkind: CodeRepoBinding\nmetadata:\n  creationTimestamp: null\n  name: by-hand\nspec:\n  codeRepo: {id}\n  permissions: readonly\n  product: {product}\n",
        id = repo["id"].as_str().unwrap_or_default(),
        product = repo["namespace"].as_str().unwrap_or_default(),
    );
    let path = format!(
        "code-repos/{}/by-hand.yaml",
        repo["id"].as_str().unwrap_or_default()
    );
    env.commit(
        "shop/default.project",
        &json!([{ "action": "create", "file_path": path, "content": binding }]),
    )?;
    let text = env.workspace.failing_destroy()?.text();
    assert!(text.contains("by-hand"), "{text}");
    let project = env.gitlab.api(Method::GET, PROJECT, None)?;
    assert_eq!(project["description"], repo["description"]);

    // If the removal of the mark was interrupted, the next apply removes it.
    let marked = json!({ "description": "[terraform: unfinished] " });
    env.gitlab.api(Method::PUT, PROJECT, Some(&marked))?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("update"), "{plan}");
    env.workspace.apply()?;
    let project = env.gitlab.api(Method::GET, PROJECT, None)?;
    assert_eq!(project["description"], repo["description"]);
    Ok(())
}
