//! What a product is kept from: taking over what is not its own, and losing what it holds.

use serde_json::json;
use testbed::{Method, exactly};

use crate::harness::{Case, Stage};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}
"#;

const ADDRESS: &str = "nautes_product.shop";

fn with(arguments: &str) -> String {
    SHOP.replace(
        "name = \"shop\"",
        &format!("name = \"shop\"\n  {arguments}"),
    )
}

fn foreign_group(stage: &Stage) -> anyhow::Result<()> {
    let group = json!({ "name": "Somebody else", "path": "shop", "visibility": "private" });
    stage.gitlab.api(Method::POST, "/groups", Some(&group))?;
    Ok(())
}

fn repository_in(stage: &Stage) -> anyhow::Result<()> {
    let product = stage.workspace.resource(ADDRESS)?;
    let group = product.get("group_id");
    let project = json!({ "path": "work", "namespace_id": group, "initialize_with_readme": true });
    stage
        .gitlab
        .api(Method::POST, "/projects", Some(&project))?;
    Ok(())
}

#[test]
fn a_group_that_exists_is_not_taken_over_and_the_error_says_how_to_import_it() -> Case {
    let stage = Stage::with(SHOP)?;
    foreign_group(&stage)?;
    let (outcome, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.failing_apply())?;
    let text = outcome?.text();
    assert!(
        text.contains("terraform import") && text.contains("adopt_existing"),
        "{text}"
    );
    // The refused creation of the group is the only write.
    calls.writes().assert_calls(exactly(1));
    Ok(())
}

#[test]
fn a_group_that_exists_is_adopted_on_request() -> Case {
    let stage = Stage::with(&with("adopt_existing = true"))?;
    foreign_group(&stage)?;
    stage.workspace.apply()?;
    let product = stage.workspace.resource(ADDRESS)?;
    assert_eq!(
        product["display_name"], "Somebody else",
        "what is not set stays"
    );
    assert!(product["config_repository"]["project_id"].is_number());
    Ok(())
}

#[test]
fn a_product_with_a_foreign_repository_is_not_destroyed_and_the_plan_says_so() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    repository_in(&stage)?;
    let (outcome, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.failing_destroy())?;
    let text = outcome?.text();
    assert!(
        text.contains("shop/work") && text.contains("force_destroy"),
        "{text}"
    );
    calls.writes().assert_calls(exactly(0));
    stage.write(&with("force_destroy = true"))?;
    stage.workspace.apply()?;
    stage.workspace.destroy()?;
    assert_eq!(stage.workspace.addresses()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_product_with_foreign_manifests_is_not_destroyed() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    let id = stage.workspace.resource(ADDRESS)?["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let manifest = format!(
        "apiVersion: nautes.resource.nautes.io/v1alpha1\nkind: Project\nmetadata:\n  name: other\nspec:\n  language: go\n  product: {id}\n"
    );
    stage.commit(
        "shop/default.project",
        &json!([{ "action": "create", "file_path": "projects/other/other.yaml", "content": manifest }]),
    )?;
    let text = stage.workspace.failing_destroy()?.text();
    assert!(
        text.contains("other") && text.contains("force_destroy"),
        "{text}"
    );
    stage.gitlab.api(Method::GET, "/groups/shop", None)?;
    Ok(())
}

#[test]
fn a_configuration_repository_that_was_removed_from_outside_is_made_again_by_an_update() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    stage
        .gitlab
        .api(Method::DELETE, "/projects/shop%2Fdefault.project", None)?;
    stage.gitlab.settle()?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("update"), "{plan}");
    stage.workspace.apply()?;
    stage.workspace.assert_empty_plan("after the repair")?;
    let repository = stage.clone("shop/default.project")?;
    assert!(repository.join("production/kustomization.yaml").is_file());
    Ok(())
}

#[test]
fn the_entities_of_a_configuration_repository_that_was_removed_are_written_again() -> Case {
    let entity = r#"
resource "nautes_project" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}
"#;
    let stage = Stage::with(&format!("{SHOP}{entity}"))?;
    stage.workspace.apply()?;
    stage
        .gitlab
        .api(Method::DELETE, "/projects/shop%2Fdefault.project", None)?;
    stage.gitlab.settle()?;
    let plan = stage.workspace.plan()?;
    assert_eq!(
        plan.action("nautes_project.checkout"),
        Some("create"),
        "{plan}"
    );
    stage.workspace.apply()?;
    stage.workspace.assert_empty_plan("after the repair")?;
    let repository = stage.clone("shop/default.project")?;
    assert!(repository.join("projects/checkout/checkout.yaml").is_file());
    Ok(())
}

#[test]
fn a_repository_in_a_subgroup_guards_the_product_too() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    let product = stage.workspace.resource(ADDRESS)?;
    let group = json!({ "name": "sub", "path": "sub", "parent_id": product.get("group_id") });
    let group = stage.gitlab.api(Method::POST, "/groups", Some(&group))?;
    let project = json!({ "path": "deep", "namespace_id": group.get("id") });
    stage
        .gitlab
        .api(Method::POST, "/projects", Some(&project))?;
    let text = stage.workspace.failing_destroy()?.text();
    assert!(text.contains("shop/sub/deep"), "{text}");
    Ok(())
}

#[test]
fn a_destroyed_product_leaves_its_path_for_the_next_one() -> Case {
    let stage = Stage::with(SHOP)?;
    for _ in 0..2 {
        stage.workspace.apply()?;
        stage.workspace.assert_empty_plan("after apply")?;
        stage.workspace.destroy()?;
    }
    Ok(())
}

#[test]
fn a_product_that_is_gone_already_is_destroyed_and_a_marked_one_counts_as_gone() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    stage.gitlab.api(Method::DELETE, "/groups/shop", None)?;
    stage.gitlab.settle()?;
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("create"), "{plan}");
    stage.workspace.destroy()?;
    assert_eq!(stage.workspace.addresses()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn every_attribute_is_changed_in_place() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    let before = stage.workspace.resource(ADDRESS)?;
    for arguments in [
        "display_name = \"Web shop\"",
        "description = \"Everything that sells\"",
        "visibility = \"internal\"",
    ] {
        stage.write(&with(arguments))?;
        let plan = stage.workspace.plan()?;
        assert_eq!(plan.action(ADDRESS), Some("update"), "{arguments}: {plan}");
        stage.workspace.apply_plan()?;
        stage.workspace.assert_empty_plan("after the change")?;
        assert_eq!(stage.workspace.resource(ADDRESS)?["id"], before["id"]);
    }
    stage.write(&SHOP.replace("name = \"shop\"", "name = \"store\""))?;
    stage.workspace.apply()?;
    let renamed = stage.workspace.resource(ADDRESS)?;
    assert_eq!(
        (&renamed["id"], &renamed["full_path"]),
        (&before["id"], &json!("store"))
    );
    stage.workspace.assert_empty_plan("after the rename")?;
    Ok(())
}

#[test]
fn a_name_that_reads_as_an_id_is_refused_at_plan_on_its_attribute() -> Case {
    let stage = Stage::with(&SHOP.replace("\"shop\"\n}", "\"product-12\"\n}"))?;
    let outcome = stage.workspace.failing_plan()?;
    let text = outcome.text();
    assert!(
        text.contains("product-12") && text.contains("255"),
        "{text}"
    );
    Ok(())
}
