//! What a destroyed product leaves, and the warnings about it.

use anyhow::{Context, anyhow};
use serde_json::{Value, json};
use testbed::{Method, Workspace, exactly};

use crate::test_env::{Case, TestEnv};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}
"#;

const ADDRESS: &str = "nautes_product.shop";

/// Makes an environment with a parent group and a product in it, which a destroy removes
/// immediately.
fn env_with_parent_group() -> anyhow::Result<TestEnv> {
    let body = SHOP.replace("}\n", "  permanently_remove = true\n}\n");
    let mut env = TestEnv::new(&body)?;
    let parent = json!({ "name": "Acme", "path": "acme" });
    env.gitlab.api(Method::POST, "/groups", Some(&parent))?;
    env.workspace.set_env("NAUTES_GITLAB_PARENT_GROUP", "acme");
    env.workspace.apply()?;
    Ok(env)
}

/// Destroys, and returns the summary and the detail of each warning.
fn destroy_warnings(workspace: &Workspace) -> anyhow::Result<Vec<(String, String)>> {
    let destroyed = workspace.destroy()?;
    let warnings = destroyed.outcome.warnings();
    Ok(warnings
        .map(|warning| (warning.summary.clone(), warning.detail.clone()))
        .collect())
}

fn single<T>(found: Vec<T>) -> anyhow::Result<T> {
    let [single] = <[T; 1]>::try_from(found)
        .map_err(|found| anyhow!("expected one element, found {}", found.len()))?;
    Ok(single)
}

fn group_id(env: &TestEnv) -> anyhow::Result<u64> {
    let product = env.workspace.resource(ADDRESS)?;
    let id = product.get("group_id").and_then(Value::as_u64);
    id.context("the product has no group")
}

#[test]
fn one_warning_names_the_remaining_group_its_path_and_its_deletion_date() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    let id = group_id(&env)?;
    let (summary, detail) = single(destroy_warnings(&env.workspace)?)?;
    let group = env
        .gitlab
        .api(Method::GET, &format!("/groups/{id}"), None)?;
    let marked_on = group["marked_for_deletion_on"].as_str().unwrap_or("?");
    assert!(summary.contains("shop"), "{summary}");
    for part in [
        &format!("shop-deletion_scheduled-{id}"),
        marked_on,
        "its former path is free",
    ] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    Ok(())
}

#[test]
fn a_destroyed_product_that_keeps_its_path_is_reported_and_blocks_the_next_one() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    let id = group_id(&env)?;
    env.gitlab.put_registry_images(id)?;
    let (_, detail) = single(destroy_warnings(&env.workspace)?)?;
    assert!(detail.contains("keeps its path shop"), "{detail}");
    let text = env.workspace.failing_apply()?.text();
    assert!(text.contains("its path is not free"), "{text}");
    Ok(())
}

#[test]
fn a_product_in_a_parent_group_is_removed_immediately_on_request_without_a_warning() -> Case {
    let env = env_with_parent_group()?;
    let id = group_id(&env)?;
    assert_eq!(destroy_warnings(&env.workspace)?, Vec::new());
    env.gitlab.wait_until_idle()?;
    let lookup = env.gitlab.api(Method::GET, &format!("/groups/{id}"), None);
    assert!(lookup.is_err(), "{lookup:?}");
    Ok(())
}

#[test]
fn the_warning_explains_that_the_instance_does_not_permit_immediate_removal() -> Case {
    let env = env_with_parent_group()?;
    let settings = json!({ "allow_immediate_namespaces_deletion": false });
    env.gitlab
        .api(Method::PUT, "/application/settings", Some(&settings))?;
    let (_, detail) = single(destroy_warnings(&env.workspace)?)?;
    assert!(detail.contains("acme/shop-deletion_scheduled-"), "{detail}");
    assert!(detail.contains("does not permit"), "{detail}");
    Ok(())
}

#[test]
fn an_unfinished_repository_is_deleted_with_its_product() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    let unfinished = json!({
        "path": "unfinished",
        "namespace_id": group_id(&env)?,
        "description": "[terraform: unfinished] Web front end",
    });
    let unfinished = env
        .gitlab
        .api(Method::POST, "/projects", Some(&unfinished))?;
    let (destroyed, calls) = env.gitlab.calls_during(|| env.workspace.destroy())?;
    let destroyed = destroyed?;
    let mut warnings = destroyed.outcome.warnings();
    let id = format!("repo-{}", unfinished["id"]);
    assert!(
        warnings.any(
            |warning| warning.summary.contains("left in Vault") && warning.detail.contains(&id)
        ),
        "without a Vault the provider cannot look for its credentials"
    );
    calls.writes().assert_calls(exactly(1));
    let path = format!("/projects/{}", unfinished["id"]);
    let project = env.gitlab.api(Method::GET, &path, None)?;
    let path = project["path_with_namespace"].as_str().unwrap_or_default();
    assert!(path.starts_with("shop-deletion_scheduled-"), "{path}");
    Ok(())
}

#[test]
fn force_destroying_a_product_deletes_the_credentials_of_its_repositories() -> Case {
    const REPO: &str = r#"
resource "nautes_code_repo" "checkout" {
  product      = nautes_product.shop.id
  name         = "checkout"
  access_token = {}
}
"#;
    let env = TestEnv::with_vault(&SHOP.replace("}\n", "  force_destroy = true\n}\n"))?;
    let empty = env.vault()?.inventory()?;
    env.workspace.apply()?;
    let mut other = env.new_workspace(
        &format!("{SHOP}{REPO}").replace("\"shop\"\n}", "\"shop\"\n  adopt_existing = true\n}"),
    )?;
    for name in ["NAUTES_VAULT_ADDRESS", "NAUTES_VAULT_TOKEN"] {
        let vault = env.vault()?;
        let (url, token) = (vault.url(), vault.root_token());
        let value = if name.ends_with("TOKEN") { token } else { &url };
        other.set_env(name, value);
    }
    other.apply_with(&[])?;
    assert_ne!(env.vault()?.inventory()?, empty);
    env.workspace.destroy()?;
    assert_eq!(env.vault()?.inventory()?, empty);
    Ok(())
}

#[test]
fn destroying_a_product_deletes_the_credentials_of_a_repository_without_a_manifest() -> Case {
    const REPO: &str = r#"
resource "nautes_code_repo" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}
"#;
    let env = TestEnv::with_vault(SHOP)?;
    let empty = env.vault()?.inventory()?;
    env.workspace.apply()?;
    env.workspace.write("repo.tf", REPO)?;
    let fault = json!({
        "method": "POST", "path": "/repository/commits", "failure": { "respond": { "status": 403 } },
    });
    env.gitlab.inject_fault(&fault)?;
    env.workspace.failing_apply()?;
    env.gitlab.clear_faults()?;
    assert_ne!(env.vault()?.inventory()?, empty);
    env.workspace.write("repo.tf", "")?;
    env.workspace.destroy()?;
    assert_eq!(env.vault()?.inventory()?, empty);
    Ok(())
}
