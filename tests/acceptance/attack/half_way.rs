//! Access that is lost half-way, or that has not arrived yet.

use std::time::Duration;

use serde_json::json;
use testbed::Method;

use super::repo_number;
use crate::safety::{REPO, SMALL};
use crate::test_env::{Case, TestEnv};

/// GitLab's role Owner.
const OWNER: u64 = 50;

/// From now on GitLab hides what the path leads to, as when the token's owner loses the membership.
fn hide(env: &TestEnv, method: &str, path: &str) -> anyhow::Result<()> {
    let fault = json!({
        "method": method, "path": path, "failure": { "respond": { "status": 404 } },
    });
    Ok(env.gitlab.inject_fault(&fault)?)
}

#[test]
fn a_project_that_is_hidden_when_it_is_to_be_deleted_keeps_its_secrets() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let token = env.token_of_new_user("owner", Some(("/groups/shop", OWNER)))?;
    env.use_token(&token);
    let vault = env.vault()?.inventory()?;
    let number = repo_number(&env)?;
    hide(&env, "DELETE", &format!("/projects/{number}$"))?;
    // The member is removed at the same moment, so that nothing proves that the project is gone.
    hide(&env, "GET", "/members/all/")?;
    let target = format!("-target={REPO}");
    env.refused(&["destroy", &target, "-auto-approve", "-no-color"])?;
    env.gitlab.clear_faults()?;
    let project = env.gitlab.api(Method::GET, "/projects/shop%2Fa", None)?;
    assert!(project["marked_for_deletion_on"].is_null());
    assert_eq!(env.vault()?.inventory()?, vault);
    assert!(env.workspace.addresses()?.contains(&REPO.to_owned()));
    Ok(())
}

#[test]
fn a_group_that_is_hidden_when_it_is_to_be_deleted_keeps_the_secrets_of_its_repositories() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let token = env.token_of_new_user("owner", Some(("/groups/shop", OWNER)))?;
    env.use_token(&token);
    env.workspace.run(["state", "rm", REPO])?.success()?;
    let vault = env.vault()?.inventory()?;
    let group = env.workspace.resource(crate::safety::PRODUCT)?["group_id"].clone();
    hide(&env, "DELETE", &format!("/groups/{group}$"))?;
    let text = env.refused(&["destroy", "-auto-approve", "-no-color"])?;
    env.gitlab.clear_faults()?;
    assert!(env.gitlab.api(Method::GET, "/groups/shop", None)?["marked_for_deletion_on"].is_null());
    assert_eq!(env.vault()?.inventory()?, vault, "{text}");
    Ok(())
}

#[test]
fn a_membership_whose_projects_are_not_shown_yet_proves_no_project_gone() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.living()?;
    // GitLab counts a new member of a group at once, and shows the projects to it later.
    env.gitlab.advance_clock(Duration::from_secs(60))?;
    let switch = json!({ "authorization_delay": 600_000 });
    env.gitlab.update_switches(&switch)?;
    let token = env.token_of_new_user("new", Some(("/groups/shop", OWNER)))?;
    env.use_token(&token);
    env.workspace
        .run(["apply", "-refresh-only", "-auto-approve", "-no-color"])?;
    assert_eq!(env.workspace.addresses()?.len(), 3);
    env.workspace
        .run(["destroy", "-auto-approve", "-no-color"])?;
    env.gitlab
        .update_switches(&json!({ "authorization_delay": 0 }))?;
    assert_eq!(env.living()?, before);
    Ok(())
}
