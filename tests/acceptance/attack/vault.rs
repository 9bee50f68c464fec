//! Secrets, policies, keys and tokens of other people.

use serde_json::json;
use testbed::Method;

use super::repo_number;
use crate::safety::{PRODUCT, REPO, SMALL};
use crate::test_env::{Case, TestEnv};

fn without_token() -> String {
    SMALL.replace("  access_token = {}\n", "")
}

#[test]
fn a_policy_of_people_with_a_name_like_ours_survives_the_destroy_of_the_repository() -> Case {
    let env = TestEnv::with_vault(&without_token())?;
    env.workspace.apply_with(&[])?;
    let number = repo_number(&env)?;
    let path = format!("sys/policies/acl/gitlab-repo-{number}-default-accesstoken-api");
    let policy = json!({ "policy": "path \"people/*\" { capabilities = [\"read\"] }" });
    env.vault()?.api(Method::PUT, &path, Some(&policy))?;
    let target = format!("-target={REPO}");
    env.workspace
        .run(["destroy", &target, "-auto-approve", "-no-color"])?;
    let found = env.vault()?.api(Method::GET, &path, None);
    assert!(found.is_ok(), "{found:?}");
    Ok(())
}

#[test]
fn secrets_of_people_beside_those_of_a_repository_survive_its_destroy() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let number = repo_number(&env)?;
    let secret = json!({ "data": { "password": "correct horse" } });
    let paths = [
        format!("git/data/gitlab/repo-{number}/people"),
        format!("git/data/gitlab/repo-{number}/default/people"),
        format!("git/data/gitlab/repo-{number}/default/readonly/people"),
        format!("git/data/gitlab/repo-{number}9/default/readonly"),
    ];
    for path in &paths {
        env.vault()?.api(Method::POST, path, Some(&secret))?;
    }
    env.workspace.destroy()?;
    for path in &paths {
        let found = env.vault()?.api(Method::GET, path, None);
        assert!(found.is_ok(), "{path}: {found:?}");
    }
    Ok(())
}

#[test]
fn the_older_versions_of_a_secret_of_people_survive_at_the_path_of_a_token() -> Case {
    let env = TestEnv::with_vault(&without_token())?;
    env.workspace.apply_with(&[])?;
    let number = repo_number(&env)?;
    let path = format!("git/data/gitlab/repo-{number}/default/accesstoken-api");
    let secret = json!({ "data": { "password": "correct horse" } });
    env.vault()?.api(Method::POST, &path, Some(&secret))?;
    env.vault()?.api(Method::POST, &path, Some(&secret))?;
    env.vault()?.api(Method::DELETE, &path, None)?;
    let target = format!("-target={REPO}");
    let text = env
        .workspace
        .run(["destroy", &target, "-auto-approve", "-no-color"])?
        .text();
    let found = env
        .vault()?
        .api(Method::GET, &format!("{path}?version=1"), None);
    assert!(found.is_ok(), "{found:?} {text}");
    Ok(())
}

#[test]
fn keys_and_tokens_of_people_on_other_projects_survive() -> Case {
    let env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let number = repo_number(&env)?;
    let people = env.group_by_hand("people")?;
    let notes = env.project_by_hand(&people, "notes")?;
    for (index, title) in [
        format!("repo-{number}-readonly"),
        format!("repo-{number}-readwrite"),
        format!("repo-{notes}-readonly"),
    ]
    .iter()
    .enumerate()
    {
        let key = format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{}", base64_of(index));
        let key = json!({ "title": title, "key": key });
        let path = format!("/projects/{notes}/deploy_keys");
        env.gitlab.api(Method::POST, &path, Some(&key))?;
    }
    let token = json!({
        "name": "accesstoken-api", "scopes": ["api"], "access_level": 40,
        "expires_at": "2027-01-01",
    });
    let path = format!("/projects/{notes}/access_tokens");
    env.gitlab.api(Method::POST, &path, Some(&token))?;
    let of_people = || {
        let keys = format!("/projects/{notes}/deploy_keys");
        let keys = env.gitlab.api(Method::GET, &keys, None)?;
        let tokens = env.gitlab.api(Method::GET, &path, None)?;
        Ok::<_, anyhow::Error>(format!("{keys} {tokens}"))
    };
    let before = of_people()?;
    env.workspace.apply_with(&["-replace", REPO])?;
    env.workspace.destroy()?;
    assert_eq!(of_people()?, before);
    Ok(())
}

/// The rest of an Ed25519 key in base64.
fn base64_of(index: usize) -> String {
    let digit = char::from(b'A' + u8::try_from(index).unwrap_or_default());
    format!("{}{digit}", "A".repeat(42))
}

#[test]
fn the_operators_secret_of_another_gitlab_survives_the_destroy_of_an_imported_product() -> Case {
    let mut env = TestEnv::with_vault(SMALL)?;
    env.workspace.apply_with(&[])?;
    let config = env.workspace.resource(PRODUCT)?["config_repository"]["project_id"].clone();
    env.workspace.set_env("NAUTES_RECONCILER", "nautes");
    let vault = env.vault()?;
    let auth = json!({ "type": "kubernetes" });
    vault.api(Method::POST, "sys/auth/nautes", Some(&auth))?;
    let name = format!("gitlab-repo-{config}-default-readonly");
    let role = json!({
        "bound_service_account_names": ["argocd"],
        "bound_service_account_namespaces": ["argocd"],
        "token_policies": ["base", name],
    });
    vault.api(Method::POST, "auth/nautes/role/ARGO", Some(&role))?;
    // On another GitLab the same number is another project, whose secret it is.
    let path = format!("gitlab/repo-{config}/default/readonly");
    let secret = json!({ "data": { "deploykey": "theirs", "fingerprint": "theirs", "id": "1" } });
    vault.api(Method::POST, &format!("git/data/{path}"), Some(&secret))?;
    let owner =
        json!({ "custom_metadata": { "owner": format!("{config}@2020-01-01T00:00:00.000Z") } });
    vault.api(Method::POST, &format!("git/metadata/{path}"), Some(&owner))?;
    let policy = json!({ "policy": "path \"git/data/x\" { capabilities = [\"read\"] }" });
    vault.api(
        Method::PUT,
        &format!("sys/policies/acl/{name}"),
        Some(&policy),
    )?;
    let role = vault.api(Method::GET, "auth/nautes/role/ARGO", None)?["data"].clone();
    let target = format!("-target={PRODUCT}");
    env.workspace.run([
        "destroy",
        "-refresh=false",
        &target,
        "-auto-approve",
        "-no-color",
    ])?;
    let vault = env.vault()?;
    let found = vault.api(Method::GET, &format!("git/data/{path}"), None);
    assert!(found.is_ok(), "{found:?}");
    let found = vault.api(Method::GET, &format!("sys/policies/acl/{name}"), None);
    assert!(found.is_ok(), "{found:?}");
    let after = vault.api(Method::GET, "auth/nautes/role/ARGO", None)?["data"].clone();
    assert_eq!(after["token_policies"], role["token_policies"]);
    Ok(())
}
