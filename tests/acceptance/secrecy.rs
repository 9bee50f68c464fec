//! What is written down: nothing that is secret, and log lines that can be filtered.

use std::fs;
use std::path::Path;

use anyhow::ensure;
use serde_json::json;

use crate::harness::{Case, Stage};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}

resource "nautes_environment" "staging" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
}
"#;

/// The provider's token as an input variable, which Terraform takes from the environment.
const TOKEN_VARIABLE: &str = r#"
variable "token" {
  type      = string
  sensitive = true
}

provider "nautes" {
  gitlab = { token = var.token }
}
"#;

fn logging_stage(body: &str, level: &str) -> anyhow::Result<Stage> {
    let mut stage = Stage::with(body)?;
    stage.workspace = stage.workspace.with_trace(level);
    Ok(stage)
}

/// Checks that no file of a folder holds a text.
fn expect_in_no_file(text: &str, folder: &Path) -> Case {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            expect_in_no_file(text, &path)?;
        } else {
            let bytes = fs::read(&path)?;
            let holds = bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes());
            ensure!(!holds, "the token is in {}", path.display());
        }
    }
    Ok(())
}

/// The lines of the log that come from the provider.
fn provider_lines(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.contains(" provider.terraform-provider-nautes"))
        .collect()
}

#[test]
fn a_token_of_the_environment_is_in_no_file_no_plan_no_log_and_no_message() -> Case {
    let stage = logging_stage(SHOP, "TRACE")?;
    let token = stage.gitlab.root_token();
    stage.workspace.plan()?;
    let planned = stage.workspace.show_plan()?.to_string();
    assert!(planned.contains("nautes_environment") && !planned.contains(token));
    stage.workspace.apply_plan()?;
    stage.write(&SHOP.replace(r#"env_type = "staging""#, r#"env_type = "test""#))?;
    let refused = json!({ "method": "POST", "failure": { "answer": { "status": 403 } } });
    stage.gitlab.inject_fault(&refused)?;
    let failed = stage.workspace.failing_apply()?;
    assert!(!failed.stdout().contains(token) && !failed.stderr().contains(token));
    stage.gitlab.clear_faults()?;
    stage.workspace.apply()?;
    assert!(!stage.workspace.state()?.to_string().contains(token));

    let log = stage.workspace.trace();
    assert!(log.contains("[TRACE]") && provider_lines(&log).len() > 20);
    expect_in_no_file(token, stage.workspace.as_ref())
}

#[test]
fn a_token_of_the_configuration_is_not_in_the_log_and_not_in_the_state() -> Case {
    let mut stage = logging_stage(&format!("{TOKEN_VARIABLE}{SHOP}"), "TRACE")?;
    let token = stage.gitlab.root_token().to_owned();
    stage.workspace.set_env("TF_VAR_token", &token);
    stage
        .workspace
        .set_env("NAUTES_GITLAB_TOKEN", "not the token");
    // Without the plan that others save: Terraform keeps the values of variables in it.
    stage.workspace.apply_with(&[])?;
    expect_in_no_file(&token, stage.workspace.as_ref())
}

#[test]
fn debug_lines_have_a_level_the_request_and_the_type_of_the_resource() -> Case {
    let stage = logging_stage(SHOP, "DEBUG")?;
    stage.workspace.apply_with(&[])?;
    let log = stage.workspace.trace();
    let lines = provider_lines(&log);
    assert!(!lines.is_empty(), "{log}");
    for line in &lines {
        let is_levelled = ["[DEBUG]", "[INFO]", "[WARN]", "[ERROR]"]
            .iter()
            .any(|level| line.contains(level));
        // What Terraform cannot read as a line of a log it writes as it is.
        assert!(is_levelled && !line.contains("@message"), "{line}");
    }
    for kind in ["nautes_product", "nautes_environment"] {
        let of_request = |line: &&&str| {
            line.contains("tf_rpc=ApplyResourceChange")
                && line.contains(&format!("tf_resource_type={kind}"))
        };
        let served = lines.iter().filter(of_request).count();
        assert!(served > 0, "{kind}: {lines:#?}");
    }
    let of_call = |line: &&&str| line.contains("gitlab call") && line.contains("status=201");
    assert!(lines.iter().any(|line| of_call(&line)), "{lines:#?}");
    Ok(())
}

#[test]
fn a_log_of_warnings_is_silent_when_all_is_well() -> Case {
    let stage = logging_stage(SHOP, "WARN")?;
    stage.workspace.apply_with(&[])?;
    let log = stage.workspace.trace();
    assert_eq!(provider_lines(&log), Vec::<&str>::new());
    Ok(())
}
