//! What a destroyed product leaves, and what the user is told of it.

use anyhow::{Context, anyhow};
use serde_json::{Value, json};
use testbed::{Method, Workspace, exactly};

use crate::harness::{Case, Stage};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}
"#;

const ADDRESS: &str = "nautes_product.shop";

/// A stage whose product is made below a parent group, and removed at once at destroy.
fn stage_below_a_parent() -> anyhow::Result<Stage> {
    let body = SHOP.replace("}\n", "  permanently_remove = true\n}\n");
    let mut stage = Stage::with(&body)?;
    let parent = json!({ "name": "Acme", "path": "acme" });
    stage.gitlab.api(Method::POST, "/groups", Some(&parent))?;
    stage
        .workspace
        .set_env("NAUTES_GITLAB_PARENT_GROUP", "acme");
    stage.workspace.apply()?;
    Ok(stage)
}

/// The warnings of a destroy: summary and detail.
fn warnings_of_destroy(workspace: &Workspace) -> anyhow::Result<Vec<(String, String)>> {
    let destroyed = workspace.destroy()?;
    let warnings = destroyed.outcome.warnings();
    Ok(warnings
        .map(|warning| (warning.summary.clone(), warning.detail.clone()))
        .collect())
}

fn only<T>(found: Vec<T>) -> anyhow::Result<T> {
    let [only] =
        <[T; 1]>::try_from(found).map_err(|found| anyhow!("{} were found", found.len()))?;
    Ok(only)
}

fn group_id(stage: &Stage) -> anyhow::Result<u64> {
    let product = stage.workspace.resource(ADDRESS)?;
    let id = product.get("group_id").and_then(Value::as_u64);
    id.context("the product has no group")
}

#[test]
fn one_warning_says_what_remains_where_and_since_when() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    let id = group_id(&stage)?;
    let (summary, detail) = only(warnings_of_destroy(&stage.workspace)?)?;
    let group = stage
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
fn a_product_that_keeps_its_path_is_told_to_block_it_and_the_next_one_is_refused() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    let id = group_id(&stage)?;
    stage.gitlab.put_registry_images(id)?;
    let (_, detail) = only(warnings_of_destroy(&stage.workspace)?)?;
    assert!(detail.contains("keeps its path shop"), "{detail}");
    let text = stage.workspace.failing_apply()?.text();
    assert!(text.contains("its path is not free"), "{text}");
    Ok(())
}

#[test]
fn a_product_in_a_parent_group_is_removed_at_once_on_request_and_nothing_is_said() -> Case {
    let stage = stage_below_a_parent()?;
    let id = group_id(&stage)?;
    assert_eq!(warnings_of_destroy(&stage.workspace)?, Vec::new());
    stage.gitlab.settle()?;
    let gone = stage
        .gitlab
        .api(Method::GET, &format!("/groups/{id}"), None);
    assert!(gone.is_err(), "{gone:?}");
    Ok(())
}

#[test]
fn an_instance_that_does_not_remove_at_once_is_told_in_the_same_warning() -> Case {
    let stage = stage_below_a_parent()?;
    let settings = json!({ "allow_immediate_namespaces_deletion": false });
    stage
        .gitlab
        .api(Method::PUT, "/application/settings", Some(&settings))?;
    let (_, detail) = only(warnings_of_destroy(&stage.workspace)?)?;
    assert!(detail.contains("acme/shop-deletion_scheduled-"), "{detail}");
    assert!(detail.contains("does not permit"), "{detail}");
    Ok(())
}

#[test]
fn a_repository_whose_creation_was_interrupted_goes_with_its_product() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    let leftover = json!({
        "path": "half-made",
        "namespace_id": group_id(&stage)?,
        "description": "[terraform: unfinished] Web front end",
    });
    let leftover = stage
        .gitlab
        .api(Method::POST, "/projects", Some(&leftover))?;
    let (destroyed, calls) = stage.gitlab.calls_during(|| stage.workspace.destroy())?;
    let destroyed = destroyed?;
    let mut warnings = destroyed.outcome.warnings();
    let id = format!("repo-{}", leftover["id"]);
    assert!(
        warnings.any(
            |warning| warning.summary.contains("left in Vault") && warning.detail.contains(&id)
        ),
        "without a Vault its credentials cannot be looked for"
    );
    calls.writes().assert_calls(exactly(1));
    let path = format!("/projects/{}", leftover["id"]);
    let left = stage.gitlab.api(Method::GET, &path, None)?;
    let path = left["path_with_namespace"].as_str().unwrap_or_default();
    assert!(path.starts_with("shop-deletion_scheduled-"), "{path}");
    Ok(())
}

#[test]
fn credentials_of_repositories_go_with_a_product_that_is_destroyed_by_force() -> Case {
    const REST: &str = r#"
resource "nautes_code_repo" "checkout" {
  product      = nautes_product.shop.id
  name         = "checkout"
  access_token = {}
}
"#;
    let stage = Stage::with_vault(&SHOP.replace("}\n", "  force_destroy = true\n}\n"))?;
    let empty = stage.vault()?.inventory()?;
    stage.workspace.apply()?;
    let mut beside = stage.beside(
        &format!("{SHOP}{REST}").replace("\"shop\"\n}", "\"shop\"\n  adopt_existing = true\n}"),
    )?;
    for name in ["NAUTES_VAULT_ADDRESS", "NAUTES_VAULT_TOKEN"] {
        let vault = stage.vault()?;
        let (url, token) = (vault.url(), vault.root_token());
        let value = if name.ends_with("TOKEN") { token } else { &url };
        beside.set_env(name, value);
    }
    beside.apply_with(&[])?;
    assert_ne!(stage.vault()?.inventory()?, empty);
    stage.workspace.destroy()?;
    assert_eq!(stage.vault()?.inventory()?, empty);
    Ok(())
}

#[test]
fn a_creation_that_never_came_to_its_manifest_leaves_no_credentials_when_its_product_goes() -> Case
{
    const REPO: &str = r#"
resource "nautes_code_repo" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}
"#;
    let stage = Stage::with_vault(SHOP)?;
    let empty = stage.vault()?.inventory()?;
    stage.workspace.apply()?;
    stage.workspace.write("repo.tf", REPO)?;
    let fault = json!({
        "method": "POST", "path": "/repository/commits", "failure": { "answer": { "status": 403 } },
    });
    stage.gitlab.inject_fault(&fault)?;
    stage.workspace.failing_apply()?;
    stage.gitlab.clear_faults()?;
    assert_ne!(stage.vault()?.inventory()?, empty);
    stage.workspace.write("repo.tf", "")?;
    stage.workspace.destroy()?;
    assert_eq!(stage.vault()?.inventory()?, empty);
    Ok(())
}
