//! Plans that are applied after the world has changed, and plans whose parts contradict each other.

use serde_json::json;
use testbed::{Method, OpenBao, OpenBaoProgram};

use super::{repo_number, repo_with};
use crate::safety::SMALL;
use crate::test_env::{Case, TestEnv};

#[test]
fn a_project_that_was_restored_after_the_plan_is_not_destroyed() -> Case {
    let env = TestEnv::with_vault(&repo_with("force_destroy = true"))?;
    env.workspace.apply_with(&[])?;
    let work = json!([{ "action": "create", "file_path": "main.rs", "content": "fn main() {}" }]);
    env.commit("shop/a", &work)?;
    let before = env.living()?;
    let path = format!("/projects/{}", repo_number(&env)?);
    env.gitlab.api(Method::DELETE, &path, None)?;
    env.workspace.plan()?;
    env.gitlab
        .api(Method::POST, &format!("{path}/restore"), None)?;
    let text = env.apply_saved_plan()?;
    assert_eq!(env.living()?, before, "{text}");
    Ok(())
}

#[test]
fn a_group_that_was_restored_after_the_plan_is_not_destroyed() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.living()?;
    let group = env.workspace.resource(crate::safety::PRODUCT)?["group_id"].clone();
    let path = format!("/groups/{group}");
    env.gitlab.api(Method::DELETE, &path, None)?;
    env.workspace.plan()?;
    env.gitlab
        .api(Method::POST, &format!("{path}/restore"), None)?;
    let text = env.apply_saved_plan()?;
    assert_eq!(env.living()?, before, "{text}");
    Ok(())
}

#[test]
fn a_policy_that_keeps_the_repository_is_not_ignored_by_a_replacement_in_the_same_plan() -> Case {
    let store = "\nresource \"nautes_product\" \"store\" {\n  name = \"store\"\n}\n";
    let env = TestEnv::with_vault(&format!("{SMALL}{store}"))?;
    env.workspace.apply_with(&[])?;
    let path = format!("/projects/{}", repo_number(&env)?);
    let body = repo_with("deletion_policy = \"abandon\"");
    let (rest, repo) = body
        .split_once("resource \"nautes_code_repo\"")
        .unwrap_or_default();
    let repo = repo.replace("nautes_product.p.id", "nautes_product.store.id");
    env.write(&format!("{rest}resource \"nautes_code_repo\"{repo}{store}"))?;
    env.workspace.run(["apply", "-auto-approve", "-no-color"])?;
    let project = env.gitlab.api(Method::GET, &path, None)?;
    assert!(project["marked_for_deletion_on"].is_null(), "{project}");
    Ok(())
}

#[test]
fn a_project_of_people_that_appears_after_the_plan_stops_the_destroy_of_its_product() -> Case {
    let env = TestEnv::with_vault(&super::guarded())?;
    env.workspace.apply_with(&[])?;
    env.workspace.plan_with(&["-destroy"])?;
    let group = env.workspace.resource(crate::safety::PRODUCT)?["group_id"].clone();
    let notes = env.project_by_hand(&group, "notes")?;
    env.apply_saved_plan()?;
    let notes = env
        .gitlab
        .api(Method::GET, &format!("/projects/{notes}"), None)?;
    assert!(notes["marked_for_deletion_on"].is_null());
    let shop = env.gitlab.api(Method::GET, "/groups/shop", None)?;
    assert!(shop["marked_for_deletion_on"].is_null());
    Ok(())
}

#[test]
fn a_plan_that_shows_a_display_name_replaces_no_keys_because_of_another_vault() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    env.write(&repo_with("display_name = \"The a\""))?;
    env.workspace.plan()?;
    let keys = env
        .gitlab
        .api(Method::GET, "/projects/shop%2Fa/deploy_keys", None)?;
    let folder = tempfile::tempdir()?;
    let empty = OpenBao::start(OpenBaoProgram::obtain()?, folder.path())?;
    empty.enable_kv("git")?;
    env.workspace.set_env("NAUTES_VAULT_ADDRESS", empty.url());
    env.workspace
        .set_env("NAUTES_VAULT_TOKEN", empty.root_token());
    let text = env.apply_saved_plan()?;
    let after = env
        .gitlab
        .api(Method::GET, "/projects/shop%2Fa/deploy_keys", None)?;
    assert_eq!(after, keys, "{text}");
    Ok(())
}
