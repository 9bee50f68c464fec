//! State, plans, logs and messages contain no secrets, and log lines can be filtered.

use std::fs;
use std::path::Path;

use anyhow::ensure;
use serde_json::json;

use crate::test_env::{Case, TestEnv};

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

/// The provider's token as an input variable, which Terraform reads from the environment.
const TOKEN_VARIABLE: &str = r#"
variable "token" {
  type      = string
  sensitive = true
}

provider "nautes" {
  gitlab = { token = var.token }
}
"#;

fn env_with_log(body: &str, level: &str) -> anyhow::Result<TestEnv> {
    let mut env = TestEnv::new(body)?;
    env.workspace = env.workspace.with_trace(level);
    Ok(env)
}

/// Checks that no file in a folder contains a text.
fn check_in_no_file(text: &str, folder: &Path) -> Case {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            check_in_no_file(text, &path)?;
        } else {
            let bytes = fs::read(&path)?;
            let is_found = bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes());
            ensure!(!is_found, "the token is in {}", path.display());
        }
    }
    Ok(())
}

/// Returns the log lines of the provider.
fn provider_lines(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.contains(" provider.terraform-provider-nautes"))
        .collect()
}

#[test]
fn a_token_from_the_environment_never_appears_in_files_plans_logs_or_messages() -> Case {
    let env = env_with_log(SHOP, "TRACE")?;
    let token = env.gitlab.root_token();
    env.workspace.plan()?;
    let planned = env.workspace.show_plan()?.to_string();
    assert!(planned.contains("nautes_environment") && !planned.contains(token));
    env.workspace.apply_plan()?;
    env.write(&SHOP.replace(r#"env_type = "staging""#, r#"env_type = "test""#))?;
    let refused = json!({ "method": "POST", "failure": { "respond": { "status": 403 } } });
    env.gitlab.inject_fault(&refused)?;
    let failed = env.workspace.failing_apply()?;
    assert!(!failed.stdout().contains(token) && !failed.stderr().contains(token));
    env.gitlab.clear_faults()?;
    env.workspace.apply()?;
    assert!(!env.workspace.state()?.to_string().contains(token));

    let log = env.workspace.trace();
    assert!(log.contains("[TRACE]") && provider_lines(&log).len() > 20);
    check_in_no_file(token, env.workspace.as_ref())
}

#[test]
fn a_token_from_the_configuration_never_appears_in_the_log_or_the_state() -> Case {
    let mut env = env_with_log(&format!("{TOKEN_VARIABLE}{SHOP}"), "TRACE")?;
    let token = env.gitlab.root_token().to_owned();
    env.workspace.set_env("TF_VAR_token", &token);
    env.workspace
        .set_env("NAUTES_GITLAB_TOKEN", "not the token");
    // Without a saved plan, because Terraform stores the values of variables in it.
    env.workspace.apply_with(&[])?;
    check_in_no_file(&token, env.workspace.as_ref())
}

#[test]
fn debug_lines_have_a_level_the_request_and_the_resource_type() -> Case {
    let env = env_with_log(SHOP, "DEBUG")?;
    env.workspace.apply_with(&[])?;
    let log = env.workspace.trace();
    let lines = provider_lines(&log);
    assert!(!lines.is_empty(), "{log}");
    for line in &lines {
        let is_levelled = ["[DEBUG]", "[INFO]", "[WARN]", "[ERROR]"]
            .iter()
            .any(|level| line.contains(level));
        // Terraform logs a line that it cannot parse as raw JSON.
        assert!(is_levelled && !line.contains("@message"), "{line}");
    }
    for kind in ["nautes_product", "nautes_environment"] {
        let is_of_request = |line: &&&str| {
            line.contains("tf_rpc=ApplyResourceChange")
                && line.contains(&format!("tf_resource_type={kind}"))
        };
        let count = lines.iter().filter(is_of_request).count();
        assert!(count > 0, "{kind}: {lines:#?}");
    }
    let is_of_call = |line: &&&str| line.contains("gitlab call") && line.contains("status=201");
    assert!(lines.iter().any(|line| is_of_call(&line)), "{lines:#?}");
    Ok(())
}

#[test]
fn a_successful_apply_logs_no_warnings() -> Case {
    let env = env_with_log(SHOP, "WARN")?;
    env.workspace.apply_with(&[])?;
    let log = env.workspace.trace();
    assert_eq!(provider_lines(&log), Vec::<&str>::new());
    Ok(())
}
