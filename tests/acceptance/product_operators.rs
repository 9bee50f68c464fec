//! A product for Nautes's own operators.

use serde_json::json;
use testbed::{Method, OpenBao, OpenBaoProgram};

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
