//! Refactored configurations: one apply converges, and the next plan is empty.

use testbed::{Calls, at_most, exactly};

use crate::test_env::{Case, TestEnv};

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

fn applied_env() -> anyhow::Result<TestEnv> {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    Ok(env)
}

/// Swaps two pieces of text.
fn swap(body: &str, one: &str, other: &str) -> String {
    let placeholder = "placeholder";
    body.replace(one, placeholder)
        .replace(other, one)
        .replace(placeholder, other)
}

/// Applies once, returns the calls of it, and checks that the next plan is empty.
fn apply_once(env: &TestEnv, arguments: &[&str]) -> anyhow::Result<Calls> {
    let (applied, calls) = env
        .gitlab
        .calls_during(|| env.workspace.apply_with(arguments))?;
    applied?;
    env.workspace.assert_empty_plan("after apply")?;
    Ok(calls)
}

#[test]
fn two_environments_swap_their_clusters() -> Case {
    let env = applied_env()?;
    env.write(&swap(SHOP, r#""deployment-01""#, r#""deployment-02""#))?;
    let calls = apply_once(&env, &[])?;
    calls.writes().assert_calls(at_most(3));
    let first = env.read_file(CONFIG, "envs/first.yaml")?;
    assert!(first.contains("cluster: deployment-02\n"), "{first}");
    let second = env.read_file(CONFIG, "envs/second.yaml")?;
    assert!(second.contains("cluster: deployment-01\n"), "{second}");
    Ok(())
}

#[test]
fn two_projects_swap_their_names() -> Case {
    let env = applied_env()?;
    env.write(&swap(SHOP, r#""checkout""#, r#""catalog""#))?;
    let calls = apply_once(&env, &[])?;
    calls.writes().assert_calls(at_most(3));
    let catalog = env.read_file(CONFIG, "projects/catalog/catalog.yaml")?;
    assert!(catalog.contains("language: rust\n"), "{catalog}");
    let checkout = env.read_file(CONFIG, "projects/checkout/checkout.yaml")?;
    assert!(checkout.contains("language: go\n"), "{checkout}");
    Ok(())
}

#[test]
fn two_environments_swap_their_names_without_parallelism() -> Case {
    let env = applied_env()?;
    let (first, second) = (r#"name     = "first""#, r#"name     = "second""#);
    env.write(&swap(SHOP, first, second))?;
    let calls = apply_once(&env, &["-parallelism=1"])?;
    calls.writes().assert_calls(exactly(4));
    let first = env.read_file(CONFIG, "envs/first.yaml")?;
    assert!(first.contains("cluster: deployment-02\n"), "{first}");
    Ok(())
}

#[test]
fn a_renamed_environment_keeps_its_cluster() -> Case {
    let env = applied_env()?;
    env.write(&SHOP.replace(r#"name     = "first""#, r#"name     = "early""#))?;
    let calls = apply_once(&env, &[])?;
    calls.writes().assert_calls(at_most(2));
    let repository = env.clone(CONFIG)?;
    assert!(repository.join("envs/early.yaml").is_file());
    assert!(!repository.join("envs/first.yaml").exists());
    Ok(())
}

#[test]
fn a_renamed_product_keeps_its_contents() -> Case {
    let env = applied_env()?;
    env.write(&SHOP.replace(r#"name = "shop""#, r#"name = "store""#))?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action("nautes_product.shop"), Some("update"), "{plan}");
    assert_eq!(plan.changes.len(), 1, "{plan}");
    let calls = apply_once(&env, &[])?;
    calls.writes().assert_calls(exactly(1));
    let repository = env.clone("store/default.project")?;
    assert!(repository.join("envs/first.yaml").is_file());
    let product = env.workspace.resource("nautes_product.shop")?;
    assert_eq!(
        product["config_repository"]["path"],
        "store/default.project"
    );
    Ok(())
}

#[test]
fn an_environment_and_a_project_are_replaced() -> Case {
    let env = applied_env()?;
    for address in [FIRST_ENVIRONMENT, "nautes_project.first"] {
        let calls = apply_once(&env, &[&format!("-replace={address}")])?;
        calls.writes().assert_calls(exactly(2));
    }
    let repository = env.clone(CONFIG)?;
    assert!(repository.join("envs/first.yaml").is_file());
    assert!(repository.join("projects/checkout/checkout.yaml").is_file());
    Ok(())
}

#[test]
fn replacing_a_product_recreates_its_contents() -> Case {
    let env = applied_env()?;
    let before = env.workspace.resource("nautes_product.shop")?;
    let calls = apply_once(&env, &["-replace=nautes_product.shop"])?;
    // One commit that removes the entities, five calls for the product, and one commit that adds them again; a slow
    // machine may need more.
    calls.writes().assert_calls(at_most(9));
    let after = env.workspace.resource("nautes_product.shop")?;
    assert_ne!(before["id"], after["id"]);
    let repository = env.clone(CONFIG)?;
    assert!(repository.join("envs/second.yaml").is_file());
    env.workspace.destroy()?;
    env.check_products_marked_for_deletion(2, &["shop"])
}

#[test]
fn moving_resources_into_a_module_writes_nothing() -> Case {
    let env = applied_env()?;
    let module = env.workspace.path().join("shop");
    std::fs::create_dir(&module)?;
    env.workspace.write("shop/main.tf", SHOP)?;
    env.workspace.write(
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
    env.write(&format!(
        "module \"shop\" {{\n  source = \"./shop\"\n}}\n{}",
        moved.concat()
    ))?;
    env.workspace.run(["get"])?;
    let calls = apply_once(&env, &[])?;
    calls.writes().assert_calls(exactly(0));
    assert_eq!(env.workspace.addresses()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn an_environment_with_create_before_destroy_is_renamed_and_replaced() -> Case {
    let lifecycle =
        "  lifecycle {\n    create_before_destroy = true\n  }\n}\n\nresource \"nautes_project\"";
    let body = SHOP.replacen("}\n\nresource \"nautes_project\"", lifecycle, 1);
    let env = TestEnv::new(&body)?;
    env.workspace.apply()?;
    let renamed = body.replace(r#"name     = "second""#, r#"name     = "later""#);
    env.write(&renamed.replace("deployment-02", "deployment-03"))?;
    let calls = apply_once(&env, &[])?;
    calls.writes().assert_calls(exactly(2));
    let repository = env.clone(CONFIG)?;
    assert!(repository.join("envs/later.yaml").is_file());
    assert!(!repository.join("envs/second.yaml").exists());
    let calls = apply_once(&env, &["-replace=nautes_environment.second"])?;
    calls.writes().assert_calls(exactly(0));
    assert!(env.clone(CONFIG)?.join("envs/later.yaml").is_file());
    Ok(())
}

#[test]
fn switching_a_product_reference_between_id_and_name_writes_nothing() -> Case {
    let env = applied_env()?;
    let by_name = SHOP.replace("nautes_product.shop.id", "nautes_product.shop.name");
    for body in [by_name.as_str(), SHOP] {
        env.write(body)?;
        let plan = env.workspace.plan()?;
        assert!(
            plan.changes.iter().all(|change| change.action == "update"),
            "{plan}"
        );
        let calls = apply_once(&env, &[])?;
        calls.writes().assert_calls(exactly(0));
    }
    Ok(())
}
