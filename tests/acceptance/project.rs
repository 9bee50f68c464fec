//! Projects of a product.

use serde_json::json;
use testbed::{Budget, at_most, exactly};

use crate::test_env::{Case, TestEnv};

const PRODUCT: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}
"#;

const PROJECT: &str = r#"
resource "nautes_project" "checkout" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}
"#;

const ADDRESS: &str = "nautes_project.checkout";

const CONFIG: &str = "shop/default.project";

const MANIFEST: &str = "projects/checkout/checkout.yaml";

fn with_product(project: &str) -> String {
    format!("{PRODUCT}{project}")
}

/// The maximum number of calls of a plan and an apply that change one project: for each two for the product and one
/// for the branch head, then the listing, the changed files and the writes. GitLab permits a few archives per minute;
/// beyond that, files are read one by one.
const CALLS_PER_CHANGE: usize = 14;

/// Plans exactly one action on the project, applies it, and checks that the next plan is empty.
fn check_change(env: &TestEnv, action: &str, writes: Budget) -> Case {
    let step = || -> Case {
        let plan = env.workspace.plan()?;
        assert_eq!(plan.action(ADDRESS), Some(action), "{plan}");
        assert_eq!(plan.changes.len(), 1, "{plan}");
        env.workspace.apply_plan()?;
        Ok(())
    };
    let (changed, calls) = env.gitlab.calls_during(step)?;
    changed?;
    calls.writes().assert_calls(writes);
    calls.assert_calls(at_most(CALLS_PER_CHANGE));
    env.workspace.assert_empty_plan("after the change")?;
    Ok(())
}

#[test]
fn a_project_is_created_changed_replaced_repaired_and_destroyed_with_an_empty_plan_after_each_step()
-> Case {
    let env = TestEnv::new(PRODUCT)?;
    env.workspace.apply()?;
    env.write(&with_product(PROJECT))?;
    check_change(&env, "create", exactly(1))?;
    let manifest = env.read_file(CONFIG, MANIFEST)?;
    assert!(manifest.contains("language: rust\n"), "{manifest}");

    for (language, written) in [("\"go\"", "language: go\n"), ("null", "language: \"\"\n")] {
        env.write(&with_product(&PROJECT.replace("\"rust\"", language)))?;
        check_change(&env, "update", exactly(1))?;
        let manifest = env.read_file(CONFIG, MANIFEST)?;
        assert!(manifest.contains(written), "{manifest}");
    }
    env.write(&with_product(PROJECT))?;
    check_change(&env, "update", exactly(1))?;

    // Arguments for the provider alone are not written to the manifest.
    for argument in [
        "insecure_skip_check = true",
        "timeouts = { create = \"5m\", delete = \"5m\" }",
    ] {
        let arguments = format!("\"rust\"\n  {argument}\n");
        env.write(&with_product(&PROJECT.replace("\"rust\"\n", &arguments)))?;
        check_change(&env, "update", exactly(0))?;
    }
    env.write(&with_product(PROJECT))?;
    check_change(&env, "update", exactly(0))?;

    let renamed = PROJECT.replace("name     = \"checkout\"", "name     = \"payment\"");
    env.write(&with_product(&renamed))?;
    check_change(&env, "replace", at_most(2))?;
    let repository = env.clone(CONFIG)?;
    assert!(repository.join("projects/payment/payment.yaml").is_file());
    assert!(!repository.join(MANIFEST).exists());
    env.write(&with_product(PROJECT))?;
    check_change(&env, "replace", at_most(2))?;

    let manifest = env.read_file(CONFIG, MANIFEST)?;
    env.commit(
        CONFIG,
        &json!([{
            "action": "update",
            "file_path": MANIFEST,
            "content": manifest.replace("rust", "cobol"),
        }]),
    )?;
    check_change(&env, "update", exactly(1))?;
    assert_eq!(env.read_file(CONFIG, MANIFEST)?, manifest);

    let delete = json!([{ "action": "delete", "file_path": MANIFEST }]);
    env.commit(CONFIG, &delete)?;
    check_change(&env, "create", exactly(1))?;
    assert_eq!(env.read_file(CONFIG, MANIFEST)?, manifest);

    env.write(PRODUCT)?;
    check_change(&env, "delete", exactly(1))?;
    assert!(!env.clone(CONFIG)?.join(MANIFEST).exists());
    Ok(())
}

#[test]
fn a_project_is_imported_by_path_and_by_id_and_destroyed_after_its_manifest_was_deleted() -> Case {
    let env = TestEnv::new(&with_product(PROJECT))?;
    env.workspace.apply()?;
    let id = env.workspace.resource(ADDRESS)?["id"].clone();
    for id in ["shop/checkout", id.as_str().unwrap_or_default()] {
        env.workspace.run(["state", "rm", ADDRESS])?;
        let (imported, calls) = env
            .gitlab
            .calls_during(|| env.workspace.import(ADDRESS, id))?;
        imported?;
        calls.assert_calls(at_most(6));
        let (applied, calls) = env.gitlab.calls_during(|| env.workspace.apply_with(&[]))?;
        applied?;
        calls.writes().assert_calls(exactly(0));
        env.workspace.assert_empty_plan("after the import")?;
    }
    env.workspace.run(["state", "rm", ADDRESS])?;
    let text = env
        .workspace
        .failing_import(ADDRESS, "shop/payment")?
        .text();
    assert!(text.contains("shop/payment"), "{text}");
    env.workspace.import(ADDRESS, "shop/checkout")?;

    env.commit(
        CONFIG,
        &json!([{ "action": "delete", "file_path": MANIFEST }]),
    )?;
    // Without a refresh, the state still holds the project when the destroy begins.
    let arguments = ["-destroy", "-refresh=false", "-target", ADDRESS];
    env.workspace.apply_with(&arguments)?;
    let addresses = env.workspace.addresses()?;
    assert_eq!(addresses, ["nautes_product.shop"]);
    Ok(())
}
