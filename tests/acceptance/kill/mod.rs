//! A process is killed while a call is in flight: each call of each operation, before and after its effect. The next
//! apply finishes the work.

mod matrix;
mod operation;
mod subject;

use testbed::{OpenBao, OpenBaoProgram};

use self::operation::Victim;
use self::subject::Subject;
use crate::harness::Case;

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
fn killed_at_any_call_a_product_is_finished_by_the_next_apply() -> Case {
    let renamed = PRODUCT.replace(r#""Shop""#, r#""The Shop""#);
    let subject = Subject::of_gitlab("product", "", PRODUCT, &renamed);
    subject.kill_at_every_call()?.expect_survival()
}

#[test]
fn killed_at_any_call_an_environment_is_finished_by_the_next_apply() -> Case {
    let changed = ENVIRONMENT.replace(r#"env_type = "staging""#, r#"env_type = "test""#);
    let subject = Subject::of_gitlab("environment", PRODUCT, ENVIRONMENT, &changed);
    subject.kill_at_every_call()?.expect_survival()
}

#[test]
fn killed_at_any_call_a_project_is_finished_by_the_next_apply() -> Case {
    let changed = PROJECT.replace(r#""rust""#, r#""go""#);
    let subject = Subject::of_gitlab("project", PRODUCT, PROJECT, &changed);
    subject.kill_at_every_call()?.expect_survival()
}

#[test]
fn killed_at_any_call_a_code_repository_is_finished_by_the_next_apply() -> Case {
    let folder = tempfile::tempdir()?;
    let vault = OpenBao::start(OpenBaoProgram::obtain()?, folder.path())?;
    vault.enable_kv("git")?;
    let changed = CODE_REPO.replace(r#""checkout""#, r#""till""#);
    let subject = Subject {
        vault: Some(&vault),
        victims: &[Victim::Provider],
        projects: 2,
        ..Subject::of_gitlab("code_repo", PRODUCT, CODE_REPO, &changed)
    };
    subject.kill_at_every_call()?.expect_survival()
}
