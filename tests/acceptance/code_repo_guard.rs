//! Guards against the loss of work in a code repository, and the adoption of an existing one.

use serde_json::{Value, json};
use testbed::Method;

use crate::code_repo::CHECKOUT;
use crate::test_env::{Case, TestEnv};

const REPO: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_product" "store" {
  name = "store"
}

resource "nautes_code_repo" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}
"#;

fn repo_with(more: &str) -> String {
    REPO.replace(
        "  name    = \"checkout\"\n",
        &format!("  name    = \"checkout\"\n  {more}\n"),
    )
}

fn add_a_commit(env: &TestEnv) -> Case {
    let action = json!([{ "action": "create", "file_path": "main.rs", "content": "fn main() {}" }]);
    env.commit("shop/checkout", &action)
}

#[test]
fn a_destroy_and_a_replacement_are_refused_while_a_repository_holds_work() -> Case {
    let env = TestEnv::with_vault(REPO)?;
    env.workspace.apply_with(&[])?;
    add_a_commit(&env)?;
    env.gitlab
        .api(Method::POST, "/projects/shop%2Fcheckout/archive", None)?;
    let text = env.workspace.failing_destroy()?.text();
    assert!(
        text.contains("shop/checkout (archived) has more than one commit"),
        "{text}"
    );
    env.write(&REPO.replace(
        "product = nautes_product.shop.id",
        "product = nautes_product.store.id",
    ))?;
    let text = env.workspace.failing_plan()?.text();
    assert!(text.contains("force_destroy = true"), "{text}");

    env.write(&repo_with(
        "force_destroy = true\n  permanently_remove = true",
    ))?;
    env.workspace.apply()?;
    let repo = env.workspace.resource(CHECKOUT)?;
    env.workspace.destroy()?;
    env.gitlab.wait_until_idle()?;
    let path = format!("/projects/{}", repo["project_id"]);
    let lookup = env.gitlab.api(Method::GET, &path, None);
    assert!(lookup.is_err(), "{lookup:?}");
    Ok(())
}

/// GitLab calls a repository empty that has a tag and no branch.
#[test]
fn a_repository_that_holds_only_a_tag_is_not_destroyed() -> Case {
    let env = TestEnv::with_vault(&repo_with("initialize_with_readme = false"))?;
    env.workspace.apply_with(&[])?;
    let folder = env.clone("shop/checkout")?;
    let git = |arguments: &[&str]| -> Case {
        let command = testbed::git::command(env.gitlab.root_token());
        let command = command.current_dir(&folder).args(arguments);
        command.finish()?.success()?;
        Ok(())
    };
    let author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    git(&[
        &author[..],
        &["commit", "--quiet", "--allow-empty", "-m", "a"],
    ]
    .concat())?;
    git(&["tag", "v1.0"])?;
    git(&["push", "--quiet", "origin", "v1.0"])?;
    let project = env
        .gitlab
        .api(Method::GET, "/projects/shop%2Fcheckout", None)?;
    assert_eq!(project["empty_repo"], true);
    let text = env.workspace.failing_destroy()?.text();
    assert!(text.contains("shop/checkout has tags"), "{text}");
    Ok(())
}

#[test]
fn an_archived_repository_keeps_its_work_and_loses_its_credentials() -> Case {
    let env = TestEnv::with_vault(&repo_with("deletion_policy = \"archive\""))?;
    let empty = env.vault()?.inventory()?;
    env.workspace.apply_with(&[])?;
    add_a_commit(&env)?;
    env.write(
        &REPO
            .replace(
                REPO.split_once("resource \"nautes_code_repo\"")
                    .map_or("", |(_, repo)| repo),
                "",
            )
            .replace("resource \"nautes_code_repo\"", ""),
    )?;
    env.workspace.apply()?;
    let project = env
        .gitlab
        .api(Method::GET, "/projects/shop%2Fcheckout", None)?;
    assert_eq!(project["archived"], true);
    assert_eq!(env.deploy_keys("shop/checkout")?, Vec::<String>::new());
    assert_eq!(env.vault()?.inventory()?, empty);

    // It is adopted on request only.
    env.write(REPO)?;
    let text = env.workspace.failing_apply()?.text();
    assert!(text.contains("terraform import <address> repo-"), "{text}");
    env.write(&repo_with("adopt_existing = true\n  force_destroy = true"))?;
    env.workspace.apply()?;
    let repo = env.workspace.resource(CHECKOUT)?;
    assert_eq!(repo["project_id"], project["id"]);
    assert!(env.clone("shop/checkout")?.join("main.rs").is_file());
    Ok(())
}

#[test]
fn a_failed_creation_is_resumed_by_the_next_apply() -> Case {
    let env = TestEnv::with_vault(REPO)?;
    let fault = json!({
        "path": "/deploy_keys$", "failure": { "respond": { "status": 403 } },
    });
    env.gitlab.inject_fault(&fault)?;
    env.workspace.failing_apply()?;
    env.gitlab.clear_faults()?;
    let projects = env
        .gitlab
        .api(Method::GET, "/projects?search=checkout", None)?;
    let marked = projects[0]["description"].as_str().unwrap_or_default();
    assert!(marked.starts_with("[terraform: unfinished]"), "{marked}");
    env.workspace.apply()?;
    let repo = env.workspace.resource(CHECKOUT)?;
    assert_eq!(repo["project_id"], projects[0]["id"]);
    assert_eq!(repo["description"], "");
    assert_eq!(repo["drift"], Value::Null);
    Ok(())
}
