//! What a token cannot see is not gone.

use serde_json::json;
use testbed::Method;

use super::{ENVIRONMENT, PRODUCT, REPO, SMALL};
use crate::test_env::{Case, TestEnv};

/// GitLab's role Guest, which sees everything in a group.
const GUEST: u64 = 10;

fn check_kept(env: &TestEnv, token_of: &str) -> Case {
    let before = env.everything()?;
    let refused = env
        .workspace
        .run(["apply", "-refresh-only", "-auto-approve", "-no-color"])?;
    assert_ne!(refused.exit_code(), Some(0), "{token_of}");
    let text = refused.text();
    assert!(text.contains("Cannot see"), "{token_of}: {text}");
    assert!(text.contains("terraform state rm"), "{token_of}: {text}");
    let destroy = env.workspace.failing_destroy()?.text();
    assert!(destroy.contains("Cannot see"), "{token_of}: {destroy}");
    let unrefreshed =
        env.workspace
            .run(["destroy", "-refresh=false", "-auto-approve", "-no-color"])?;
    assert_ne!(unrefreshed.exit_code(), Some(0), "{token_of}");
    assert_eq!(env.workspace.addresses()?.len(), 3, "{token_of}");
    assert_eq!(env.everything()?, before, "{token_of}");
    Ok(())
}

#[test]
fn a_token_that_may_not_see_the_objects_empties_neither_state_nor_servers() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let stranger = env.token_of_new_user("stranger", None)?;
    env.use_token(&stranger);
    check_kept(&env, "a stranger")
}

#[test]
fn a_token_of_one_project_forgets_no_other_and_deletes_nothing_of_them() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let member = Some(("/projects/shop%2Fdefault.project", 40));
    let token = env.token_of_new_user("half", member)?;
    env.use_token(&token);
    let before = env.everything()?;
    let text = env.workspace.failing_plan()?.text();
    assert!(
        text.contains("Cannot see the GitLab project of repo-"),
        "{text}"
    );
    assert_eq!(env.everything()?, before);

    // An environment alone can be deleted with it, although a commit fails at first.
    let without = SMALL
        .split("resource \"nautes_environment\"")
        .next()
        .unwrap_or_default();
    let repo = SMALL.rsplit_once("resource \"nautes_code_repo\"");
    let repo = repo.map(|(_, repo)| repo).unwrap_or_default();
    env.write(&format!("{without}resource \"nautes_code_repo\"{repo}"))?;
    let fault = json!({
        "path": "/repository/commits$", "times": 1, "failure": { "respond": { "status": 502 } },
    });
    env.gitlab.inject_fault(&fault)?;
    let target = format!("-target={ENVIRONMENT}");
    env.workspace.apply_with(&["-refresh=false", &target])?;
    let mut after = env.everything()?;
    let mut before = before;
    before["manifests"].take();
    let manifests = after["manifests"].take().to_string();
    assert_eq!(
        after, before,
        "no secret or policy of a living repository is gone"
    );
    assert!(!manifests.contains("envs/staging.yaml"), "{manifests}");
    assert!(manifests.contains("code-repos/repo-"), "{manifests}");
    Ok(())
}

#[test]
fn a_guest_of_the_group_proves_that_a_project_is_gone() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let repo = env.workspace.resource(REPO)?;
    let path = format!("/projects/{}", repo["project_id"]);
    env.gitlab.api(Method::DELETE, &path, None)?;
    let full_path = env.gitlab.api(Method::GET, &path, None)?["path_with_namespace"].clone();
    let full_path = full_path.as_str().unwrap_or_default().replace('/', "%2F");
    let removal = format!("{path}?permanently_remove=true&full_path={full_path}");
    env.gitlab.api(Method::DELETE, &removal, None)?;
    env.gitlab.wait_until_idle()?;
    let guest = env.token_of_new_user("guest", Some(("/groups/shop", GUEST)))?;
    env.use_token(&guest);
    // A guest may not read manifests, so only the repository is looked at.
    let plan = env.workspace.run(["plan", "-no-color"])?;
    let text = plan.text();
    assert!(
        !text.contains("Cannot see the GitLab project of repo-"),
        "{text}"
    );
    Ok(())
}

#[test]
fn a_top_level_group_whose_path_is_free_is_gone_for_a_refresh_and_removes_nothing() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let vault = format!("{:?}", env.vault()?.inventory()?);
    let product = env.workspace.resource(PRODUCT)?;
    let path = format!("/groups/{}", product["group_id"]);
    // Renamed by hand, and hidden from the token: the path is free, and everything is alive.
    let renamed = json!({ "path": "store" });
    env.gitlab.api(Method::PUT, &path, Some(&renamed))?;
    let stranger = env.token_of_new_user("stranger", None)?;
    env.use_token(&stranger);
    env.workspace.failing_destroy()?;
    assert_eq!(format!("{:?}", env.vault()?.inventory()?), vault);
    assert!(env.gitlab.api(Method::GET, "/projects/store%2Fa", None)?["id"].is_number());
    Ok(())
}
