//! A destroy asks for the rights that its last step needs before its first effect.

use testbed::Method;

use super::SMALL;
use crate::test_env::{Case, TestEnv};

const MAINTAINER: u64 = 40;

#[test]
fn a_maintainer_destroys_nothing_and_learns_which_role_is_needed() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.everything()?;
    let token = env.token_of_new_user("maintainer", Some(("/groups/shop", MAINTAINER)))?;
    env.use_token(&token);
    let text = env.workspace.failing_destroy()?.text();
    assert!(
        text.contains("needs the role Owner on the GitLab project shop/a"),
        "{text}"
    );
    assert!(text.contains("has the role Maintainer"), "{text}");
    let mut after = env.everything()?;
    after["groups"] = before["groups"].clone();
    after["projects"] = before["projects"].clone();
    let repo = env.gitlab.api(Method::GET, "/projects/shop%2Fa", None)?;
    assert_eq!(repo["description"], "", "it has no mark");
    assert_eq!(env.deploy_keys("shop/a")?.len(), 2);
    assert_eq!(after["vault"], before["vault"]);
    assert_eq!(after["manifests"], before["manifests"]);
    // The plan says so already.
    let plan = env.workspace.run(["plan", "-destroy", "-no-color"])?;
    assert_eq!(plan.exit_code(), Some(1), "{}", plan.text());
    assert!(
        plan.text().contains("needs the role Owner"),
        "{}",
        plan.text()
    );
    Ok(())
}

#[test]
fn the_plan_of_a_products_destroy_says_which_role_is_needed() -> Case {
    let mut env = TestEnv::new("resource \"nautes_product\" \"p\" {\n  name = \"shop\"\n}\n")?;
    env.workspace.apply_with(&[])?;
    let token = env.token_of_new_user("maintainer", Some(("/groups/shop", MAINTAINER)))?;
    env.use_token(&token);
    let plan = env.workspace.run(["plan", "-destroy", "-no-color"])?;
    assert_eq!(plan.exit_code(), Some(1), "{}", plan.text());
    assert!(
        plan.text()
            .contains("needs the role Owner on the GitLab group shop"),
        "{}",
        plan.text()
    );
    Ok(())
}

#[test]
fn a_destroy_without_the_right_to_delete_secrets_begins_nothing() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let before = env.everything()?;
    let policy = r#"
        path "git/data/gitlab/repo-*" { capabilities = ["create", "update", "read"] }
        path "git/metadata/gitlab/repo-*" { capabilities = ["read", "list"] }
        path "sys/policies/acl" { capabilities = ["list"] }
        path "sys/policies/acl/gitlab-repo-*" { capabilities = ["create", "update", "read", "delete"] }
    "#;
    let token = env
        .vault()?
        .token_with_policy(policy, std::time::Duration::from_secs(3600))?;
    env.workspace.set_env("NAUTES_VAULT_TOKEN", &token);
    let text = env.workspace.failing_destroy()?.text();
    assert!(
        text.contains(r#"path "git/metadata/gitlab/repo-*""#),
        "{text}"
    );
    let mut after = env.everything()?;
    after["vault"] = before["vault"].clone();
    after["manifests"] = before["manifests"].clone();
    assert_eq!(after, before);
    assert_eq!(env.deploy_keys("shop/a")?.len(), 2);
    let tree = env.everything()?["manifests"].to_string();
    assert!(tree.contains("code-repos/repo-"), "{tree}");
    Ok(())
}
