//! Access of the Nautes operators to the configuration repository of a product.

use serde_json::json;
use testbed::{Method, OpenBao, OpenBaoProgram, exactly};

use crate::code_repo_repair::check_rotation;
use crate::test_env::{Case, TestEnv};

const PRODUCT: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}
"#;

/// Starts the Vault of a tenant: with the secrets engine and the role of Argo CD.
fn start_vault(folder: &std::path::Path) -> anyhow::Result<OpenBao> {
    let bao = OpenBao::start(OpenBaoProgram::obtain()?, folder)?;
    bao.enable_kv("git")?;
    let write = |path: &str, body| bao.api(Method::POST, path, Some(&body));
    write("sys/auth/nautes", json!({ "type": "kubernetes" }))?;
    let role = json!({
        "bound_service_account_names": ["argocd"],
        "bound_service_account_namespaces": ["argocd"],
        "token_policies": ["base"],
    });
    write("auth/nautes/role/ARGO", role)?;
    Ok(bao)
}

#[test]
fn operators_can_read_the_configuration_repository_until_it_is_destroyed() -> Case {
    let folder = tempfile::tempdir()?;
    let bao = start_vault(folder.path())?;
    let before = bao.inventory()?;
    let mut env = TestEnv::new(PRODUCT)?;
    for (name, value) in [
        ("NAUTES_RECONCILER", "nautes"),
        ("NAUTES_VAULT_ADDRESS", &bao.url()),
        ("NAUTES_VAULT_TOKEN", bao.root_token()),
    ] {
        env.workspace.set_env(name, value);
    }
    let workspace = &env.workspace;

    workspace.apply()?;
    workspace.assert_empty_plan("after the apply")?;
    let project = env
        .gitlab
        .api(Method::GET, "/projects/shop%2Fdefault.project", None)?;
    let repository = format!("repo-{}", project["id"]);
    let policy = format!("policy gitlab-{repository}-default-readonly");
    let secret = format!("secret git/gitlab/{repository}/default/readonly");
    let inventory = bao.inventory()?;
    assert!(inventory.contains_key(&policy) && inventory.contains_key(&secret));

    let path = format!("sys/policies/acl/gitlab-{repository}-default-readonly");
    bao.api(Method::DELETE, &path, None)?;
    let plan = workspace.plan()?;
    assert_eq!(plan.action("nautes_product.shop"), Some("update"));
    workspace.apply()?;
    workspace.assert_empty_plan("after the repair")?;
    assert!(bao.inventory()?.contains_key(&policy));

    workspace.destroy()?;
    assert_eq!(bao.inventory()?, before);
    Ok(())
}

#[test]
fn operators_that_are_no_longer_used_lose_their_access() -> Case {
    let folder = tempfile::tempdir()?;
    let bao = start_vault(folder.path())?;
    let before = bao.inventory()?;
    let mut env = TestEnv::new(PRODUCT)?;
    for (name, value) in [
        ("NAUTES_RECONCILER", "nautes"),
        ("NAUTES_VAULT_ADDRESS", &bao.url()),
        ("NAUTES_VAULT_TOKEN", bao.root_token()),
    ] {
        env.workspace.set_env(name, value);
    }
    env.workspace.apply()?;
    assert_ne!(bao.inventory()?, before);

    env.workspace.set_env("NAUTES_RECONCILER", "provider");
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action("nautes_product.shop"), Some("update"));
    let drift = env.workspace.show_plan()?["resource_drift"].to_string();
    assert!(drift.contains("not needed any more"), "{drift}");
    env.workspace.apply()?;
    assert_eq!(bao.inventory()?, before);
    env.workspace.assert_empty_plan("after the apply")?;
    Ok(())
}

#[test]
fn without_a_vault_nothing_is_created_for_operators() -> Case {
    let mut env = TestEnv::new(PRODUCT)?;
    env.workspace.set_env("NAUTES_RECONCILER", "nautes");
    let (failed, calls) = env.gitlab.calls_during(|| env.workspace.failing_apply())?;
    let text = failed?.text();
    assert!(text.contains("vault.address"), "{text}");
    calls.writes().assert_calls(exactly(0));
    Ok(())
}

#[test]
fn the_access_token_for_operators_is_rotated() -> Case {
    let body = format!(
        "{PRODUCT}\nresource \"nautes_code_repo\" \"checkout\" {{\n  product = nautes_product.shop.id\n  name = \"checkout\"\n}}\n"
    );
    let folder = tempfile::tempdir()?;
    let bao = start_vault(folder.path())?;
    let mut env = TestEnv::new(&body)?;
    for (name, value) in [
        ("NAUTES_RECONCILER", "nautes"),
        ("NAUTES_VAULT_ADDRESS", &bao.url()),
        ("NAUTES_VAULT_TOKEN", bao.root_token()),
    ] {
        env.workspace.set_env(name, value);
    }
    env.workspace.apply_with(&[])?;
    check_rotation(&env, &bao)
}
