//! A product neither adopts an existing group by accident nor loses its contents.

use serde_json::json;
use testbed::{Method, exactly};

use crate::test_env::{Case, TestEnv};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}
"#;

const ADDRESS: &str = "nautes_product.shop";

fn shop_with(arguments: &str) -> String {
    SHOP.replace(
        "name = \"shop\"",
        &format!("name = \"shop\"\n  {arguments}"),
    )
}

fn create_group(env: &TestEnv) -> anyhow::Result<()> {
    let group = json!({ "name": "Somebody else", "path": "shop", "visibility": "private" });
    env.gitlab.api(Method::POST, "/groups", Some(&group))?;
    Ok(())
}

fn create_repository(env: &TestEnv) -> anyhow::Result<()> {
    let product = env.workspace.resource(ADDRESS)?;
    let group = product.get("group_id");
    let project = json!({ "path": "work", "namespace_id": group, "initialize_with_readme": true });
    env.gitlab.api(Method::POST, "/projects", Some(&project))?;
    Ok(())
}

#[test]
fn an_existing_group_is_not_adopted_and_the_error_explains_how_to_import_it() -> Case {
    let env = TestEnv::new(SHOP)?;
    create_group(&env)?;
    let (outcome, calls) = env.gitlab.calls_during(|| env.workspace.failing_apply())?;
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
fn an_existing_group_is_adopted_on_request() -> Case {
    let env = TestEnv::new(&shop_with("adopt_existing = true"))?;
    create_group(&env)?;
    env.workspace.apply()?;
    let product = env.workspace.resource(ADDRESS)?;
    assert_eq!(
        product["display_name"], "Somebody else",
        "an argument that is not set keeps its value"
    );
    assert!(product["config_repository"]["project_id"].is_number());
    Ok(())
}

#[test]
fn a_destroy_is_refused_while_a_product_holds_an_unmanaged_repository() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    create_repository(&env)?;
    let (outcome, calls) = env
        .gitlab
        .calls_during(|| env.workspace.failing_destroy())?;
    let text = outcome?.text();
    assert!(
        text.contains("shop/work") && text.contains("force_destroy"),
        "{text}"
    );
    calls.writes().assert_calls(exactly(0));
    env.write(&shop_with("force_destroy = true"))?;
    env.workspace.apply()?;
    env.workspace.destroy()?;
    assert_eq!(env.workspace.addresses()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_destroy_is_refused_while_a_product_holds_an_unmanaged_manifest() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    let id = env.workspace.resource(ADDRESS)?["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let manifest = format!(
        "apiVersion: nautes.resource.nautes.io/v1alpha1\nkind: Project\nmetadata:\n  name: other\nspec:\n  language: go\n  product: {id}\n"
    );
    env.commit(
        "shop/default.project",
        &json!([{ "action": "create", "file_path": "projects/other/other.yaml", "content": manifest }]),
    )?;
    let text = env.workspace.failing_destroy()?.text();
    assert!(
        text.contains("other") && text.contains("force_destroy"),
        "{text}"
    );
    env.gitlab.api(Method::GET, "/groups/shop", None)?;
    Ok(())
}

#[test]
fn an_update_recreates_a_configuration_repository_deleted_outside_terraform() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    env.gitlab
        .api(Method::DELETE, "/projects/shop%2Fdefault.project", None)?;
    env.gitlab.wait_until_idle()?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("update"), "{plan}");
    env.workspace.apply()?;
    env.workspace.assert_empty_plan("after the repair")?;
    let repository = env.clone("shop/default.project")?;
    assert!(repository.join("production/kustomization.yaml").is_file());
    Ok(())
}

#[test]
fn the_entities_of_a_deleted_configuration_repository_are_recreated() -> Case {
    let entity = r#"
resource "nautes_project" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}
"#;
    let env = TestEnv::new(&format!("{SHOP}{entity}"))?;
    env.workspace.apply()?;
    env.gitlab
        .api(Method::DELETE, "/projects/shop%2Fdefault.project", None)?;
    env.gitlab.wait_until_idle()?;
    let plan = env.workspace.plan()?;
    assert_eq!(
        plan.action("nautes_project.checkout"),
        Some("create"),
        "{plan}"
    );
    env.workspace.apply()?;
    env.workspace.assert_empty_plan("after the repair")?;
    let repository = env.clone("shop/default.project")?;
    assert!(repository.join("projects/checkout/checkout.yaml").is_file());
    Ok(())
}

#[test]
fn a_destroy_is_refused_while_a_subgroup_holds_a_repository() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    let product = env.workspace.resource(ADDRESS)?;
    let group = json!({ "name": "sub", "path": "sub", "parent_id": product.get("group_id") });
    let group = env.gitlab.api(Method::POST, "/groups", Some(&group))?;
    let project = json!({ "path": "deep", "namespace_id": group.get("id") });
    env.gitlab.api(Method::POST, "/projects", Some(&project))?;
    let text = env.workspace.failing_destroy()?.text();
    assert!(text.contains("shop/sub/deep"), "{text}");
    Ok(())
}

#[test]
fn a_destroyed_product_frees_its_path_for_the_next_one() -> Case {
    let env = TestEnv::new(SHOP)?;
    for _ in 0..2 {
        env.workspace.apply()?;
        env.workspace.assert_empty_plan("after apply")?;
        env.workspace.destroy()?;
    }
    Ok(())
}

#[test]
fn a_product_marked_for_deletion_counts_as_deleted() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    env.gitlab.api(Method::DELETE, "/groups/shop", None)?;
    env.gitlab.wait_until_idle()?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(ADDRESS), Some("create"), "{plan}");
    env.workspace.destroy()?;
    assert_eq!(env.workspace.addresses()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn every_attribute_is_changed_in_place() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    let before = env.workspace.resource(ADDRESS)?;
    for arguments in [
        "display_name = \"Web shop\"",
        "description = \"Everything that sells\"",
        "visibility = \"internal\"",
    ] {
        env.write(&shop_with(arguments))?;
        let plan = env.workspace.plan()?;
        assert_eq!(plan.action(ADDRESS), Some("update"), "{arguments}: {plan}");
        env.workspace.apply_plan()?;
        env.workspace.assert_empty_plan("after the change")?;
        assert_eq!(env.workspace.resource(ADDRESS)?["id"], before["id"]);
    }
    env.write(&SHOP.replace("name = \"shop\"", "name = \"store\""))?;
    env.workspace.apply()?;
    let renamed = env.workspace.resource(ADDRESS)?;
    assert_eq!(
        (&renamed["id"], &renamed["full_path"]),
        (&before["id"], &json!("store"))
    );
    env.workspace.assert_empty_plan("after the rename")?;
    Ok(())
}

#[test]
fn a_name_that_looks_like_an_id_is_refused_at_plan() -> Case {
    let env = TestEnv::new(&SHOP.replace("\"shop\"\n}", "\"product-12\"\n}"))?;
    let outcome = env.workspace.failing_plan()?;
    let text = outcome.text();
    assert!(
        text.contains("product-12") && text.contains("255"),
        "{text}"
    );
    Ok(())
}
