//! Data sources: single objects by name and by id, lists with filters, and missing objects.

use serde_json::json;
use testbed::{at_most, exactly};

use crate::test_env::{Case, TestEnv};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name         = "shop"
  display_name = "Web shop"
}

resource "nautes_product" "store" {
  name = "store"
}

resource "nautes_environment" "this" {
  for_each = { build = "pipeline-01", staging = "deployment-01" }

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

/// References by name, so that no data source depends on a resource.
const DATA: &str = r#"
data "nautes_product" "by_name" {
  name = "shop"
}

data "nautes_product" "by_id" {
  id = data.nautes_product.by_name.id
}

data "nautes_environment" "by_name" {
  product = "shop"
  name    = "build"
}

data "nautes_environment" "by_id" {
  id = data.nautes_environment.by_name.id
}

data "nautes_project" "by_name" {
  product = data.nautes_product.by_id.id
  name    = "checkout"
}

data "nautes_project" "by_id" {
  id = data.nautes_project.by_name.id
}

data "nautes_products" "all" {
}

data "nautes_products" "matching" {
  name_regex = "^sh"
}

data "nautes_environments" "all" {
  product = "shop"
}

data "nautes_environments" "matching" {
  product    = "shop"
  name_regex = "ing$"
}

data "nautes_environments" "none" {
  product = "store"
}

data "nautes_projects" "all" {
  product = data.nautes_product.by_id.id
}

data "nautes_projects" "matching" {
  product    = "shop"
  name_regex = "check|nothing"
}

output "found" {
  value = {
    products     = [data.nautes_product.by_name.display_name, data.nautes_product.by_id.name]
    environments = [data.nautes_environment.by_name.cluster, data.nautes_environment.by_id.env_type]
    projects     = [data.nautes_project.by_name.language, data.nautes_project.by_id.name]
    lists = [
      data.nautes_products.all.products[*].name,
      data.nautes_products.matching.products[*].name,
      data.nautes_environments.all.environments[*].name,
      data.nautes_environments.matching.environments[*].cluster,
      data.nautes_environments.none.environments[*].name,
      data.nautes_projects.all.projects[*].language,
      data.nautes_projects.matching.projects[*].name,
    ]
  }
}
"#;

const ABSENT: &str = r#"
data "nautes_product" "by_name" {
  name = "shoe"
}

data "nautes_product" "by_id" {
  id = "product-4711"
}

data "nautes_environment" "by_name" {
  product = "shop"
  name    = "producton"
}

data "nautes_environment" "of_no_product" {
  product = "product-4712"
  name    = "build"
}

data "nautes_project" "by_id" {
  id = "${nautes_product.shop.id}/chekcout"
}

data "nautes_projects" "of_no_product" {
  product = "shoes"
}
"#;

/// A provider configuration that refers to an object to create is unknown at plan.
const UNKNOWN_CONFIGURATION: &str = r#"
provider "nautes" {
  alias  = "later"
  gitlab = { url = nautes_product.store.web_url }
}

data "nautes_product" "later" {
  provider = nautes.later
  name     = "shop"
}
"#;

#[test]
fn objects_are_found_by_name_by_id_and_in_lists() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    env.write(&format!("{SHOP}{DATA}"))?;
    let (applied, calls) = env.gitlab.calls_during(|| env.workspace.apply_with(&[]))?;
    applied?;
    calls.writes().assert_calls(exactly(0));
    let found = json!({ "found": {
        "products": ["Web shop", "shop"],
        "environments": ["pipeline-01", "build"],
        "projects": ["rust", "checkout"],
        "lists": [
            ["shop", "store"],
            ["shop"],
            ["build", "staging"],
            ["deployment-01"],
            [],
            ["go", "rust"],
            ["checkout"],
        ],
    } });
    assert_eq!(env.workspace.outputs()?, found);

    let (plan, calls) = env.gitlab.calls_during(|| env.workspace.plan())?;
    assert!(plan?.is_empty());
    // Two for each product and each form of its reference, two listings of products, and for each repository the head,
    // the listing and the archive.
    calls.assert_calls(at_most(16));
    Ok(())
}

#[test]
fn a_missing_object_is_an_error_that_names_it() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    env.write(&format!("{SHOP}{ABSENT}"))?;
    let outcome = env.workspace.failing_plan()?;
    let named = [
        ("data.nautes_product.by_name", "shoe"),
        ("data.nautes_product.by_id", "product-4711"),
        ("data.nautes_environment.by_name", "producton"),
        ("data.nautes_environment.of_no_product", "product-4712"),
        ("data.nautes_project.by_id", "chekcout"),
        ("data.nautes_projects.of_no_product", "shoes"),
    ];
    for (address, name) in named {
        let error = outcome
            .errors()
            .find(|error| error.address.as_deref() == Some(address));
        let error = error.map(ToString::to_string).unwrap_or_default();
        assert!(error.contains(name), "{address}: {error}");
    }
    assert_eq!(outcome.errors().count(), named.len(), "{}", outcome.text());
    Ok(())
}

#[test]
fn conflicting_or_missing_arguments_and_an_invalid_filter_are_refused_without_a_call() -> Case {
    let env = TestEnv::new(
        r#"
data "nautes_product" "both" {
  id   = "product-1"
  name = "shop"
}

data "nautes_environment" "half" {
  product = "shop"
}

data "nautes_projects" "broken" {
  product    = "shop"
  name_regex = "("
}
"#,
    )?;
    let (outcome, calls) = env
        .gitlab
        .calls_during(|| env.workspace.failing_validate())?;
    calls.assert_calls(exactly(0));
    assert_eq!(outcome?.errors().count(), 3);
    Ok(())
}

#[test]
fn a_data_source_fails_while_the_provider_configuration_is_unknown() -> Case {
    let env = TestEnv::new(&format!("{SHOP}{UNKNOWN_CONFIGURATION}"))?;
    let (outcome, calls) = env.gitlab.calls_during(|| env.workspace.failing_plan())?;
    let text = outcome?.text();
    assert!(
        text.contains("nautes_product") && text.contains("not known yet"),
        "{text}"
    );
    // The plan looks for the two groups that are to be created; the data source asks for nothing.
    calls.assert_calls(exactly(2));
    let look_ups = calls.to_route("GET /groups/{id}");
    look_ups.assert_calls(exactly(2));
    Ok(())
}
