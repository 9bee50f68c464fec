//! A product, alone and with environments and projects.

use std::fs;

use testbed::{Kustomize, at_most, exactly};

use crate::harness::{Case, Stage};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "this" {
  for_each = { build = "pipeline-01", staging = "deployment-01", production = "deployment-02" }

  product  = nautes_product.shop.id
  name     = each.key
  cluster  = each.value
  env_type = each.key
}

resource "nautes_project" "this" {
  for_each = { checkout = "rust", catalog = "go" }

  product  = nautes_product.shop.id
  name     = each.key
  language = each.value
}
"#;

const MANIFESTS: [&str; 5] = [
    "envs/build.yaml",
    "envs/production.yaml",
    "envs/staging.yaml",
    "projects/catalog/catalog.yaml",
    "projects/checkout/checkout.yaml",
];

#[test]
fn a_product_with_environments_and_projects_is_created_and_destroyed() -> Case {
    let stage = Stage::with(SHOP)?;
    let (applied, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.apply_with(&[]))?;
    applied?;
    // The first commit of the repository, and the five manifests; a slow machine may need one more.
    calls
        .of("POST /projects/{id}/repository/commits")
        .assert_calls(at_most(3));
    calls.assert_calls(at_most(12));
    stage.workspace.assert_empty_plan("after apply")?;

    let repository = stage.clone("shop/default.project")?;
    for manifest in MANIFESTS {
        assert!(repository.join(manifest).is_file(), "{manifest} is missing");
    }

    stage.workspace.destroy()?;
    assert_eq!(stage.workspace.addresses()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn kustomize_finds_every_entity_in_the_configuration_repository() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    let repository = stage.clone("shop/default.project")?;
    let built = Kustomize::obtain()?.build(&repository.join("production"))?;
    let kinds = |kind: &str| built.matches(&format!("\nkind: {kind}\n")).count();
    assert_eq!((kinds("Environment"), kinds("Project")), (3, 2), "{built}");
    let listed = fs::read_to_string(repository.join("production/kustomization.yaml"))?;
    for manifest in MANIFESTS {
        assert!(listed.contains(manifest), "{manifest} is not in:\n{listed}");
    }
    Ok(())
}

#[test]
fn a_refresh_asks_only_for_the_product_and_the_head_in_whatever_order() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    stage.workspace.apply()?;
    // What the configuration does not hold any more is refreshed without waiting for its product.
    let orphans = SHOP.replace("checkout = \"rust\", ", "");
    for (body, parallelism) in [(SHOP, 1), (SHOP, 10), (&orphans, 1), (&orphans, 10)] {
        stage.write(body)?;
        let parallelism = format!("-parallelism={parallelism}");
        let (plan, calls) = stage
            .gitlab
            .calls_during(|| stage.workspace.plan_with(&[&parallelism]))?;
        assert_eq!(plan?.is_empty(), body == SHOP);
        calls.writes().assert_calls(exactly(0));
        calls.of("GET /groups/{id}").assert_calls(exactly(1));
        calls.of("GET /projects/{id}").assert_calls(exactly(1));
        calls.assert_calls(exactly(3));
    }
    Ok(())
}
