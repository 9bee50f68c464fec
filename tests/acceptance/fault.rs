//! GitLab fails, throttles, denies access or is unreachable.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testbed::{Calls, Emulator, Method, at_most, exactly};

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

/// The commits of the repository after the creation: the initial one, the kustomization, and the environment.
const COMMITS: usize = 3;

/// The maximum number of additional calls after a failure: retries, and reads that find out whether a call took effect.
const EXTRA_CALLS: usize = 5;

/// When a failure occurs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Before the call takes effect.
    BeforeEffect,
    /// After the call has taken effect.
    AfterEffect,
}

#[test]
fn a_creation_survives_status_500_at_each_call() -> Case {
    check_creation_with_failure_at_each_call(&status_failure(500), Moment::BeforeEffect)
}

#[test]
fn a_creation_survives_status_500_after_the_effect_of_each_call() -> Case {
    check_creation_with_failure_at_each_call(&status_failure(500), Moment::AfterEffect)
}

#[test]
fn a_creation_survives_status_502_at_each_call() -> Case {
    check_creation_with_failure_at_each_call(&status_failure(502), Moment::BeforeEffect)
}

#[test]
fn a_creation_survives_status_502_after_the_effect_of_each_call() -> Case {
    check_creation_with_failure_at_each_call(&status_failure(502), Moment::AfterEffect)
}

#[test]
fn a_creation_survives_a_dropped_connection_at_each_call() -> Case {
    check_creation_with_failure_at_each_call(&json!("drop"), Moment::BeforeEffect)
}

#[test]
fn a_creation_survives_a_connection_dropped_after_the_effect_of_each_call() -> Case {
    check_creation_with_failure_at_each_call(&json!("drop"), Moment::AfterEffect)
}

#[test]
fn a_creation_honours_retry_after_at_each_call() -> Case {
    let throttled = json!({ "throttled": { "retry_after": 1 } });
    check_creation_with_failure_at_each_call(&throttled, Moment::BeforeEffect)
}

#[test]
fn a_creation_waits_for_a_rate_limit_without_retry_after_at_each_call() -> Case {
    check_creation_with_failure_at_each_call(&json!("limited"), Moment::BeforeEffect)
}

fn status_failure(status: u16) -> Value {
    json!({ "respond": { "status": status } })
}

/// Creates the product once per call, each time with a failure at that call.
fn check_creation_with_failure_at_each_call(failure: &Value, moment: Moment) -> Case {
    let baseline = TestEnv::new(SHOP)?;
    let (applied, calls) = baseline
        .gitlab
        .calls_during(|| baseline.workspace.apply_with(&[]))?;
    applied?;
    check_created_once(&baseline.gitlab)?;
    for (skip, call) in calls.as_slice().iter().enumerate() {
        if call.is_write() || moment == Moment::BeforeEffect {
            let env = TestEnv::new(SHOP)?;
            env.gitlab.inject_fault(&json!({
                "skip": skip,
                "times": 1,
                "after_effect": moment == Moment::AfterEffect,
                "failure": failure,
            }))?;
            check_creation(&env, &calls)
                .with_context(|| format!("{failure} at call {skip}, {call}"))?;
        }
    }
    Ok(())
}

fn check_creation(env: &TestEnv, baseline: &Calls) -> Case {
    let applied = env.workspace.apply_with(&[]);
    env.gitlab
        .calls()?
        .assert_calls(at_most(baseline.count() + EXTRA_CALLS));
    applied?;
    env.workspace.assert_empty_plan("after apply")?;
    check_created_once(&env.gitlab)
}

/// Checks that there is one group and one project, and that no commit was repeated.
fn check_created_once(gitlab: &Emulator) -> Case {
    let count = |path: &str| {
        let list = gitlab.api(Method::GET, path, None)?;
        anyhow::Ok(list.as_array().map_or(0, Vec::len))
    };
    let counts = (
        count("/groups")?,
        count("/projects")?,
        count("/projects/shop%2Fdefault.project/repository/commits")?,
    );
    ensure!(
        counts == (1, 1, COMMITS),
        "numbers of groups, projects and commits: {counts:?}"
    );
    Ok(())
}

/// Plans and applies while GitLab responds with `status` to calls of `path`; checks that both fail and the state
/// stays the same. Returns the errors of the plan.
fn check_failing_refresh(env: &TestEnv, path: &str, status: u16) -> anyhow::Result<String> {
    let before = env.workspace.state_file();
    let fault = json!({ "path": path, "failure": status_failure(status) });
    env.gitlab.inject_fault(&fault)?;
    let outcome = env.workspace.failing_plan()?;
    let applied = env.workspace.failing_apply()?;
    env.gitlab.clear_faults()?;
    ensure!(outcome.exit_code() == applied.exit_code());
    ensure!(env.workspace.state_file() == before);
    env.workspace.assert_empty_plan("after the failure")?;
    Ok(outcome.text())
}

#[test]
fn a_forbidden_refresh_is_an_error_and_removes_nothing() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    for path in ["/groups/", "/projects/[^/]+$", "/branches/"] {
        let text = check_failing_refresh(&env, path, 403)?;
        assert!(text.contains("gitlab.token"), "{path}: {text}");
    }
    Ok(())
}

#[test]
fn a_failed_refresh_is_an_error_and_removes_nothing() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    let text = check_failing_refresh(&env, "/branches/", 500)?;
    assert!(text.contains("status 500"), "{text}");
    assert!(text.contains("Apply again"), "{text}");
    Ok(())
}

#[test]
fn objects_not_found_with_an_invalid_token_are_not_removed() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    // The calls that could prove that the objects are gone.
    let unknown = json!({
        "path": "/(user|application/settings)$", "failure": status_failure(401),
    });
    for path in ["/groups/", "/(groups|projects)/"] {
        env.gitlab.inject_fault(&unknown)?;
        let text = check_failing_refresh(&env, path, 404)?;
        assert!(text.contains("gitlab.token"), "{path}: {text}");
    }
    Ok(())
}

#[test]
fn objects_deleted_outside_terraform_are_planned_to_be_created() -> Case {
    let env = TestEnv::new(SHOP)?;
    env.workspace.apply()?;
    env.gitlab.api(Method::DELETE, "/groups/shop", None)?;
    let (plan, calls) = env.gitlab.calls_during(|| env.workspace.plan())?;
    let plan = plan?;
    assert_eq!(plan.action("nautes_product.shop"), Some("create"), "{plan}");
    assert_eq!(
        plan.action("nautes_environment.staging"),
        Some("create"),
        "{plan}"
    );
    calls.writes().assert_calls(exactly(0));
    env.workspace.apply()?;
    Ok(())
}

#[test]
fn a_revoked_token_is_reported_and_the_next_apply_succeeds_with_another() -> Case {
    let mut env = TestEnv::new(SHOP)?;
    let wanted = json!({ "name": "terraform", "scopes": ["api"] });
    let user = env.gitlab.api(Method::GET, "/user", None)?;
    let tokens = format!("/users/{}/personal_access_tokens", user["id"]);
    let token = env.gitlab.api(Method::POST, &tokens, Some(&wanted))?;
    let secret = token["token"].as_str().context("no token")?;
    let root = env.gitlab.root_token().to_owned();

    env.workspace.set_env("NAUTES_GITLAB_TOKEN", secret);
    env.workspace.apply()?;
    let path = format!("/personal_access_tokens/{}", token["id"]);
    env.gitlab.api(Method::DELETE, &path, None)?;

    let before = env.workspace.state_file();
    env.write(&SHOP.replace(r#"env_type = "staging""#, r#"env_type = "test""#))?;
    let text = env.workspace.failing_apply()?.text();
    assert!(
        text.contains("gitlab.token") && text.contains("revoked"),
        "{text}"
    );
    assert!(!text.contains(secret), "{text}");
    assert_eq!(env.workspace.state_file(), before);

    env.workspace.set_env("NAUTES_GITLAB_TOKEN", &root);
    env.workspace.apply()?;
    Ok(())
}

#[test]
fn an_unreachable_gitlab_is_reported_with_its_cause_within_half_a_minute() -> Case {
    let mut env = TestEnv::new(SHOP)?;
    // The port is closed: the listener is dropped at the end of this statement.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let url = format!("http://{closed}");
    env.workspace.set_env("NAUTES_GITLAB_URL", &url);
    let started = Instant::now();
    let text = env.workspace.failing_apply()?.text();
    let duration = started.elapsed();
    assert!(text.contains(&url), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
    assert!(text.contains("gitlab.url"), "{text}");
    // Calls wait 30 s; the rest is the start of the processes.
    assert!(duration < Duration::from_secs(45), "{duration:?}");
    Ok(())
}
