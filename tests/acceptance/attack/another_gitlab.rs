//! A state or a setting that leads to other objects.

use serde_json::{Value, json};
use testbed::Method;

use crate::safety::{ENVIRONMENT, PRODUCT, REPO, SMALL};
use crate::test_env::{Case, TestEnv};

/// Makes another GitLab in which people have a group and projects with the numbers of the product.
fn gitlab_of_people(env: &TestEnv) -> anyhow::Result<TestEnv> {
    let other = TestEnv::new("")?;
    let group = env.workspace.resource(PRODUCT)?["group_id"].clone();
    let last = env.workspace.resource(REPO)?["project_id"].clone();
    let mut number = Value::Null;
    while number != group {
        number = other.group_by_hand(&format!("people-{}", fastrand::u32(..)))?;
        anyhow::ensure!(
            number.as_u64() <= group.as_u64(),
            "{number} is beyond {group}"
        );
    }
    let mut project = Value::Null;
    while project != last {
        project = other.project_by_hand(&group, &format!("notes-{}", fastrand::u32(..)))?;
        anyhow::ensure!(
            project.as_u64() <= last.as_u64(),
            "{project} is beyond {last}"
        );
    }
    Ok(other)
}

#[test]
fn an_update_without_a_refresh_writes_no_manifest_into_a_project_of_another_gitlab() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let other = gitlab_of_people(&env)?;
    let before = other.living()?;
    env.write(&SMALL.replace("env_type = \"staging\"", "env_type = \"production\""))?;
    env.workspace
        .set_env("NAUTES_GITLAB_URL", other.gitlab.url());
    env.use_token(other.gitlab.root_token());
    let target = format!("-target={ENVIRONMENT}");
    let text = env.refused(&[
        "apply",
        "-refresh=false",
        &target,
        "-auto-approve",
        "-no-color",
    ])?;
    assert!(text.contains("GitLab has another object"), "{text}");
    assert_eq!(other.living()?, before);
    Ok(())
}

#[test]
fn an_older_state_destroys_nothing_on_another_gitlab() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let other = gitlab_of_people(&env)?;
    env.edit_state(|_, instance| {
        if let Some(created_at) = instance["attributes"].get_mut("created_at") {
            *created_at = Value::Null;
        }
        instance["private"] = Value::Null;
    })?;
    let (before, vault) = (other.living()?, env.vault()?.inventory()?);
    env.workspace
        .set_env("NAUTES_GITLAB_URL", other.gitlab.url());
    env.use_token(other.gitlab.root_token());
    env.refused(&["destroy", "-auto-approve", "-no-color"])?;
    env.refused(&["apply", "-auto-approve", "-no-color"])?;
    for address in [REPO, PRODUCT] {
        let target = format!("-target={address}");
        env.refused(&[
            "destroy",
            "-refresh=false",
            &target,
            "-auto-approve",
            "-no-color",
        ])?;
    }
    assert_eq!(other.living()?, before);
    assert_eq!(env.vault()?.inventory()?, vault);
    Ok(())
}

#[test]
fn a_branch_that_does_not_exist_empties_no_state() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.living()?;
    env.workspace.set_env("NAUTES_COMMIT_BRANCH", "mian");
    env.workspace
        .run(["apply", "-refresh-only", "-auto-approve", "-no-color"])?;
    let drift = env.workspace.resource("nautes_product.p")?["drift"].to_string();
    assert!(drift.contains("is main"), "{drift}");
    env.refused(&["destroy", "-auto-approve", "-no-color"])?;
    assert_eq!(env.workspace.addresses()?.len(), 3);
    assert_eq!(env.living()?, before);
    Ok(())
}

#[test]
fn another_parent_group_moves_nothing() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let below = env.group_by_hand("below")?;
    let shop = json!({ "name": "shop", "path": "shop", "parent_id": below });
    let shop = env.gitlab.api(Method::POST, "/groups", Some(&shop))?["id"].clone();
    env.project_by_hand(&shop, "default.project")?;
    env.project_by_hand(&shop, "a")?;
    let before = env.living()?;
    env.workspace.set_env("NAUTES_GITLAB_PARENT_GROUP", "below");
    env.workspace.run(["apply", "-auto-approve", "-no-color"])?;
    assert_eq!(env.living()?, before);
    Ok(())
}

#[test]
fn a_gitlab_that_lacks_what_the_state_has_proves_nothing_gone() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let (before, vault) = (env.living()?, env.vault()?.inventory()?);
    let empty = TestEnv::new("")?;
    let of_stranger = empty.token_of_new_user("stranger", None)?;
    env.workspace.plan_with(&["-destroy"])?;
    env.workspace
        .set_env("NAUTES_GITLAB_URL", empty.gitlab.url());
    env.use_token(empty.gitlab.root_token());
    let text = env.apply_saved_plan()?;
    assert!(text.contains("Error"), "{text}");
    for token in [empty.gitlab.root_token(), &of_stranger] {
        env.use_token(token);
        let text = env.refused(&["destroy", "-auto-approve", "-no-color"])?;
        assert!(text.contains("on another GitLab"), "{text}");
        assert!(text.contains("gitlab.url"), "{text}");
        env.refused(&["apply", "-auto-approve", "-no-color"])?;
        env.refused(&["apply", "-refresh-only", "-auto-approve", "-no-color"])?;
        for address in [ENVIRONMENT, REPO, PRODUCT] {
            let target = format!("-target={address}");
            let destroy = ["destroy", "-refresh=false", "-auto-approve", "-no-color"];
            env.refused(&[&destroy[..], &[&target]].concat())?;
        }
    }
    assert_eq!(env.workspace.addresses()?.len(), 3);
    assert_eq!(env.vault()?.inventory()?, vault);
    assert_eq!(env.living()?, before);
    Ok(())
}
