//! What guards the work in a code repository, and what takes an existing one over.

use serde_json::{Value, json};
use testbed::Method;

use crate::code_repo::CHECKOUT;
use crate::harness::{Case, Stage};

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

fn with(more: &str) -> String {
    REPO.replace(
        "  name    = \"checkout\"\n",
        &format!("  name    = \"checkout\"\n  {more}\n"),
    )
}

fn add_a_commit(stage: &Stage) -> Case {
    let action = json!([{ "action": "create", "file_path": "main.rs", "content": "fn main() {}" }]);
    stage.commit("shop/checkout", &action)
}

#[test]
fn work_is_not_lost_by_a_destroy_or_a_replacement() -> Case {
    let stage = Stage::with_vault(REPO)?;
    stage.workspace.apply_with(&[])?;
    add_a_commit(&stage)?;
    stage
        .gitlab
        .api(Method::POST, "/projects/shop%2Fcheckout/archive", None)?;
    let text = stage.workspace.failing_destroy()?.text();
    assert!(
        text.contains("shop/checkout (archived) has more than one commit"),
        "{text}"
    );
    stage.write(&REPO.replace(
        "product = nautes_product.shop.id",
        "product = nautes_product.store.id",
    ))?;
    let text = stage.workspace.failing_plan()?.text();
    assert!(text.contains("force_destroy = true"), "{text}");

    stage.write(&with("force_destroy = true\n  permanently_remove = true"))?;
    stage.workspace.apply()?;
    let repo = stage.workspace.resource(CHECKOUT)?;
    stage.workspace.destroy()?;
    stage.gitlab.settle()?;
    let path = format!("/projects/{}", repo["project_id"]);
    let left = stage.gitlab.api(Method::GET, &path, None);
    assert!(left.is_err(), "{left:?}");
    Ok(())
}

#[test]
fn it_is_archived_with_its_work_and_without_credentials() -> Case {
    let stage = Stage::with_vault(&with("archive_on_destroy = true"))?;
    let empty = stage.vault()?.inventory()?;
    stage.workspace.apply_with(&[])?;
    add_a_commit(&stage)?;
    stage.write(
        &REPO
            .replace(
                REPO.split_once("resource \"nautes_code_repo\"")
                    .map_or("", |(_, repo)| repo),
                "",
            )
            .replace("resource \"nautes_code_repo\"", ""),
    )?;
    stage.workspace.apply()?;
    let project = stage
        .gitlab
        .api(Method::GET, "/projects/shop%2Fcheckout", None)?;
    assert_eq!(project["archived"], true);
    assert_eq!(stage.deploy_keys("shop/checkout")?, Vec::<String>::new());
    assert_eq!(stage.vault()?.inventory()?, empty);

    // It is not taken over unless that is asked for.
    stage.write(REPO)?;
    let text = stage.workspace.failing_apply()?.text();
    assert!(text.contains("terraform import <address> repo-"), "{text}");
    stage.write(&with("adopt_existing = true\n  force_destroy = true"))?;
    stage.workspace.apply()?;
    let repo = stage.workspace.resource(CHECKOUT)?;
    assert_eq!(repo["project_id"], project["id"]);
    assert!(stage.clone("shop/checkout")?.join("main.rs").is_file());
    Ok(())
}

#[test]
fn a_creation_that_failed_goes_on() -> Case {
    let stage = Stage::with_vault(REPO)?;
    let fault = json!({
        "path": "/deploy_keys$", "failure": { "answer": { "status": 403 } },
    });
    stage.gitlab.inject_fault(&fault)?;
    stage.workspace.failing_apply()?;
    stage.gitlab.clear_faults()?;
    let projects = stage
        .gitlab
        .api(Method::GET, "/projects?search=checkout", None)?;
    let marked = projects[0]["description"].as_str().unwrap_or_default();
    assert!(marked.starts_with("[terraform: unfinished]"), "{marked}");
    stage.workspace.apply()?;
    let repo = stage.workspace.resource(CHECKOUT)?;
    assert_eq!(repo["project_id"], projects[0]["id"]);
    assert_eq!(repo["description"], "");
    assert_eq!(repo["drift"], Value::Null);
    Ok(())
}
