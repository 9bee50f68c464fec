//! Groups and projects that people have moved or renamed.

use serde_json::{Value, json};
use testbed::Method;

use super::repo_number;
use crate::safety::{PRODUCT, REPO, SMALL};
use crate::test_env::{Case, TestEnv};

/// GitLab's role Owner.
const OWNER: u64 = 50;

fn transfer(env: &TestEnv, to: &str) -> anyhow::Result<()> {
    let path = format!("/projects/{}/transfer", repo_number(env)?);
    let to = json!({ "namespace": to });
    env.gitlab.api(Method::PUT, &path, Some(&to))?;
    Ok(())
}

/// What people use of the repository: its keys and tokens, and its secrets.
fn in_use(env: &TestEnv, number: &Value) -> anyhow::Result<String> {
    let path = format!("/projects/{number}");
    let project = env.gitlab.api(Method::GET, &path, None)?;
    let keys = env
        .gitlab
        .api(Method::GET, &format!("{path}/deploy_keys"), None)?;
    let tokens = env
        .gitlab
        .api(Method::GET, &format!("{path}/access_tokens"), None)?;
    Ok(format!(
        "{} {} {keys} {} {:?}",
        project["path_with_namespace"],
        project["marked_for_deletion_on"],
        tokens[0]["active"],
        env.vault()?.inventory()?
    ))
}

#[test]
fn a_repository_that_was_moved_out_before_its_product_was_deleted_keeps_keys_and_secrets() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    env.group_by_hand("people")?;
    transfer(&env, "people")?;
    let group = env.workspace.resource(PRODUCT)?["group_id"].clone();
    env.gitlab
        .api(Method::DELETE, &format!("/groups/{group}"), None)?;
    let number = repo_number(&env)?;
    let before = in_use(&env, &number)?;
    let destroyed = env
        .workspace
        .run(["destroy", "-auto-approve", "-no-color"])?;
    let text = destroyed.text();
    assert_eq!(in_use(&env, &number)?, before, "{text}");
    Ok(())
}

#[test]
fn a_repository_that_was_moved_where_the_token_does_not_see_keeps_keys_and_secrets() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let token = env.token_of_new_user("owner", Some(("/groups/shop", OWNER)))?;
    env.use_token(&token);
    env.group_by_hand("people")?;
    transfer(&env, "people")?;
    let number = repo_number(&env)?;
    let before = in_use(&env, &number)?;
    let target = format!("-target={REPO}");
    let destroyed = env
        .workspace
        .run(["destroy", &target, "-auto-approve", "-no-color"])?;
    let text = destroyed.text();
    assert_eq!(in_use(&env, &number)?, before, "{text}");
    Ok(())
}

#[test]
fn another_group_at_the_path_of_a_product_that_was_moved_is_not_touched() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let group = env.workspace.resource(PRODUCT)?["group_id"].clone();
    let below = env.group_by_hand("below")?;
    let transfer = json!({ "group_id": below });
    env.gitlab.api(
        Method::POST,
        &format!("/groups/{group}/transfer"),
        Some(&transfer),
    )?;
    let people = env.group_by_hand("shop")?;
    env.project_by_hand(&people, "default.project")?;
    env.project_by_hand(&people, "a")?;
    let projects = || {
        let path = format!("/groups/{people}/projects");
        let projects = env.gitlab.api(Method::GET, &path, None)?;
        let group = env
            .gitlab
            .api(Method::GET, &format!("/groups/{people}"), None)?;
        let keys = env
            .gitlab
            .api(Method::GET, "/projects/shop%2Fa/deploy_keys", None)?;
        let head = env.gitlab.api(
            Method::GET,
            "/projects/shop%2Fdefault.project/repository/branches",
            None,
        )?;
        Ok::<_, anyhow::Error>(format!("{projects} {group} {keys} {head}"))
    };
    // The first commits of the projects count as activity in the background.
    env.gitlab.wait_until_idle()?;
    let before = projects()?;
    env.workspace.run(["apply", "-auto-approve", "-no-color"])?;
    env.write(&SMALL.replace("env_type = \"staging\"", "env_type = \"production\""))?;
    env.workspace.run(["apply", "-auto-approve", "-no-color"])?;
    env.workspace
        .run(["destroy", "-auto-approve", "-no-color"])?;
    assert_eq!(projects()?, before);
    Ok(())
}

#[test]
fn a_configuration_repository_that_people_use_for_something_else_now_gets_no_manifests() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let config = env.workspace.resource(PRODUCT)?["config_repository"]["project_id"].clone();
    let path = format!("/projects/{config}");
    let renamed = json!({ "name": "notes", "path": "notes" });
    env.gitlab.api(Method::PUT, &path, Some(&renamed))?;
    let people = env.group_by_hand("people")?;
    let to = json!({ "namespace": people });
    env.gitlab
        .api(Method::PUT, &format!("{path}/transfer"), Some(&to))?;
    let head = || {
        let branches = format!("{path}/repository/branches");
        env.gitlab.api(Method::GET, &branches, None)
    };
    let before = head()?;
    env.write(&SMALL.replace("env_type = \"staging\"", "env_type = \"production\""))?;
    env.workspace
        .run(["apply", "-refresh=false", "-auto-approve", "-no-color"])?;
    env.workspace.run(["apply", "-auto-approve", "-no-color"])?;
    assert_eq!(head()?, before);
    Ok(())
}
