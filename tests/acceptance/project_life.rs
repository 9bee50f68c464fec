//! The life of a project of a product.

use serde_json::json;
use testbed::{Budget, at_most, exactly};

use crate::harness::{Case, Stage};

const PRODUCT: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}
"#;

const PROJECT: &str = r#"
resource "nautes_project" "checkout" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}
"#;

const ADDRESS: &str = "nautes_project.checkout";

const CONFIG: &str = "shop/default.project";

const MANIFEST: &str = "projects/checkout/checkout.yaml";

fn with(project: &str) -> String {
    format!("{PRODUCT}{project}")
}

/// The calls of a plan and an apply that change one project: two for the product and one for the head in each, the
/// listing and the files in which the repository differs, and what is written. GitLab gives a few archives a minute;
/// after that the files are read one by one.
const CHANGE: usize = 14;

/// Plans one action on the project, applies it, and plans nothing.
fn change(stage: &Stage, action: &str, writes: Budget) -> Case {
    let step = || -> Case {
        let plan = stage.workspace.plan()?;
        assert_eq!(plan.action(ADDRESS), Some(action), "{plan}");
        assert_eq!(plan.changes.len(), 1, "{plan}");
        stage.workspace.apply_plan()?;
        Ok(())
    };
    let (changed, calls) = stage.gitlab.calls_during(step)?;
    changed?;
    calls.writes().assert_calls(writes);
    calls.assert_calls(at_most(CHANGE));
    stage.workspace.assert_empty_plan("after the change")?;
    Ok(())
}

#[test]
fn a_project_is_created_changed_replaced_repaired_and_destroyed_with_an_empty_plan_after_each()
-> Case {
    let stage = Stage::with(PRODUCT)?;
    stage.workspace.apply()?;
    stage.write(&with(PROJECT))?;
    change(&stage, "create", exactly(1))?;
    let manifest = stage.manifest(CONFIG, MANIFEST)?;
    assert!(manifest.contains("language: rust\n"), "{manifest}");

    for (language, written) in [("\"go\"", "language: go\n"), ("null", "language: \"\"\n")] {
        stage.write(&with(&PROJECT.replace("\"rust\"", language)))?;
        change(&stage, "update", exactly(1))?;
        let manifest = stage.manifest(CONFIG, MANIFEST)?;
        assert!(manifest.contains(written), "{manifest}");
    }
    stage.write(&with(PROJECT))?;
    change(&stage, "update", exactly(1))?;

    // What only the provider reads is written to no manifest.
    for argument in [
        "insecure_skip_check = true",
        "timeouts = { create = \"5m\", delete = \"5m\" }",
    ] {
        let arguments = format!("\"rust\"\n  {argument}\n");
        stage.write(&with(&PROJECT.replace("\"rust\"\n", &arguments)))?;
        change(&stage, "update", exactly(0))?;
    }
    stage.write(&with(PROJECT))?;
    change(&stage, "update", exactly(0))?;

    let renamed = PROJECT.replace("name     = \"checkout\"", "name     = \"payment\"");
    stage.write(&with(&renamed))?;
    change(&stage, "replace", at_most(2))?;
    let repository = stage.clone(CONFIG)?;
    assert!(repository.join("projects/payment/payment.yaml").is_file());
    assert!(!repository.join(MANIFEST).exists());
    stage.write(&with(PROJECT))?;
    change(&stage, "replace", at_most(2))?;

    let manifest = stage.manifest(CONFIG, MANIFEST)?;
    stage.commit(
        CONFIG,
        &json!([{
            "action": "update",
            "file_path": MANIFEST,
            "content": manifest.replace("rust", "cobol"),
        }]),
    )?;
    change(&stage, "update", exactly(1))?;
    assert_eq!(stage.manifest(CONFIG, MANIFEST)?, manifest);

    let delete = json!([{ "action": "delete", "file_path": MANIFEST }]);
    stage.commit(CONFIG, &delete)?;
    change(&stage, "create", exactly(1))?;
    assert_eq!(stage.manifest(CONFIG, MANIFEST)?, manifest);

    stage.write(PRODUCT)?;
    change(&stage, "delete", exactly(1))?;
    assert!(!stage.clone(CONFIG)?.join(MANIFEST).exists());
    Ok(())
}

#[test]
fn a_project_is_imported_by_both_of_its_paths_and_destroyed_when_it_is_already_gone() -> Case {
    let stage = Stage::with(&with(PROJECT))?;
    stage.workspace.apply()?;
    let id = stage.workspace.resource(ADDRESS)?["id"].clone();
    for id in ["shop/checkout", id.as_str().unwrap_or_default()] {
        stage.workspace.run(["state", "rm", ADDRESS])?;
        let (imported, calls) = stage
            .gitlab
            .calls_during(|| stage.workspace.import(ADDRESS, id))?;
        imported?;
        calls.assert_calls(at_most(6));
        let (applied, calls) = stage
            .gitlab
            .calls_during(|| stage.workspace.apply_with(&[]))?;
        applied?;
        calls.writes().assert_calls(exactly(0));
        stage.workspace.assert_empty_plan("after the import")?;
    }
    stage.workspace.run(["state", "rm", ADDRESS])?;
    let text = stage
        .workspace
        .failing_import(ADDRESS, "shop/payment")?
        .text();
    assert!(text.contains("shop/payment"), "{text}");
    stage.workspace.import(ADDRESS, "shop/checkout")?;

    stage.commit(
        CONFIG,
        &json!([{ "action": "delete", "file_path": MANIFEST }]),
    )?;
    // The state still holds it when it is destroyed.
    let arguments = ["-destroy", "-refresh=false", "-target", ADDRESS];
    stage.workspace.apply_with(&arguments)?;
    let addresses = stage.workspace.addresses()?;
    assert_eq!(addresses, ["nautes_product.shop"]);
    Ok(())
}
