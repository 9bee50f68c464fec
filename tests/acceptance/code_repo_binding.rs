//! A binding of a code repository: whose deploy keys are enabled where.

use serde_json::Value;

use crate::code_repo::SHOP;
use crate::harness::{Case, Stage};

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

/// The keys of other repositories that are enabled on the opened one.
fn enabled(stage: &Stage) -> anyhow::Result<Vec<String>> {
    let own = stage.workspace.resource("nautes_code_repo.pipelines")?;
    let own = format!(
        "{}-",
        own.get("id").and_then(Value::as_str).unwrap_or_default()
    );
    let mut titles = stage.deploy_keys("shop/pipelines")?;
    titles.retain(|title| !title.starts_with(&own));
    Ok(titles)
}

#[test]
fn it_enables_keys_of_others_and_takes_them_back() -> Case {
    let both = format!("{SHOP}{PIPELINES}");
    let stage = Stage::with_vault(&format!("{both}{BINDING}"))?;
    stage.workspace.apply()?;
    let checkout = stage.workspace.resource("nautes_code_repo.checkout")?;
    let checkout = checkout["id"].as_str().unwrap_or_default();
    assert_eq!(enabled(&stage)?, [format!("{checkout}-readonly")]);
    let binding = stage.workspace.resource(ADDRESS)?;
    let path = binding["manifest_path"].as_str().unwrap_or_default();
    let manifest = stage.manifest("shop/default.project", path)?;
    assert!(manifest.contains("  permissions: readonly\n"), "{manifest}");

    // The same repository by its name, the whole product, and the right to push.
    let changed = BINDING
        .replace(
            "nautes_code_repo.pipelines.id",
            "nautes_code_repo.pipelines.name",
        )
        .replace(
            "  projects    = [nautes_project.checkout.id]\n",
            "  projects    = []\n",
        )
        .replace("readonly", "readwrite");
    stage.write(&format!("{both}{changed}"))?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("update"), "{plan}");
    stage.workspace.apply()?;
    assert_eq!(enabled(&stage)?, [format!("{checkout}-readwrite+")]);

    // A key that is taken away by hand is drift of the opened repository.
    let keys = stage.gitlab.api(
        testbed::Method::GET,
        "/projects/shop%2Fpipelines/deploy_keys",
        None,
    )?;
    let title = format!("{checkout}-readwrite");
    let keys = keys.as_array().cloned().unwrap_or_default();
    let key = keys.iter().find(|key| key["title"] == title.as_str());
    let key = key.map_or(Value::Null, |key| key["id"].clone());
    stage.gitlab.api(
        testbed::Method::DELETE,
        &format!("/projects/shop%2Fpipelines/deploy_keys/{key}"),
        None,
    )?;
    let plan = stage.workspace.plan()?;
    assert_eq!(
        plan.action("nautes_code_repo.pipelines"),
        Some("update"),
        "{plan}"
    );
    stage.workspace.apply()?;
    assert_eq!(enabled(&stage)?, [format!("{checkout}-readwrite+")]);

    stage.write(&both)?;
    stage.workspace.apply()?;
    assert_eq!(enabled(&stage)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn it_is_imported_and_survives_the_rename_of_its_project_and_a_replacement_of_its_repository()
-> Case {
    let body = format!("{SHOP}{PIPELINES}{BINDING}");
    let stage = Stage::with_vault(&body)?;
    stage.workspace.apply_with(&[])?;
    stage.workspace.run(["state", "rm", ADDRESS])?;
    stage.workspace.import(ADDRESS, "shop/pipelines")?;
    let renamed = body.replace(
        "name     = \"checkout\"\n  language",
        "name     = \"till\"\n  language",
    );
    stage.write(&renamed)?;
    stage.workspace.apply()?;
    assert_eq!(enabled(&stage)?.len(), 1);
    stage
        .workspace
        .apply_with(&["-replace=nautes_code_repo.pipelines"])?;
    stage.workspace.assert_empty_plan("after the replacement")?;
    assert_eq!(enabled(&stage)?.len(), 1);
    stage.workspace.destroy()?;
    Ok(())
}

#[test]
fn names_do_as_references_whatever_is_made_first() -> Case {
    let by_name = BINDING
        .replace("nautes_code_repo.pipelines.id", r#""pipelines""#)
        .replace("nautes_project.checkout.id", r#""checkout""#)
        .replace("  depends_on  = [nautes_code_repo.checkout]\n", "");
    let shop = SHOP.replace("nautes_project.checkout.id", r#""checkout""#);
    let body = format!("{shop}{PIPELINES}{by_name}");
    let stage = Stage::with_vault(&body)?;
    stage.workspace.apply()?;
    assert_eq!(enabled(&stage)?.len(), 1);
    Ok(())
}
