//! Configurations are rearranged: one apply, and nothing is left to do.

use testbed::{Calls, at_most, exactly};

use crate::harness::{Case, Stage};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "first" {
  product  = nautes_product.shop.id
  name     = "first"
  cluster  = "deployment-01"
  env_type = "test"
}

resource "nautes_environment" "second" {
  product  = nautes_product.shop.id
  name     = "second"
  cluster  = "deployment-02"
  env_type = "production"
}

resource "nautes_project" "first" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}

resource "nautes_project" "second" {
  product  = nautes_product.shop.id
  name     = "catalog"
  language = "go"
}
"#;

const FIRST_ENVIRONMENT: &str = "nautes_environment.first";

const CONFIG: &str = "shop/default.project";

fn stage() -> anyhow::Result<Stage> {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    Ok(stage)
}

/// Exchanges two pieces of text.
fn swapped(body: &str, one: &str, other: &str) -> String {
    let between = "between the two";
    body.replace(one, between)
        .replace(other, one)
        .replace(between, other)
}

/// Applies once, and returns the calls of it; the next plan is empty.
fn apply_once(stage: &Stage, arguments: &[&str]) -> anyhow::Result<Calls> {
    let (applied, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.apply_with(arguments))?;
    applied?;
    stage.workspace.assert_empty_plan("after apply")?;
    Ok(calls)
}

#[test]
fn two_environments_swap_their_clusters() -> Case {
    let stage = stage()?;
    stage.write(&swapped(SHOP, r#""deployment-01""#, r#""deployment-02""#))?;
    let calls = apply_once(&stage, &[])?;
    calls.writes().assert_calls(at_most(3));
    let first = stage.manifest(CONFIG, "envs/first.yaml")?;
    assert!(first.contains("cluster: deployment-02\n"), "{first}");
    let second = stage.manifest(CONFIG, "envs/second.yaml")?;
    assert!(second.contains("cluster: deployment-01\n"), "{second}");
    Ok(())
}

#[test]
fn two_projects_swap_their_names() -> Case {
    let stage = stage()?;
    stage.write(&swapped(SHOP, r#""checkout""#, r#""catalog""#))?;
    let calls = apply_once(&stage, &[])?;
    calls.writes().assert_calls(at_most(3));
    let catalog = stage.manifest(CONFIG, "projects/catalog/catalog.yaml")?;
    assert!(catalog.contains("language: rust\n"), "{catalog}");
    let checkout = stage.manifest(CONFIG, "projects/checkout/checkout.yaml")?;
    assert!(checkout.contains("language: go\n"), "{checkout}");
    Ok(())
}

#[test]
fn two_environments_swap_their_names_one_operation_at_a_time() -> Case {
    let stage = stage()?;
    let (first, second) = (r#"name     = "first""#, r#"name     = "second""#);
    stage.write(&swapped(SHOP, first, second))?;
    let calls = apply_once(&stage, &["-parallelism=1"])?;
    calls.writes().assert_calls(exactly(4));
    let first = stage.manifest(CONFIG, "envs/first.yaml")?;
    assert!(first.contains("cluster: deployment-02\n"), "{first}");
    Ok(())
}

#[test]
fn an_environment_is_renamed_and_keeps_its_cluster() -> Case {
    let stage = stage()?;
    stage.write(&SHOP.replace(r#"name     = "first""#, r#"name     = "early""#))?;
    let calls = apply_once(&stage, &[])?;
    calls.writes().assert_calls(at_most(2));
    let repository = stage.clone(CONFIG)?;
    assert!(repository.join("envs/early.yaml").is_file());
    assert!(!repository.join("envs/first.yaml").exists());
    Ok(())
}

#[test]
fn a_renamed_product_keeps_everything_in_it() -> Case {
    let stage = stage()?;
    stage.write(&SHOP.replace(r#"name = "shop""#, r#"name = "store""#))?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action("nautes_product.shop"), Some("update"), "{plan}");
    assert_eq!(plan.changes.len(), 1, "{plan}");
    let calls = apply_once(&stage, &[])?;
    calls.writes().assert_calls(exactly(1));
    let repository = stage.clone("store/default.project")?;
    assert!(repository.join("envs/first.yaml").is_file());
    let product = stage.workspace.resource("nautes_product.shop")?;
    assert_eq!(
        product["config_repository"]["path"],
        "store/default.project"
    );
    Ok(())
}

#[test]
fn a_replaced_environment_and_a_replaced_project_come_back() -> Case {
    let stage = stage()?;
    for address in [FIRST_ENVIRONMENT, "nautes_project.first"] {
        let calls = apply_once(&stage, &[&format!("-replace={address}")])?;
        calls.writes().assert_calls(exactly(2));
    }
    let repository = stage.clone(CONFIG)?;
    assert!(repository.join("envs/first.yaml").is_file());
    assert!(repository.join("projects/checkout/checkout.yaml").is_file());
    Ok(())
}

#[test]
fn a_replaced_product_comes_back_with_everything_in_it() -> Case {
    let stage = stage()?;
    let before = stage.workspace.resource("nautes_product.shop")?;
    let calls = apply_once(&stage, &["-replace=nautes_product.shop"])?;
    // One commit without the entities, five calls for the product, one commit with them; a slow machine may need more.
    calls.writes().assert_calls(at_most(9));
    let after = stage.workspace.resource("nautes_product.shop")?;
    assert_ne!(before["id"], after["id"]);
    let repository = stage.clone(CONFIG)?;
    assert!(repository.join("envs/second.yaml").is_file());
    stage.workspace.destroy()?;
    stage.expect_only_remains(2, &["shop"])
}

#[test]
fn what_moves_into_a_module_stays_as_it_is() -> Case {
    let stage = stage()?;
    let module = stage.workspace.path().join("shop");
    std::fs::create_dir(&module)?;
    stage.workspace.write("shop/main.tf", SHOP)?;
    stage.workspace.write(
        "shop/provider.tf",
        &testbed::Provider::nautes("").requirement(),
    )?;
    let moved = [
        "nautes_product.shop",
        "nautes_environment.first",
        "nautes_environment.second",
        "nautes_project.first",
        "nautes_project.second",
    ];
    let moved: Vec<String> = moved
        .iter()
        .map(|address| {
            format!("moved {{\n  from = {address}\n  to   = module.shop.{address}\n}}\n")
        })
        .collect();
    stage.write(&format!(
        "module \"shop\" {{\n  source = \"./shop\"\n}}\n{}",
        moved.concat()
    ))?;
    stage.workspace.run(["get"])?;
    let calls = apply_once(&stage, &[])?;
    calls.writes().assert_calls(exactly(0));
    assert_eq!(stage.workspace.addresses()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn what_is_created_before_it_is_destroyed_changes_name_and_cluster() -> Case {
    let lifecycle =
        "  lifecycle {\n    create_before_destroy = true\n  }\n}\n\nresource \"nautes_project\"";
    let body = SHOP.replacen("}\n\nresource \"nautes_project\"", lifecycle, 1);
    let stage = Stage::with(&body)?;
    stage.workspace.apply()?;
    let renamed = body.replace(r#"name     = "second""#, r#"name     = "later""#);
    stage.write(&renamed.replace("deployment-02", "deployment-03"))?;
    let calls = apply_once(&stage, &[])?;
    calls.writes().assert_calls(exactly(2));
    let repository = stage.clone(CONFIG)?;
    assert!(repository.join("envs/later.yaml").is_file());
    assert!(!repository.join("envs/second.yaml").exists());
    let calls = apply_once(&stage, &["-replace=nautes_environment.second"])?;
    calls.writes().assert_calls(exactly(0));
    assert!(stage.clone(CONFIG)?.join("envs/later.yaml").is_file());
    Ok(())
}

#[test]
fn a_reference_by_name_and_one_by_id_are_the_same_product() -> Case {
    let stage = stage()?;
    let by_name = SHOP.replace("nautes_product.shop.id", "nautes_product.shop.name");
    for body in [by_name.as_str(), SHOP] {
        stage.write(body)?;
        let plan = stage.workspace.plan()?;
        assert!(
            plan.changes.iter().all(|change| change.action == "update"),
            "{plan}"
        );
        let calls = apply_once(&stage, &[])?;
        calls.writes().assert_calls(exactly(0));
    }
    Ok(())
}
