//! Data sources: one object by name or by id, lists with filters, and what does not exist.

use serde_json::json;
use testbed::{at_most, exactly};

use crate::harness::{Case, Stage};

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

/// References by name, so that nothing waits for the resources.
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

/// What is configured by something that does not exist yet is not known at plan.
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
fn everything_is_found_by_name_by_id_and_in_lists() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    stage.write(&format!("{SHOP}{DATA}"))?;
    let (applied, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.apply_with(&[]))?;
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
    assert_eq!(stage.workspace.outputs()?, found);

    let (plan, calls) = stage.gitlab.calls_during(|| stage.workspace.plan())?;
    assert!(plan?.is_empty());
    // Two for each product and each of the forms in which it is named, two lists of products, and for each repository
    // the head, the listing, the kustomization and the archive.
    calls.assert_calls(at_most(18));
    Ok(())
}

#[test]
fn what_does_not_exist_is_an_error_that_names_it() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    stage.write(&format!("{SHOP}{ABSENT}"))?;
    let outcome = stage.workspace.failing_plan()?;
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
fn arguments_that_exclude_each_other_and_a_broken_filter_are_refused_without_a_call() -> Case {
    let stage = Stage::with(
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
    let (outcome, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.failing_validate())?;
    calls.assert_calls(exactly(0));
    assert_eq!(outcome?.errors().count(), 3);
    Ok(())
}

#[test]
fn an_unknown_provider_configuration_is_an_error_of_a_data_source() -> Case {
    let stage = Stage::with(&format!("{SHOP}{UNKNOWN_CONFIGURATION}"))?;
    let (outcome, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.failing_plan())?;
    let text = outcome?.text();
    assert!(
        text.contains("nautes_product") && text.contains("not known yet"),
        "{text}"
    );
    calls.assert_calls(exactly(0));
    Ok(())
}
