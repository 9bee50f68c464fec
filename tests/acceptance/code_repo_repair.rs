//! A code repository that was changed outside of Terraform.

#![expect(
    clippy::indexing_slicing,
    reason = "a field that an answer lacks reads as null"
)]

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use serde_json::{Value, json};
use testbed::{Method, OpenBao};

use crate::code_repo::{CHECKOUT, SHOP};
use crate::harness::{Case, Stage};

const PROJECT: &str = "/projects/shop%2Fcheckout";

#[test]
fn what_was_changed_by_hand_is_found_and_repaired() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    stage.workspace.apply_with(&[])?;
    let before = stage.workspace.resource(CHECKOUT)?;
    let id = before["id"].as_str().unwrap_or_default();
    let api = |method, path: &str, body: Option<&Value>| {
        let path = format!("{PROJECT}{path}");
        stage.gitlab.api(method, &path, body)
    };
    let vault = stage.vault()?;

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

    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("update"), "{plan}");
    let drift = stage.workspace.show_plan()?["resource_drift"].to_string();
    for said in [
        format!("the deploy key {id}-readonly is missing in GitLab"),
        format!("the secret git/gitlab/{id}/default/readwrite is missing in Vault"),
        format!("the policy gitlab-{id}-default-readonly is missing in Vault"),
        "the GitLab project is archived".to_owned(),
    ] {
        assert!(drift.contains(&said), "{said} is not in {drift}");
    }
    let written = SHOP.replace(
        "access_token   = {}",
        "access_token   = {}\n  description    = \"\"",
    );
    stage.write(&written)?;
    stage.workspace.apply()?;

    let after = stage.workspace.resource(CHECKOUT)?;
    assert_eq!(after["id"], before["id"]);
    for permissions in ["readonly", "readwrite"] {
        let of = |state: &Value| state["deploy_keys"][permissions]["id"].clone();
        assert_ne!(of(&after), of(&before), "{permissions}");
    }
    assert_ne!(after["access_token"]["id"], before["access_token"]["id"]);
    assert_eq!(
        stage.deploy_keys("shop/checkout")?,
        [
            "by hand".to_owned(),
            format!("{id}-readonly"),
            format!("{id}-readwrite+")
        ]
    );
    let project = api(Method::GET, "", None)?;
    assert_eq!(project["archived"], false);
    assert_eq!(project["description"], "");
    stage.workspace.destroy()?;
    Ok(())
}

#[test]
fn one_that_was_deleted_by_hand_is_made_again_and_leaves_nothing() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    let empty = stage.vault()?.inventory()?;
    stage.workspace.apply_with(&[])?;
    let before = stage.workspace.resource(CHECKOUT)?;
    stage.gitlab.api(Method::DELETE, PROJECT, None)?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("create"), "{plan}");
    stage.workspace.apply()?;
    let after = stage.workspace.resource(CHECKOUT)?;
    assert_ne!(after["id"], before["id"]);
    let gone = before["id"].as_str().unwrap_or_default();
    let manifests = stage.clone("shop/default.project")?.join("code-repos");
    assert!(!manifests.join(gone).exists());
    let left = stage.vault()?.inventory()?;
    assert!(!left.keys().any(|name| name.contains(gone)), "{left:?}");

    stage.gitlab.api(Method::DELETE, PROJECT, None)?;
    stage.workspace.destroy()?;
    assert_eq!(stage.vault()?.inventory()?, empty);
    Ok(())
}

/// Expects that the repository's token is replaced when a refresh finds that its time is nearly over.
///
/// GitLab tells once at the plan and once at the apply, before the new token is made, that the token is old.
pub(crate) fn rotates(stage: &Stage, vault: &OpenBao) -> Case {
    let before = stage.workspace.resource(CHECKOUT)?;
    let secret = format!(
        "git/data/gitlab/{}/default/accesstoken-api",
        before["id"].as_str().unwrap_or_default()
    );
    let path = format!("{PROJECT}/access_tokens");
    let old = format!("{path}/{}", before["access_token"]["id"]);
    let mut listed = stage.gitlab.api(Method::GET, &old, None)?;
    let in_ten_days = SystemTime::now() + Duration::from_secs(10 * 86_400);
    let day = humantime::format_rfc3339(in_ten_days).to_string();
    listed["created_at"] = json!("2020-01-01T00:00:00.000Z");
    listed["expires_at"] = json!(day.get(..10));
    let aged = json!({
        "method": "GET", "path": "/access_tokens", "times": 1,
        "failure": { "answer": { "status": 200, "body": [listed] } },
    });

    stage.gitlab.inject_fault(&aged)?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("update"), "{plan}");
    let planned = stage.workspace.show_plan()?;
    let changes = planned["resource_changes"].as_array();
    let mut changes = changes.into_iter().flatten();
    let change = changes.find(|change| change["address"] == CHECKOUT);
    let change = change
        .map(|change| &change["change"])
        .context("no change")?;
    assert_eq!(change["before"]["access_token"]["rotation_due"], true);
    let unknown = &change["after_unknown"]["access_token"];
    assert_eq!(*unknown, json!({ "expires_at": true, "id": true }));

    stage.gitlab.inject_fault(&aged)?;
    stage.workspace.apply_plan()?;
    let after = stage.workspace.resource(CHECKOUT)?;
    let new = &after["access_token"]["id"];
    assert_ne!(*new, before["access_token"]["id"]);
    assert_eq!(after["access_token"]["rotation_due"], false);
    let stored = vault.api(Method::GET, &secret, None)?;
    assert_eq!(stored["data"]["data"]["id"], new.to_string());
    let revoked = stage.gitlab.api(Method::GET, &old, None);
    assert!(revoked.is_err() || revoked?["revoked"] == true);
    stage.workspace.assert_empty_plan("after the rotation")?;
    Ok(())
}

#[test]
fn a_token_whose_time_is_nearly_over_is_replaced() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    stage.workspace.apply_with(&[])?;
    rotates(&stage, stage.vault()?)
}

#[test]
fn a_destroy_that_is_refused_leaves_the_guard_of_the_work() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    stage.workspace.apply_with(&[])?;
    let repo = stage.workspace.resource(CHECKOUT)?;
    let binding = format!(
        "apiVersion: nautes.resource.nautes.io/v1alpha1\nkind: CodeRepoBinding\nmetadata:\n  creationTimestamp: null\n  name: by-hand\nspec:\n  codeRepo: {id}\n  permissions: readonly\n  product: {product}\n",
        id = repo["id"].as_str().unwrap_or_default(),
        product = repo["namespace"].as_str().unwrap_or_default(),
    );
    let path = format!(
        "code-repos/{}/by-hand.yaml",
        repo["id"].as_str().unwrap_or_default()
    );
    stage.commit(
        "shop/default.project",
        &json!([{ "action": "create", "file_path": path, "content": binding }]),
    )?;
    let text = stage.workspace.failing_destroy()?.text();
    assert!(text.contains("by-hand"), "{text}");
    let project = stage.gitlab.api(Method::GET, PROJECT, None)?;
    assert_eq!(project["description"], repo["description"]);

    // Where even that was interrupted, the mark is found and taken off.
    let marked = json!({ "description": "[terraform: unfinished] " });
    stage.gitlab.api(Method::PUT, PROJECT, Some(&marked))?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("update"), "{plan}");
    stage.workspace.apply()?;
    let project = stage.gitlab.api(Method::GET, PROJECT, None)?;
    assert_eq!(project["description"], repo["description"]);
    Ok(())
}
