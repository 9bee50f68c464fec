//! Products with environments and projects.

use std::fs;

use testbed::{Kustomize, at_most, exactly};

use crate::test_env::{Case, TestEnv};

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
    let env = TestEnv::new(SHOP)?;
    let (applied, calls) = env.gitlab.calls_during(|| env.workspace.apply_with(&[]))?;
    applied?;
    // The initial commit of the repository and one for the five manifests; a slow machine may need one more.
    calls
        .to_route("POST /projects/{id}/repository/commits")
        .assert_calls(at_most(3));
    calls.assert_calls(at_most(12));
    env.workspace.assert_empty_plan("after apply")?;

    let repository = env.clone("shop/default.project")?;
    for manifest in MANIFESTS {
        assert!(repository.join(manifest).is_file(), "{manifest} is missing");
    }

    env.workspace.destroy()?;
    assert_eq!(env.workspace.addresses()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn kustomize_finds_every_entity_in_the_configuration_repository() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    let repository = env.clone("shop/default.project")?;
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
fn a_refresh_reads_only_the_product_its_branch_and_one_listing_in_any_order() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    env.workspace.apply()?;
    // A resource that is no longer in the configuration is refreshed without waiting for its product.
    let orphans = SHOP.replace("checkout = \"rust\", ", "");
    for (body, parallelism) in [(SHOP, 1), (SHOP, 10), (&orphans, 1), (&orphans, 10)] {
        env.write(body)?;
        let parallelism = format!("-parallelism={parallelism}");
        let (plan, calls) = env
            .gitlab
            .calls_during(|| env.workspace.plan_with(&[&parallelism]))?;
        assert_eq!(plan?.is_empty(), body == SHOP);
        calls.writes().assert_calls(exactly(0));
        calls.to_route("GET /groups/{id}").assert_calls(exactly(1));
        calls
            .to_route("GET /projects/{id}")
            .assert_calls(exactly(1));
        // Besides them the head of the branch and its listing.
        calls.assert_calls(exactly(4));
    }
    Ok(())
}
