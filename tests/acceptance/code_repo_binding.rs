//! Bindings of code repositories, which enable the deploy keys of other repositories.

use serde_json::Value;

use crate::code_repo::SHOP;
use crate::test_env::{Case, TestEnv};

const PIPELINES: &str = r#"
resource "nautes_code_repo" "pipelines" {
  product = nautes_product.shop.id
  name    = "pipelines"
}
"#;

const BINDING: &str = r#"
resource "nautes_code_repo_binding" "pipelines" {
  product     = nautes_product.shop.id
  name        = "pipelines"
  code_repo   = nautes_code_repo.pipelines.id
  projects    = [nautes_project.checkout.id]
  permissions = "readonly"
  depends_on  = [nautes_code_repo.checkout]
}
"#;

const ADDRESS: &str = "nautes_code_repo_binding.pipelines";

/// Returns the keys of other repositories that are enabled on the bound one.
fn enabled_keys(env: &TestEnv) -> anyhow::Result<Vec<String>> {
    let own = env.workspace.resource("nautes_code_repo.pipelines")?;
    let own = format!(
        "{}-",
        own.get("id").and_then(Value::as_str).unwrap_or_default()
    );
    let mut titles = env.deploy_keys("shop/pipelines")?;
    titles.retain(|title| !title.starts_with(&own));
    Ok(titles)
}

#[test]
fn a_binding_enables_deploy_keys_of_other_repositories_and_disables_them_again() -> Case {
    let both = format!("{SHOP}{PIPELINES}");
    let env = TestEnv::with_vault(&format!("{both}{BINDING}"))?;
    env.workspace.apply()?;
    let checkout = env.workspace.resource("nautes_code_repo.checkout")?;
    let checkout = checkout["id"].as_str().unwrap_or_default();
    assert_eq!(enabled_keys(&env)?, [format!("{checkout}-readonly")]);
    let binding = env.workspace.resource(ADDRESS)?;
    let path = binding["manifest_path"].as_str().unwrap_or_default();
    let manifest = env.read_file("shop/default.project", path)?;
    assert!(manifest.contains("  permissions: readonly\n"), "{manifest}");

    // A reference by name, all projects of the product, and permission to push.
    let changed = BINDING
        .replace(
            "nautes_code_repo.pipelines.id",
            "nautes_code_repo.pipelines.name",
        )
        .replace("  projects    = [nautes_project.checkout.id]\n", "")
        .replace("readonly", "readwrite");
    env.write(&format!("{both}{changed}"))?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("update"), "{plan}");
    env.workspace.apply()?;
    assert_eq!(enabled_keys(&env)?, [format!("{checkout}-readwrite+")]);

    // A key that was disabled outside Terraform is drift of the bound repository.
    let keys = env.gitlab.api(
        testbed::Method::GET,
        "/projects/shop%2Fpipelines/deploy_keys",
        None,
    )?;
    let title = format!("{checkout}-readwrite");
    let keys = keys.as_array().cloned().unwrap_or_default();
    let key = keys.iter().find(|key| key["title"] == title.as_str());
    let key = key.map_or(Value::Null, |key| key["id"].clone());
    env.gitlab.api(
        testbed::Method::DELETE,
        &format!("/projects/shop%2Fpipelines/deploy_keys/{key}"),
        None,
    )?;
    let plan = env.workspace.plan()?;
    assert_eq!(
        plan.action("nautes_code_repo.pipelines"),
        Some("update"),
        "{plan}"
    );
    env.workspace.apply()?;
    assert_eq!(enabled_keys(&env)?, [format!("{checkout}-readwrite+")]);

    env.write(&both)?;
    env.workspace.apply()?;
    assert_eq!(enabled_keys(&env)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_binding_is_imported_and_survives_a_renamed_project_and_a_replaced_repository() -> Case {
    let body = format!("{SHOP}{PIPELINES}{BINDING}");
    let env = TestEnv::with_vault(&body)?;
    env.workspace.apply_with(&[])?;
    env.workspace.run(["state", "rm", ADDRESS])?;
    env.workspace.import(ADDRESS, "shop/pipelines")?;
    let renamed = body.replace(
        "name     = \"checkout\"\n  language",
        "name     = \"till\"\n  language",
    );
    env.write(&renamed)?;
    env.workspace.apply()?;
    assert_eq!(enabled_keys(&env)?.len(), 1);
    env.workspace
        .apply_with(&["-replace=nautes_code_repo.pipelines"])?;
    env.workspace.assert_empty_plan("after the replacement")?;
    assert_eq!(enabled_keys(&env)?.len(), 1);
    env.workspace.destroy()?;
    Ok(())
}

#[test]
fn references_by_name_work_in_any_order_of_creation() -> Case {
    let by_name = BINDING
        .replace("nautes_code_repo.pipelines.id", r#""pipelines""#)
        .replace("nautes_project.checkout.id", r#""checkout""#)
        .replace("  depends_on  = [nautes_code_repo.checkout]\n", "");
    let shop = SHOP.replace("nautes_project.checkout.id", r#""checkout""#);
    let body = format!("{shop}{PIPELINES}{by_name}");
    let env = TestEnv::with_vault(&body)?;
    env.workspace.apply()?;
    assert_eq!(enabled_keys(&env)?.len(), 1);
    Ok(())
}
