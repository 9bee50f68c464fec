//! The credentials in Vault work: private keys match the public keys in GitLab, and access tokens are valid.

#![expect(
    clippy::indexing_slicing,
    reason = "a missing field of a response reads as null"
)]

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testbed::{Method, exactly, git};

use crate::code_repo::{CHECKOUT, SHOP};
use crate::openssh_key::check_pair;
use crate::test_env::{Case, TestEnv};

/// Nearly a year: a token of this age expires soon.
const TOKEN_AGE: Duration = Duration::from_secs(340 * 24 * 60 * 60);

impl TestEnv {
    /// Reads a value of a secret, given its path with the mount, as in the state.
    pub(crate) fn secret(&self, vault_path: &Value, key: &str) -> anyhow::Result<String> {
        let parts = vault_path.as_str().and_then(|path| path.split_once('/'));
        let (mount, path) = parts.with_context(|| format!("{vault_path} is no path"))?;
        let secret = format!("{mount}/data/{path}");
        let secret = self.vault()?.api(Method::GET, &secret, None)?;
        let value = secret["data"]["data"][key].as_str();
        let value = value.with_context(|| format!("{vault_path} has no {key}"))?;
        Ok(value.to_owned())
    }

    /// Checks that an access token can clone the repository, and can read and write with the API.
    fn check_token_access(&self, token: &str, folder: &str) -> Case {
        let folder = tempfile::tempdir()?.path().join(folder);
        let url = format!("{}/shop/checkout.git", self.gitlab.url());
        git::clone(&url, token, &folder)?;
        ensure!(folder.join("README.md").is_file());
        let hooks = "/projects/shop%2Fcheckout/hooks";
        let hook = json!({ "url": "https://example.com/hook" });
        let created = self
            .gitlab
            .api_as(token, Method::POST, hooks, Some(&hook))?;
        let hook = format!("{hooks}/{}", created["id"]);
        self.gitlab.api_as(token, Method::DELETE, &hook, None)?;
        Ok(())
    }
}

#[test]
fn each_private_key_in_vault_matches_the_public_key_in_gitlab() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    env.workspace.apply_with(&[])?;
    let keys = &env.workspace.resource(CHECKOUT)?["deploy_keys"];
    let mut private_keys = Vec::new();
    for (permissions, can_push) in [("readonly", false), ("readwrite", true)] {
        let key = &keys[permissions];
        let path = format!("/projects/shop%2Fcheckout/deploy_keys/{}", key["id"]);
        let listed = env.gitlab.api(Method::GET, &path, None)?;
        let public = listed["key"].as_str().unwrap_or_default();
        let private = env.secret(&key["vault_path"], "deploykey")?;
        check_pair(&private, public).context(permissions)?;
        assert_eq!(listed["can_push"], can_push);

        // The operators of Nautes compare these values.
        let secret = |name| env.secret(&key["vault_path"], name);
        assert_eq!(secret("fingerprint")?, public);
        assert_eq!(secret("id")?, listed["id"].to_string());
        private_keys.push(private);
    }
    assert_ne!(private_keys[0], private_keys[1]);
    Ok(())
}

#[test]
fn the_access_token_gives_access_to_its_repository_only() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    env.workspace.apply_with(&[])?;
    let path = &env.workspace.resource(CHECKOUT)?["access_token"]["vault_path"];
    let token = env.secret(path, "accesstoken")?;
    env.check_token_access(&token, "clone")?;
    let other = "/projects/shop%2Fdefault.project/repository/commits";
    assert!(env.gitlab.api_as(&token, Method::GET, other, None).is_err());
    Ok(())
}

/// A bot may list and revoke access tokens, and create none.
#[test]
fn the_token_of_a_group_manages_repositories_that_have_no_access_token() -> Case {
    let shop = SHOP.replace("  access_token   = {}\n", "");
    let mut env = TestEnv::with_vault(&shop)?;
    let before = env.vault()?.inventory()?;
    let acme = json!({ "name": "acme", "path": "acme" });
    let acme = env.gitlab.api(Method::POST, "/groups", Some(&acme))?;
    let token = json!({ "name": "terraform", "scopes": ["api"], "access_level": 50 });
    let path = format!("/groups/{}/access_tokens", acme["id"]);
    let token = env.gitlab.api(Method::POST, &path, Some(&token))?;
    env.use_token(token["token"].as_str().context("no token")?);
    env.workspace.set_env("NAUTES_GITLAB_PARENT_GROUP", "acme");
    env.workspace.apply()?;
    let (planned, calls) = env
        .gitlab
        .calls_during(|| env.workspace.assert_empty_plan("of a bot"))?;
    planned?;
    let is_about_tokens = |call: &testbed::Call| call.route.contains("/access_tokens");
    calls.filter(is_about_tokens).assert_calls(exactly(0));
    env.workspace.destroy()?;
    assert_eq!(env.vault()?.inventory()?, before);
    Ok(())
}

#[test]
fn a_token_that_expires_soon_is_replaced_and_then_revoked() -> Case {
    let env = TestEnv::with_vault(SHOP)?;
    env.gitlab.rewind_clock(TOKEN_AGE)?;
    env.workspace.apply_with(&[])?;
    let before = env.workspace.resource(CHECKOUT)?["access_token"].clone();
    let old = env.secret(&before["vault_path"], "accesstoken")?;
    env.gitlab.advance_clock(TOKEN_AGE)?;
    env.check_token_access(&old, "before")?;

    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(CHECKOUT), Some("update"), "{plan}");
    let shown = env.workspace.show_plan()?;
    let changes = shown["resource_changes"].as_array().into_iter().flatten();
    let mut changes = changes.filter(|change| change["address"] == CHECKOUT);
    let change = &changes.next().context("the plan shows no change")?["change"];
    assert_eq!(change["before"]["access_token"]["rotation_due"], true);
    assert_eq!(change["after"]["access_token"]["rotation_due"], false);
    assert_eq!(change["after_unknown"]["access_token"]["id"], true);
    assert_eq!(change["after_unknown"]["access_token"]["expires_at"], true);
    env.check_token_access(&old, "planned")?;

    let apply = || env.workspace.apply_plan();
    let (applied, calls) = env.gitlab.calls_during(apply)?;
    applied?;
    let is_token_write =
        |call: &testbed::Call| call.route.contains("/access_tokens") && call.is_write();
    let order = calls.filter(is_token_write);
    let order: Vec<_> = order.as_slice().iter().map(|call| &call.method).collect();
    assert_eq!(order, ["POST", "DELETE"], "{calls}");
    env.workspace.assert_empty_plan("after the rotation")?;

    let after = env.workspace.resource(CHECKOUT)?["access_token"].clone();
    assert_ne!(after["id"], before["id"]);
    assert!(after["expires_at"].as_str() > before["expires_at"].as_str());
    let new = env.secret(&after["vault_path"], "accesstoken")?;
    assert_ne!(new, old);
    env.check_token_access(&new, "after")?;
    let refused = env.gitlab.api_as(&old, Method::GET, "/user", None);
    let refused = format!("{:#}", anyhow::Error::from(refused.unwrap_err()));
    assert!(refused.contains("401"), "{refused}");
    let url = format!("{}/shop/checkout.git", env.gitlab.url());
    let folder = tempfile::tempdir()?;
    assert!(git::clone(&url, &old, &folder.path().join("old")).is_err());
    Ok(())
}
