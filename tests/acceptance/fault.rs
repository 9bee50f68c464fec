//! GitLab fails, limits, refuses or is not there.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testbed::{Calls, Emulator, Method, at_most, exactly};

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

/// The commits of the repository after the creation: its first, the kustomization, and the environment.
const COMMITS: usize = 3;

/// Calls that a failure may cause: repetitions, and looking for what may have happened.
const MORE_CALLS: usize = 5;

/// When a failure hits: before the call has an effect, or after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    BeforeEffect,
    AfterEffect,
}

#[test]
fn a_creation_survives_status_500_at_each_call() -> Case {
    survive_at_each_call(&answer(500), Moment::BeforeEffect)
}

#[test]
fn a_creation_survives_status_500_after_the_effect_of_each_call() -> Case {
    survive_at_each_call(&answer(500), Moment::AfterEffect)
}

#[test]
fn a_creation_survives_status_502_at_each_call() -> Case {
    survive_at_each_call(&answer(502), Moment::BeforeEffect)
}

#[test]
fn a_creation_survives_status_502_after_the_effect_of_each_call() -> Case {
    survive_at_each_call(&answer(502), Moment::AfterEffect)
}

#[test]
fn a_creation_survives_a_dropped_connection_at_each_call() -> Case {
    survive_at_each_call(&json!("drop"), Moment::BeforeEffect)
}

#[test]
fn a_creation_survives_a_connection_dropped_after_the_effect_of_each_call() -> Case {
    survive_at_each_call(&json!("drop"), Moment::AfterEffect)
}

#[test]
fn a_creation_waits_as_long_as_a_throttle_at_each_call_asks() -> Case {
    let throttled = json!({ "throttled": { "retry_after": 1 } });
    survive_at_each_call(&throttled, Moment::BeforeEffect)
}

#[test]
fn a_creation_waits_at_a_limit_that_tells_no_time_at_each_call() -> Case {
    survive_at_each_call(&json!("limited"), Moment::BeforeEffect)
}

fn answer(status: u16) -> Value {
    json!({ "answer": { "status": status } })
}

/// Creates with a failure at one call, for each of them.
fn survive_at_each_call(failure: &Value, moment: Moment) -> Case {
    let undisturbed = Stage::with(SHOP)?;
    let (applied, calls) = undisturbed
        .gitlab
        .calls_during(|| undisturbed.workspace.apply_with(&[]))?;
    applied?;
    expect_made_once(&undisturbed.gitlab)?;
    for (passing, call) in calls.as_slice().iter().enumerate() {
        if call.is_write() || moment == Moment::BeforeEffect {
            let stage = Stage::with(SHOP)?;
            stage.gitlab.inject_fault(&json!({
                "skip": passing,
                "times": 1,
                "after_effect": moment == Moment::AfterEffect,
                "failure": failure,
            }))?;
            survive(&stage, &calls)
                .with_context(|| format!("{failure} at call {passing}, {call}"))?;
        }
    }
    Ok(())
}

fn survive(stage: &Stage, undisturbed: &Calls) -> Case {
    let applied = stage.workspace.apply_with(&[]);
    stage
        .gitlab
        .calls()?
        .assert_calls(at_most(undisturbed.count() + MORE_CALLS));
    applied?;
    stage.workspace.assert_empty_plan("after apply")?;
    expect_made_once(&stage.gitlab)
}

/// Checks that there are one group, one project, and no commit twice.
fn expect_made_once(gitlab: &Emulator) -> Case {
    let count = |path: &str| {
        let list = gitlab.api(Method::GET, path, None)?;
        anyhow::Ok(list.as_array().map_or(0, Vec::len))
    };
    let made = (
        count("/groups")?,
        count("/projects")?,
        count("/projects/shop%2Fdefault.project/repository/commits")?,
    );
    ensure!(
        made == (1, 1, COMMITS),
        "groups, projects and commits: {made:?}"
    );
    Ok(())
}

/// Plans while GitLab answers calls of a path like this, and expects an error and an untouched state.
fn expect_failing_refresh(stage: &Stage, path: &str, status: u16) -> anyhow::Result<String> {
    let before = stage.workspace.state_file();
    let fault = json!({ "path": path, "failure": answer(status) });
    stage.gitlab.inject_fault(&fault)?;
    let outcome = stage.workspace.failing_plan()?;
    let applied = stage.workspace.failing_apply()?;
    stage.gitlab.clear_faults()?;
    ensure!(outcome.exit_code() == applied.exit_code());
    ensure!(stage.workspace.state_file() == before);
    stage
        .workspace
        .assert_empty_plan("when GitLab is well again")?;
    Ok(outcome.text())
}

#[test]
fn a_refresh_that_is_not_permitted_is_an_error_and_removes_nothing() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    for path in ["/groups/", "/projects/[^/]+$", "/branches/"] {
        let text = expect_failing_refresh(&stage, path, 403)?;
        assert!(text.contains("gitlab.token"), "{path}: {text}");
    }
    Ok(())
}

#[test]
fn a_refresh_that_fails_is_an_error_and_removes_nothing() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    let text = expect_failing_refresh(&stage, "/branches/", 500)?;
    assert!(text.contains("status 500"), "{text}");
    assert!(text.contains("Apply again"), "{text}");
    Ok(())
}

#[test]
fn what_is_not_found_while_the_token_is_not_accepted_is_not_gone() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    let unknown = json!({ "path": "/user$", "failure": answer(401) });
    for path in ["/groups/", "/(groups|projects)/"] {
        stage.gitlab.inject_fault(&unknown)?;
        let text = expect_failing_refresh(&stage, path, 404)?;
        assert!(text.contains("gitlab.token"), "{path}: {text}");
    }
    Ok(())
}

#[test]
fn what_was_deleted_outside_is_planned_to_be_created() -> Case {
    let stage = Stage::with(SHOP)?;
    stage.workspace.apply()?;
    stage.gitlab.api(Method::DELETE, "/groups/shop", None)?;
    let (plan, calls) = stage.gitlab.calls_during(|| stage.workspace.plan())?;
    let plan = plan?;
    assert_eq!(plan.action("nautes_product.shop"), Some("create"), "{plan}");
    assert_eq!(
        plan.action("nautes_environment.staging"),
        Some("create"),
        "{plan}"
    );
    calls.writes().assert_calls(exactly(0));
    stage.workspace.apply()?;
    Ok(())
}

#[test]
fn a_token_that_was_revoked_is_named_and_another_one_goes_on() -> Case {
    let mut stage = Stage::with(SHOP)?;
    let wanted = json!({ "name": "terraform", "scopes": ["api"] });
    let user = stage.gitlab.api(Method::GET, "/user", None)?;
    let tokens = format!("/users/{}/personal_access_tokens", user["id"]);
    let token = stage.gitlab.api(Method::POST, &tokens, Some(&wanted))?;
    let secret = token["token"].as_str().context("no token")?;
    let root = stage.gitlab.root_token().to_owned();

    stage.workspace.set_env("NAUTES_GITLAB_TOKEN", secret);
    stage.workspace.apply()?;
    let path = format!("/personal_access_tokens/{}", token["id"]);
    stage.gitlab.api(Method::DELETE, &path, None)?;

    let before = stage.workspace.state_file();
    stage.write(&SHOP.replace(r#"env_type = "staging""#, r#"env_type = "test""#))?;
    let text = stage.workspace.failing_apply()?.text();
    assert!(
        text.contains("gitlab.token") && text.contains("revoked"),
        "{text}"
    );
    assert!(!text.contains(secret), "{text}");
    assert_eq!(stage.workspace.state_file(), before);

    stage.workspace.set_env("NAUTES_GITLAB_TOKEN", &root);
    stage.workspace.apply()?;
    Ok(())
}

#[test]
fn an_unreachable_gitlab_is_named_with_the_cause_within_half_a_minute() -> Case {
    let mut stage = Stage::with(SHOP)?;
    // The port is free: what is bound to it ends with this statement.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let url = format!("http://{closed}");
    stage.workspace.set_env("NAUTES_GITLAB_URL", &url);
    let begun = Instant::now();
    let text = stage.workspace.failing_apply()?.text();
    let took = begun.elapsed();
    assert!(text.contains(&url), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
    assert!(text.contains("gitlab.url"), "{text}");
    assert!(took < Duration::from_secs(32), "{took:?}");
    Ok(())
}
