//! Work of people that guards what holds it.

use serde_json::json;
use testbed::Method;

use super::guarded;
use crate::safety::{PRODUCT, SMALL};
use crate::test_env::{Case, TestEnv};

fn is_alive(env: &TestEnv, path: &str) -> anyhow::Result<bool> {
    let found = env.gitlab.api(Method::GET, path, None)?;
    Ok(found["marked_for_deletion_on"].is_null())
}

#[test]
fn a_repository_whose_only_commit_is_work_is_not_destroyed() -> Case {
    let body = guarded().replace(
        "access_token = {}",
        "access_token = {}\n  initialize_with_readme = false",
    );
    let env = TestEnv::with_vault(&body)?;
    env.workspace.apply_with(&[])?;
    let work = json!([{ "action": "create", "file_path": "main.rs", "content": "fn main() {}" }]);
    env.commit("shop/a", &work)?;
    let before = env.living()?;
    let text = env.refused(&["destroy", "-auto-approve", "-no-color"])?;
    assert!(text.contains("force_destroy"), "{text}");
    assert_eq!(env.living()?, before);
    Ok(())
}

#[test]
fn an_unfinished_repository_with_work_guards_its_product() -> Case {
    let env = TestEnv::with_vault(&guarded())?;
    // People push before the last step of the creation has succeeded.
    let fault = json!({ "path": "/access_tokens$", "failure": { "respond": { "status": 403 } } });
    env.gitlab.inject_fault(&fault)?;
    env.workspace.failing_apply()?;
    env.gitlab.clear_faults()?;
    let work = json!([{ "action": "create", "file_path": "main.rs", "content": "fn main() {}" }]);
    env.commit("shop/a", &work)?;
    let text = env.refused(&["destroy", "-auto-approve", "-no-color"])?;
    assert!(text.contains("force_destroy"), "{text}");
    assert!(is_alive(&env, "/groups/shop")?);
    Ok(())
}

#[test]
fn an_abandoned_product_keeps_a_configuration_repository_with_files_of_people() -> Case {
    let body = SMALL.replace("force_destroy = true", "deletion_policy = \"abandon\"");
    let env = TestEnv::with_vault(&body)?;
    env.workspace.apply_with(&[])?;
    let config = env.workspace.resource(PRODUCT)?["config_repository"]["project_id"].clone();
    let notes = json!([{ "action": "create", "file_path": "docs/notes.md", "content": "Notes" }]);
    env.commit("shop/default.project", &notes)?;
    env.workspace
        .run(["destroy", "-auto-approve", "-no-color"])?;
    assert!(is_alive(&env, &format!("/projects/{config}"))?);
    Ok(())
}

#[test]
fn files_of_people_in_the_configuration_repository_guard_its_product() -> Case {
    let env = TestEnv::with_vault(&guarded())?;
    env.workspace.apply_with(&[])?;
    let config = env.workspace.resource(PRODUCT)?["config_repository"]["project_id"].clone();
    let notes = json!([{ "action": "create", "file_path": "docs/notes.md", "content": "Notes" }]);
    env.commit("shop/default.project", &notes)?;
    let text = env.refused(&["destroy", "-auto-approve", "-no-color"])?;
    assert!(text.contains("docs/notes.md"), "{text}");
    assert!(is_alive(&env, &format!("/projects/{config}"))?);
    Ok(())
}
