//! An environment of a product.

use serde_json::json;
use testbed::{Method, at_most, exactly};

use crate::harness::{Case, Stage};

const STAGING: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "staging" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
}
"#;

const SECOND_ON_THE_SAME_CLUSTER: &str = r#"
resource "nautes_environment" "second" {
  product  = nautes_product.shop.id
  name     = "second"
  cluster  = "deployment-01"
  env_type = "staging"
}
"#;

const ADDRESS: &str = "nautes_environment.staging";

#[test]
fn its_type_is_changed_in_place_with_one_commit() -> Case {
    let stage = Stage::with(STAGING)?;
    stage.workspace.apply()?;
    stage.write(&STAGING.replace(r#"env_type = "staging""#, r#"env_type = "test""#))?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("update"), "{plan}");
    let (applied, calls) = stage.gitlab.calls_during(|| stage.workspace.apply_plan())?;
    applied?;
    calls.writes().assert_calls(exactly(1));
    calls.assert_calls(at_most(8));
    stage.workspace.assert_empty_plan("after apply")?;
    let manifest = stage.manifest("shop/default.project", "envs/staging.yaml")?;
    assert!(manifest.contains("envType: test\n"), "{manifest}");
    Ok(())
}

#[test]
fn another_name_replaces_it() -> Case {
    let stage = Stage::with(STAGING)?;
    stage.workspace.apply()?;
    stage.write(&STAGING.replace(r#"name     = "staging""#, r#"name     = "stage""#))?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("replace"), "{plan}");
    stage.workspace.apply()?;
    let repository = stage.clone("shop/default.project")?;
    assert!(repository.join("envs/stage.yaml").is_file());
    assert!(!repository.join("envs/staging.yaml").exists());
    Ok(())
}

#[test]
fn it_is_imported_by_its_path() -> Case {
    let stage = Stage::with(STAGING)?;
    stage.workspace.apply()?;
    stage.workspace.run(["state", "rm", ADDRESS])?;
    stage.workspace.import(ADDRESS, "shop/staging")?;
    let plan = stage.workspace.plan()?;
    assert_ne!(plan.action(ADDRESS), Some("create"), "{plan}");
    assert_ne!(plan.action(ADDRESS), Some("replace"), "{plan}");
    stage.workspace.apply()?;
    Ok(())
}

#[test]
fn a_manifest_that_was_deleted_by_hand_is_written_again() -> Case {
    let stage = Stage::with(STAGING)?;
    stage.workspace.apply()?;
    stage.commit(
        "shop/default.project",
        &json!([
            { "action": "delete", "file_path": "envs/staging.yaml" },
        ]),
    )?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("create"), "{plan}");
    stage.workspace.apply()?;
    let manifest = stage.manifest("shop/default.project", "envs/staging.yaml")?;
    assert!(manifest.contains("cluster: deployment-01\n"), "{manifest}");
    Ok(())
}

#[test]
fn it_is_destroyed_when_its_product_is_already_gone() -> Case {
    let stage = Stage::with(STAGING)?;
    stage.workspace.apply()?;
    stage.gitlab.api(Method::DELETE, "/groups/shop", None)?;
    stage.gitlab.settle()?;
    stage.workspace.destroy()?;
    assert_eq!(stage.workspace.addresses()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_second_one_on_the_same_cluster_is_refused_before_anything_is_written() -> Case {
    let stage = Stage::with(STAGING)?;
    stage.workspace.apply()?;
    stage.write(&format!("{STAGING}{SECOND_ON_THE_SAME_CLUSTER}"))?;
    let (outcome, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.failing_apply())?;
    let text = outcome?.text();
    assert!(
        text.contains("second") && text.contains("staging"),
        "{text}"
    );
    calls.writes().assert_calls(exactly(0));
    Ok(())
}
