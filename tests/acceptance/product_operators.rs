//! A product for Nautes's own operators.

use serde_json::json;
use testbed::{Method, OpenBao, OpenBaoProgram, exactly};

use crate::code_repo_repair::rotates;
use crate::harness::{Case, Stage};

const PRODUCT: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}
"#;

/// A Vault as a tenant has it, beside the stage.
fn vault(folder: &std::path::Path) -> anyhow::Result<OpenBao> {
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
fn operators_read_the_configuration_repository_as_long_as_there_is_one() -> Case {
    let folder = tempfile::tempdir()?;
    let bao = vault(folder.path())?;
    let before = bao.inventory()?;
    let mut stage = Stage::with(PRODUCT)?;
    for (name, value) in [
        ("NAUTES_RECONCILER", "nautes"),
        ("NAUTES_VAULT_ADDRESS", &bao.url()),
        ("NAUTES_VAULT_TOKEN", bao.root_token()),
    ] {
        stage.workspace.set_env(name, value);
    }
    let workspace = &stage.workspace;

    workspace.apply()?;
    workspace.assert_empty_plan("after the apply")?;
    let project = stage
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
fn operators_that_are_not_used_any_more_lose_what_they_could_read() -> Case {
    let folder = tempfile::tempdir()?;
    let bao = vault(folder.path())?;
    let before = bao.inventory()?;
    let mut stage = Stage::with(PRODUCT)?;
    for (name, value) in [
        ("NAUTES_RECONCILER", "nautes"),
        ("NAUTES_VAULT_ADDRESS", &bao.url()),
        ("NAUTES_VAULT_TOKEN", bao.root_token()),
    ] {
        stage.workspace.set_env(name, value);
    }
    stage.workspace.apply()?;
    assert_ne!(bao.inventory()?, before);

    stage.workspace.set_env("NAUTES_RECONCILER", "provider");
    let plan = stage.workspace.plan()?;
    assert_eq!(plan.action("nautes_product.shop"), Some("update"));
    let drift = stage.workspace.show_plan()?["resource_drift"].to_string();
    assert!(drift.contains("not needed any more"), "{drift}");
    stage.workspace.apply()?;
    assert_eq!(bao.inventory()?, before);
    stage.workspace.assert_empty_plan("after the apply")?;
    Ok(())
}

#[test]
fn nothing_is_made_for_operators_without_a_vault() -> Case {
    let mut stage = Stage::with(PRODUCT)?;
    stage.workspace.set_env("NAUTES_RECONCILER", "nautes");
    let (failed, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.failing_apply())?;
    let text = failed?.text();
    assert!(text.contains("vault.address"), "{text}");
    calls.writes().assert_calls(exactly(0));
    Ok(())
}

#[test]
fn the_token_that_operators_need_is_rotated_too() -> Case {
    let body = format!(
        "{PRODUCT}\nresource \"nautes_code_repo\" \"checkout\" {{\n  product = nautes_product.shop.id\n  name = \"checkout\"\n}}\n"
    );
    let folder = tempfile::tempdir()?;
    let bao = vault(folder.path())?;
    let mut stage = Stage::with(&body)?;
    for (name, value) in [
        ("NAUTES_RECONCILER", "nautes"),
        ("NAUTES_VAULT_ADDRESS", &bao.url()),
        ("NAUTES_VAULT_TOKEN", bao.root_token()),
    ] {
        stage.workspace.set_env(name, value);
    }
    stage.workspace.apply_with(&[])?;
    rotates(&stage, &bao)
}
