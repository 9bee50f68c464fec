//! Environments of a product.

use serde_json::json;
use testbed::{Method, at_most, exactly};

use crate::test_env::{Case, TestEnv};

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
fn the_type_is_changed_in_place_with_one_commit() -> Case {
    let env = TestEnv::new(STAGING)?;
    env.workspace.apply()?;
    env.write(&STAGING.replace(r#"env_type = "staging""#, r#"env_type = "test""#))?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("update"), "{plan}");
    let (applied, calls) = env.gitlab.calls_during(|| env.workspace.apply_plan())?;
    applied?;
    calls.writes().assert_calls(exactly(1));
    calls.assert_calls(at_most(8));
    env.workspace.assert_empty_plan("after apply")?;
    let manifest = env.read_file("shop/default.project", "envs/staging.yaml")?;
    assert!(manifest.contains("envType: test\n"), "{manifest}");
    Ok(())
}

#[test]
fn a_new_name_replaces_the_environment() -> Case {
    let env = TestEnv::new(STAGING)?;
    env.workspace.apply()?;
    env.write(&STAGING.replace(r#"name     = "staging""#, r#"name     = "stage""#))?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("replace"), "{plan}");
    env.workspace.apply()?;
    let repository = env.clone("shop/default.project")?;
    assert!(repository.join("envs/stage.yaml").is_file());
    assert!(!repository.join("envs/staging.yaml").exists());
    Ok(())
}

#[test]
fn an_environment_is_imported_by_its_path() -> Case {
    let env = TestEnv::new(STAGING)?;
    env.workspace.apply()?;
    env.workspace.run(["state", "rm", ADDRESS])?;
    env.workspace.import(ADDRESS, "shop/staging")?;
    let plan = env.workspace.plan()?;
    assert_ne!(plan.action(ADDRESS), Some("create"), "{plan}");
    assert_ne!(plan.action(ADDRESS), Some("replace"), "{plan}");
    env.workspace.apply()?;
    Ok(())
}

#[test]
fn a_manifest_deleted_outside_terraform_is_recreated() -> Case {
    let env = TestEnv::new(STAGING)?;
    env.workspace.apply()?;
    env.commit(
        "shop/default.project",
        &json!([
            { "action": "delete", "file_path": "envs/staging.yaml" },
        ]),
    )?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("create"), "{plan}");
    env.workspace.apply()?;
    let manifest = env.read_file("shop/default.project", "envs/staging.yaml")?;
    assert!(manifest.contains("cluster: deployment-01\n"), "{manifest}");
    Ok(())
}

#[test]
fn an_environment_is_destroyed_after_its_product_was_deleted() -> Case {
    let env = TestEnv::new(STAGING)?;
    env.workspace.apply()?;
    env.gitlab.api(Method::DELETE, "/groups/shop", None)?;
    env.gitlab.wait_until_idle()?;
    env.workspace.destroy()?;
    assert_eq!(env.workspace.addresses()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_second_environment_on_the_same_cluster_is_refused_before_any_write() -> Case {
    let env = TestEnv::new(STAGING)?;
    env.workspace.apply()?;
    env.write(&format!("{STAGING}{SECOND_ON_THE_SAME_CLUSTER}"))?;
    let (outcome, calls) = env.gitlab.calls_during(|| env.workspace.failing_apply())?;
    let text = outcome?.text();
    assert!(
        text.contains("second") && text.contains("staging"),
        "{text}"
    );
    calls.writes().assert_calls(exactly(0));
    Ok(())
}
