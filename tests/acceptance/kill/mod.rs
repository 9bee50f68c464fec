//! Kills a process while a call is in flight, for each call of each operation, before and after the call takes effect.
//! The next apply finishes the operation.

mod matrix;
mod operation;
mod scenario;

use testbed::{OpenBao, OpenBaoProgram};

use self::operation::Process;
use self::scenario::Scenario;
use crate::test_env::Case;

const PRODUCT: &str = r#"
resource "nautes_product" "shop" {
  name         = "shop"
  display_name = "Shop"
}
"#;

const ENVIRONMENT: &str = r#"
resource "nautes_environment" "this" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
}
"#;

const PROJECT: &str = r#"
resource "nautes_project" "this" {
  product  = nautes_product.shop.id
  name     = "checkout"
  language = "rust"
}
"#;

const CODE_REPO: &str = r#"
resource "nautes_code_repo" "this" {
  product      = nautes_product.shop.id
  name         = "checkout"
  access_token = {}
}
"#;

#[test]
fn the_next_apply_finishes_a_product_after_a_kill_at_any_call() -> Case {
    let renamed = PRODUCT.replace(r#""Shop""#, r#""The Shop""#);
    let scenario = Scenario::new("product", "", PRODUCT, &renamed);
    scenario.kill_at_every_call()?.check_all_finished()
}

#[test]
fn the_next_apply_finishes_an_environment_after_a_kill_at_any_call() -> Case {
    let changed = ENVIRONMENT.replace(r#"env_type = "staging""#, r#"env_type = "test""#);
    let scenario = Scenario::new("environment", PRODUCT, ENVIRONMENT, &changed);
    scenario.kill_at_every_call()?.check_all_finished()
}

#[test]
fn the_next_apply_finishes_a_project_after_a_kill_at_any_call() -> Case {
    let changed = PROJECT.replace(r#""rust""#, r#""go""#);
    let scenario = Scenario::new("project", PRODUCT, PROJECT, &changed);
    scenario.kill_at_every_call()?.check_all_finished()
}

#[test]
fn the_next_apply_finishes_a_code_repository_after_a_kill_at_any_call() -> Case {
    let folder = tempfile::tempdir()?;
    let vault = OpenBao::start(OpenBaoProgram::obtain()?, folder.path())?;
    vault.enable_kv("git")?;
    let changed = CODE_REPO.replace(r#""checkout""#, r#""till""#);
    let scenario = Scenario {
        vault: Some(&vault),
        processes: &[Process::Provider],
        projects: 2,
        ..Scenario::new("code_repo", PRODUCT, CODE_REPO, &changed)
    };
    scenario.kill_at_every_call()?.check_all_finished()
}
