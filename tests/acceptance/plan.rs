//! Plans show what changes, and nothing else.

use serde_json::{Value, json};
use testbed::Method;

use crate::test_env::{Case, TestEnv};

/// One object of every kind.
const ALL_KINDS: &str = r#"
resource "nautes_product" "p" {
  name          = "shop"
  force_destroy = true
}

resource "nautes_environment" "e" {
  product  = nautes_product.p.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
}

resource "nautes_project" "checkout" {
  product = nautes_product.p.id
  name    = "checkout"
}

resource "nautes_code_repo" "a" {
  product      = nautes_product.p.id
  project      = nautes_project.checkout.id
  name         = "a"
  access_token = {}
}

resource "nautes_code_repo_binding" "open" {
  product     = nautes_product.p.id
  name        = "open"
  code_repo   = nautes_code_repo.a.id
  projects    = [nautes_project.checkout.id]
  permissions = "readonly"
}
"#;

const REPO: &str = "nautes_code_repo.a";

fn applied() -> anyhow::Result<TestEnv> {
    let env = TestEnv::with_vault(ALL_KINDS)?;
    env.workspace.apply()?;
    Ok(env)
}

/// What the plan says about one resource.
fn change(env: &TestEnv, address: &str) -> anyhow::Result<Value> {
    let plan = env.workspace.show_plan()?;
    let changes = plan
        .get("resource_changes")
        .and_then(Value::as_array)
        .cloned();
    let mut changes = changes.unwrap_or_default().into_iter();
    let found = changes.find(|change| change["address"] == address);
    let change = found.as_ref().and_then(|found| found.get("change"));
    Ok(change.cloned().unwrap_or_default())
}

#[test]
fn an_update_of_a_repository_shows_neither_keys_nor_token_as_unknown() -> Case {
    let env = applied()?;
    let described = r#"name         = "a"
  description  = "Changed""#;
    env.write(&ALL_KINDS.replace(r#"name         = "a""#, described))?;
    let plan = env.workspace.plan()?;
    assert_eq!(plan.changes.len(), 1, "{plan}");
    let change = change(&env, REPO)?;
    assert_eq!(change["after_unknown"], json!({}));
    env.workspace.apply()?;
    Ok(())
}

#[test]
fn a_key_is_unknown_only_if_drift_names_it() -> Case {
    let env = applied()?;
    let key = env.workspace.resource(REPO)?["deploy_keys"]["readonly"]["id"].clone();
    let path = format!("/projects/shop%2Fa/deploy_keys/{key}");
    env.gitlab.api(Method::DELETE, &path, None)?;
    env.workspace.plan()?;
    let change = change(&env, REPO)?;
    assert_eq!(
        change["after_unknown"],
        json!({
            "access_token": {},
            "deploy_keys": {
                "readonly": { "id": true, "fingerprint": true, "public_key": true },
                "readwrite": {},
            },
        })
    );
    env.workspace.apply()?;
    let keys = env.workspace.resource(REPO)?["deploy_keys"].clone();
    assert_ne!(keys["readonly"]["id"], key);
    let public = keys["readonly"]["public_key"].as_str().unwrap_or_default();
    assert!(public.starts_with("ecdsa-sha2-nistp256 "), "{public}");
    Ok(())
}

#[test]
fn the_urls_of_repositories_follow_a_rename_of_their_product_in_the_same_apply() -> Case {
    let env = applied()?;
    let renamed = ALL_KINDS.replace(r#"= "shop""#, r#"= "store""#);
    for body in [
        renamed.clone(),
        ALL_KINDS.replace("nautes_product.p.id", "nautes_product.p.name"),
    ] {
        env.write(&body)?;
        let plan = env.workspace.plan()?;
        assert!(
            plan.changes.iter().all(|change| change.action == "update"),
            "{plan}"
        );
        env.workspace.apply()?;
    }
    let repo = env.workspace.resource(REPO)?;
    let url = repo["web_url"].as_str().unwrap_or_default();
    assert!(url.ends_with("/shop/a"), "{url}");
    Ok(())
}

#[test]
fn a_look_up_that_waits_for_its_product_replaces_nothing() -> Case {
    let env = TestEnv::with_vault("")?;
    let module = env.workspace.path().join("inside");
    std::fs::create_dir(&module)?;
    let requirement = testbed::Provider::nautes("").requirement();
    env.workspace.write("inside/provider.tf", &requirement)?;
    let (product, inside) =
        ALL_KINDS.split_at(ALL_KINDS.find("resource \"nautes_env").unwrap_or(0));
    let looked_up = "data \"nautes_product\" \"p\" {\n  name = \"shop\"\n}\n";
    let inside = inside.replace("nautes_product.p.id", "data.nautes_product.p.id");
    env.workspace
        .write("inside/main.tf", &format!("{looked_up}{inside}"))?;
    let body = format!(
        "{product}module \"inside\" {{\n  source = \"./inside\"\n  depends_on = [nautes_product.p]\n}}\n"
    );
    env.write(&body)?;
    env.workspace.run(["get"])?;
    env.workspace.apply()?;
    env.write(&body.replace(
        "  force_destroy",
        "  description = \"Changed\"\n  force_destroy",
    ))?;
    let plan = env.workspace.plan()?;
    let is_update = |action: &str| action == "update" || action == "read";
    assert!(
        plan.changes.iter().all(|change| is_update(&change.action)),
        "{plan}"
    );
    env.workspace.apply()?;
    Ok(())
}

#[test]
fn what_was_imported_by_id_and_is_referred_to_by_name_plans_nothing() -> Case {
    let env = applied()?;
    let inside = ALL_KINDS.find("resource \"nautes_environment\"");
    let (_, inside) = ALL_KINDS.split_at(inside.unwrap_or(0));
    let by_name = inside
        .replace("nautes_product.p.id", "\"shop\"")
        .replace("nautes_project.checkout.id", "\"checkout\"")
        .replace("nautes_code_repo.a.id", "\"a\"");
    let imported = env
        .new_workspace(&by_name)?
        .env("NAUTES_VAULT_ADDRESS", env.vault()?.url())
        .env("NAUTES_VAULT_TOKEN", env.vault()?.root_token());
    for (address, id) in [
        ("nautes_environment.e", "product-2/staging"),
        ("nautes_project.checkout", "product-2/checkout"),
        ("nautes_code_repo.a", "repo-2"),
        ("nautes_code_repo_binding.open", "product-2/open"),
    ] {
        imported.import(address, id)?;
    }
    let plan = imported.plan()?;
    assert!(plan.is_empty(), "{plan}");
    Ok(())
}

#[test]
fn a_replacement_that_is_created_first_is_told_to_take_another_name() -> Case {
    let env = TestEnv::new(
        ALL_KINDS
            .split("resource \"nautes_project\"")
            .next()
            .unwrap_or(""),
    )?;
    env.workspace.apply()?;
    let body = ALL_KINDS
        .split("resource \"nautes_project\"")
        .next()
        .unwrap_or("");
    let first = "  env_type = \"staging\"\n  lifecycle {\n    create_before_destroy = true\n  }";
    let body = body.replace("  env_type = \"staging\"", first);
    env.write(&body.replace("deployment-01", "deployment-02"))?;
    let failed = env.workspace.failing_apply()?;
    let text = failed.text();
    assert!(text.contains("create_before_destroy"), "{text}");
    assert!(text.contains("another name"), "{text}");
    let manifest = env.read_file("shop/default.project", "envs/staging.yaml")?;
    assert!(manifest.contains("deployment-01"), "{manifest}");
    Ok(())
}

#[test]
fn a_refresh_finds_nothing_new_after_a_commit_of_somebody_else() -> Case {
    let env = applied()?;
    for file in ["first.txt", "second.txt"] {
        let arguments = ["plan", "-refresh-only", "-detailed-exitcode", "-no-color"];
        let planned = env.workspace.run(arguments)?;
        assert_eq!(planned.exit_code(), Some(0), "{}", planned.text());
        let action = json!([{ "action": "create", "file_path": file, "content": "Hello" }]);
        env.commit("shop/default.project", &action)?;
    }
    Ok(())
}

#[test]
fn a_replacement_is_announced_with_the_names_of_what_refers_to_it() -> Case {
    let env = applied()?;
    let moved = ALL_KINDS.replacen("name    = \"checkout\"", "name    = \"till\"", 1);
    env.write(&moved)?;
    let plan = env.workspace.plan()?;
    let warnings: Vec<_> = plan.outcome.warnings().collect();
    let text = format!("{warnings:?}");
    assert!(
        text.contains("The project `checkout` is used while"),
        "{text}"
    );
    assert!(text.contains("the code repository a (repo-2)"), "{text}");
    assert!(text.contains("open"), "{text}");
    Ok(())
}

#[test]
fn a_repository_is_adopted_as_it_is_found() -> Case {
    let env = TestEnv::with_vault("")?;
    let public = json!({ "name": "Shop", "path": "shop", "visibility": "public" });
    let group = env.gitlab.api(Method::POST, "/groups", Some(&public))?;
    let project = json!({
        "name": "The a", "path": "a", "namespace_id": group["id"], "visibility": "public",
        "description": "By hand", "initialize_with_readme": true, "default_branch": "trunk",
    });
    env.gitlab.api(Method::POST, "/projects", Some(&project))?;
    let adopting = ALL_KINDS
        .replace("force_destroy", "adopt_existing = true\n  force_destroy")
        .replace("access_token", "adopt_existing = true\n  access_token");
    env.write(&adopting)?;
    env.workspace.apply()?;
    for (path, name) in [("/groups/shop", "Shop"), ("/projects/shop%2Fa", "The a")] {
        let found = env.gitlab.api(Method::GET, path, None)?;
        assert_eq!(found["name"], name, "{path}");
        assert_eq!(found["visibility"], "public", "{path}");
    }
    let found = env.gitlab.api(Method::GET, "/projects/shop%2Fa", None)?;
    assert_eq!(found["description"], "By hand");
    assert_eq!(found["default_branch"], "trunk");
    Ok(())
}

#[test]
fn another_name_of_the_code_repo_provider_is_drift() -> Case {
    let mut env = applied()?;
    env.workspace
        .set_env("NAUTES_CODE_REPO_PROVIDER", "gitlab-other");
    let plan = env.workspace.plan()?;
    assert_eq!(plan.action(REPO), Some("update"), "{plan}");
    assert_eq!(plan.changes.len(), 1, "{plan}");
    env.workspace.apply()?;
    let file = "code-repos/repo-2/repo-2.yaml";
    let manifest = env.read_file("shop/default.project", file)?;
    assert!(manifest.contains("gitlab-other"), "{manifest}");
    Ok(())
}

#[test]
fn another_default_branch_of_the_configuration_repository_is_drift() -> Case {
    let env = applied()?;
    let project = "/projects/shop%2Fdefault.project";
    let branches = format!("{project}/repository/branches");
    let trunk = json!({ "branch": "trunk", "ref": "main" });
    env.gitlab.api(Method::POST, &branches, Some(&trunk))?;
    let default = json!({ "default_branch": "trunk" });
    for is_deleted in [false, true] {
        env.gitlab.api(Method::PUT, project, Some(&default))?;
        if is_deleted {
            let _ = env.gitlab.api(
                Method::DELETE,
                "/projects/shop%2Fdefault.project/protected_branches/main",
                None,
            );
            env.gitlab
                .api(Method::DELETE, &format!("{branches}/main"), None)?;
        }
        let plan = env.workspace.plan()?;
        assert_eq!(plan.action("nautes_product.p"), Some("update"), "{plan}");
        assert_eq!(plan.changes.len(), 1, "{plan}");
        env.workspace.apply()?;
        let found = env.gitlab.api(Method::GET, project, None)?;
        assert_eq!(found["default_branch"], "main");
        assert!(
            env.read_file("shop/default.project", "envs/staging.yaml")
                .is_ok()
        );
    }
    Ok(())
}
