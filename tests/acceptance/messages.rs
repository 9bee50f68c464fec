//! What the command line shows where something is wrong.

use serde_json::json;
use testbed::Method;

use crate::test_env::{Case, TestEnv};

const SHOP: &str = r#"
resource "nautes_product" "shop" {
  name = "shop"
}
"#;

#[test]
fn values_from_the_environment_obey_the_rules_of_the_configuration() -> Case {
    for (variables, expected) in [
        (
            [("NAUTES_RECONCILER", "nautess"), ("NAUTES_TENANT", "acme")],
            &[
                "NAUTES_RECONCILER sets reconciler",
                r#"Did you mean "nautes"?"#,
            ],
        ),
        (
            [
                ("NAUTES_GITLAB_CA_FILE", "ca.pem"),
                ("NAUTES_GITLAB_CA_PEM", "pem"),
            ],
            &["NAUTES_GITLAB_CA_FILE", "NAUTES_GITLAB_CA_PEM"],
        ),
        (
            [
                ("NAUTES_VAULT_APPROLE_ROLE_ID", "role"),
                ("NAUTES_VAULT_JWT_TOKEN", "s3cr3t"),
            ],
            &["NAUTES_VAULT_APPROLE_ROLE_ID", "NAUTES_VAULT_JWT_TOKEN"],
        ),
    ] {
        let mut env = TestEnv::new(SHOP)?;
        for (variable, value) in variables {
            env.workspace.set_env(variable, value);
        }
        let text = env.workspace.failing_plan()?.text();
        for expected in expected {
            assert!(text.contains(expected), "{text}");
        }
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    Ok(())
}

#[test]
fn an_unknown_variable_of_the_provider_is_a_warning_that_names_it() -> Case {
    let mut env = TestEnv::new(SHOP)?;
    env.workspace
        .set_env("NAUTES_GITLAB_URLL", "https://example.com");
    let outcome = env.workspace.run(["plan", "-json"])?.success()?;
    let text = outcome.text();
    let expected = "NAUTES_GITLAB_URLL is ignored. Did you mean NAUTES_GITLAB_URL?";
    assert!(text.contains(expected), "{text}");
    Ok(())
}

#[test]
fn one_cause_is_told_once_and_the_other_errors_point_to_it() -> Case {
    let environments = r#"
resource "nautes_environment" "e" {
  count    = 8
  product  = nautes_product.shop.id
  name     = "e${count.index}"
  cluster  = "c${count.index}"
  env_type = "test"
}
"#;
    let mut env = TestEnv::new(&format!("{SHOP}{environments}"))?;
    env.workspace.apply()?;
    env.workspace
        .set_env("NAUTES_GITLAB_TOKEN", "glpat-unknown");
    let outcome = env.workspace.failing_plan()?;
    let details: Vec<_> = outcome
        .errors()
        .map(|error| error.detail.as_str())
        .collect();
    let whole = |detail: &&&str| detail.contains("Check the provider argument gitlab.token");
    assert_eq!(details.iter().filter(whole).count(), 1, "{details:#?}");
    for detail in details.iter().filter(|detail| !whole(detail)) {
        let pointer = "The first error with this cause tells what to do.";
        assert!(
            detail.ends_with(pointer) && detail.lines().count() == 1,
            "{detail}"
        );
    }
    Ok(())
}

#[test]
fn the_program_tells_its_version() -> Case {
    let program = env!("CARGO_BIN_EXE_terraform-provider-nautes");
    let output = std::process::Command::new(program)
        .arg("--version")
        .output()?;
    let expected = concat!(
        "terraform-provider-nautes ",
        env!("CARGO_PKG_VERSION"),
        "\n"
    );
    assert_eq!(String::from_utf8(output.stdout)?, expected);
    assert!(output.status.success());
    Ok(())
}

#[test]
fn the_log_tells_every_effect_with_the_object_it_belongs_to() -> Case {
    let mut env = TestEnv::new(SHOP)?;
    env.workspace = env.workspace.with_trace("INFO");
    env.workspace.apply()?;
    let log = env.workspace.trace();
    let effect = log
        .lines()
        .find(|line| line.contains("changed something in GitLab") && line.contains("/groups"));
    let effect = effect.unwrap_or_default();
    assert!(effect.contains("shop") && effect.contains("POST"), "{log}");
    Ok(())
}

#[test]
fn a_repository_that_was_moved_to_another_group_does_not_block_a_new_one_of_its_name() -> Case {
    let checkout = r#"
resource "nautes_code_repo" "checkout" {
  product = nautes_product.shop.id
  name    = "checkout"
}
"#;
    let env = TestEnv::with_vault(&format!("{SHOP}{checkout}"))?;
    env.workspace.apply()?;
    let people = json!({ "name": "people", "path": "people" });
    let people = env.gitlab.api(Method::POST, "/groups", Some(&people))?;
    let target = json!({ "namespace": people.get("id") });
    let transfer = "/projects/shop%2Fcheckout/transfer";
    env.gitlab.api(Method::PUT, transfer, Some(&target))?;
    let address = "nautes_code_repo.checkout";
    let refused = env.workspace.failing_plan()?.text();
    assert!(refused.contains("moved to another group"), "{refused}");
    env.workspace.run(["state", "rm", address])?.success()?;
    env.workspace.apply()?;
    let moved = env
        .gitlab
        .api(Method::GET, "/projects/people%2Fcheckout", None)?;
    let made = env.workspace.resource(address)?;
    assert_ne!(moved.get("id"), made.get("project_id"));
    Ok(())
}

#[test]
fn a_run_that_gitlab_throttles_ends_with_one_warning_that_says_for_how_long() -> Case {
    let environments = r#"
resource "nautes_environment" "e" {
  count    = 6
  product  = nautes_product.shop.id
  name     = "e${count.index}"
  cluster  = "c${count.index}"
  env_type = "test"
}
"#;
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    env.write(&format!("{SHOP}{environments}"))?;
    env.gitlab.inject_fault(&json!({
        "path": "/repository/commits$",
        "times": 1,
        "failure": { "throttled": { "retry_after": 2 } },
    }))?;
    let applied = env.workspace.apply_with(&[])?;
    let warnings: Vec<String> = applied
        .outcome
        .warnings()
        .map(ToString::to_string)
        .collect();
    let [warning] = warnings.as_slice() else {
        anyhow::bail!("expected one warning: {warnings:#?}");
    };
    assert!(
        warning.contains("Rate limits of GitLab delayed the run by "),
        "{warning}"
    );
    assert!(warning.contains("TF_LOG_PROVIDER=WARN"), "{warning}");
    Ok(())
}

#[test]
fn a_time_limit_says_what_was_waited_for() -> Case {
    let staging = r#"
resource "nautes_environment" "staging" {
  product  = nautes_product.shop.id
  name     = "staging"
  cluster  = "deployment-01"
  env_type = "staging"
  timeouts = { create = "2s" }
}
"#;
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    env.write(&format!("{SHOP}{staging}"))?;
    env.gitlab.inject_fault(&json!({
        "method": "POST", "path": "/repository/commits$", "failure": { "hang": {} },
    }))?;
    let text = env.workspace.failing_apply()?.text();
    for part in [
        "The create took longer than 2s",
        "while it waited for the commit of the environment `staging`",
        "timeouts = { create =",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    Ok(())
}
