//! What is in Vault does what it is for: the private keys fit the keys in GitLab, and the access token opens GitLab.

#![expect(
    clippy::indexing_slicing,
    reason = "a field that an answer lacks reads as null"
)]

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testbed::{Method, git};

use crate::code_repo::{CHECKOUT, SHOP};
use crate::harness::{Case, Stage};
use crate::openssh_key::expect_pair;

/// Nearly a year, so that a token that was made so long ago is about to end.
const LONG_AGO: Duration = Duration::from_secs(340 * 24 * 60 * 60);

impl Stage {
    /// A value of a secret, given its place with the mount as in the state.
    pub(crate) fn secret(&self, vault_path: &Value, key: &str) -> anyhow::Result<String> {
        let place = vault_path.as_str().and_then(|path| path.split_once('/'));
        let (mount, path) = place.with_context(|| format!("{vault_path} is no place"))?;
        let secret = format!("{mount}/data/{path}");
        let secret = self.vault()?.api(Method::GET, &secret, None)?;
        let value = secret["data"]["data"][key].as_str();
        let value = value.with_context(|| format!("{vault_path} has no {key}"))?;
        Ok(value.to_owned())
    }

    /// Whether an access token opens the repository with git, and may read and write with the API.
    fn expect_opens(&self, token: &str, folder: &str) -> Case {
        let folder = tempfile::tempdir()?.path().join(folder);
        let url = format!("{}/shop/checkout.git", self.gitlab.url());
        git::clone(&url, token, &folder)?;
        ensure!(folder.join("README.md").is_file());
        let hooks = "/projects/shop%2Fcheckout/hooks";
        let hook = json!({ "url": "https://example.com/hook" });
        let made = self
            .gitlab
            .api_as(token, Method::POST, hooks, Some(&hook))?;
        let hook = format!("{hooks}/{}", made["id"]);
        self.gitlab.api_as(token, Method::DELETE, &hook, None)?;
        Ok(())
    }
}

#[test]
fn each_private_key_in_vault_is_the_half_of_the_key_in_gitlab() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    stage.workspace.apply_with(&[])?;
    let keys = &stage.workspace.resource(CHECKOUT)?["deploy_keys"];
    let mut privates = Vec::new();
    for (permissions, may_push) in [("readonly", false), ("readwrite", true)] {
        let key = &keys[permissions];
        let path = format!("/projects/shop%2Fcheckout/deploy_keys/{}", key["id"]);
        let listed = stage.gitlab.api(Method::GET, &path, None)?;
        let public = listed["key"].as_str().unwrap_or_default();
        let private = stage.secret(&key["vault_path"], "deploykey")?;
        expect_pair(&private, public).context(permissions)?;
        assert_eq!(listed["can_push"], may_push);

        // What Nautes's operators compare.
        let secret = |name| stage.secret(&key["vault_path"], name);
        assert_eq!(secret("fingerprint")?, public);
        assert_eq!(secret("id")?, listed["id"].to_string());
        privates.push(private);
    }
    assert_ne!(privates[0], privates[1]);
    Ok(())
}

#[test]
fn the_access_token_opens_its_repository_and_nothing_else() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    stage.workspace.apply_with(&[])?;
    let path = &stage.workspace.resource(CHECKOUT)?["access_token"]["vault_path"];
    let token = stage.secret(path, "accesstoken")?;
    stage.expect_opens(&token, "clone")?;
    let others = "/projects/shop%2Fdefault.project/repository/commits";
    assert!(
        stage
            .gitlab
            .api_as(&token, Method::GET, others, None)
            .is_err()
    );
    Ok(())
}

#[test]
fn a_token_that_is_about_to_end_is_replaced_and_then_revoked() -> Case {
    let stage = Stage::with_vault(SHOP)?;
    stage.gitlab.put_clock_back(LONG_AGO)?;
    stage.workspace.apply_with(&[])?;
    let before = stage.workspace.resource(CHECKOUT)?["access_token"].clone();
    let old = stage.secret(&before["vault_path"], "accesstoken")?;
    stage.gitlab.advance_clock(LONG_AGO)?;
    stage.expect_opens(&old, "before")?;

    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("update"), "{plan}");
    let shown = stage.workspace.show_plan()?;
    let changes = shown["resource_changes"].as_array().into_iter().flatten();
    let mut changes = changes.filter(|change| change["address"] == CHECKOUT);
    let change = &changes.next().context("no change is shown")?["change"];
    assert_eq!(change["before"]["access_token"]["rotation_due"], true);
    assert_eq!(change["after"]["access_token"]["rotation_due"], false);
    assert_eq!(change["after_unknown"]["access_token"]["id"], true);
    assert_eq!(change["after_unknown"]["access_token"]["expires_at"], true);
    stage.expect_opens(&old, "planned")?;

    let apply = || stage.workspace.apply_plan();
    let (applied, calls) = stage.gitlab.calls_during(apply)?;
    applied?;
    let made = |call: &testbed::Call| call.route.contains("/access_tokens") && call.is_write();
    let order = calls.only(made);
    let order: Vec<_> = order.as_slice().iter().map(|call| &call.method).collect();
    assert_eq!(order, ["POST", "DELETE"], "{calls}");
    stage.workspace.assert_empty_plan("after the rotation")?;

    let after = stage.workspace.resource(CHECKOUT)?["access_token"].clone();
    assert_ne!(after["id"], before["id"]);
    assert!(after["expires_at"].as_str() > before["expires_at"].as_str());
    let new = stage.secret(&after["vault_path"], "accesstoken")?;
    assert_ne!(new, old);
    stage.expect_opens(&new, "after")?;
    let refused = stage.gitlab.api_as(&old, Method::GET, "/user", None);
    let refused = format!("{:#}", anyhow::Error::from(refused.unwrap_err()));
    assert!(refused.contains("401"), "{refused}");
    let url = format!("{}/shop/checkout.git", stage.gitlab.url());
    let folder = tempfile::tempdir()?;
    assert!(git::clone(&url, &old, &folder.path().join("old")).is_err());
    Ok(())
}
