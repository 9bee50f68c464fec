//! Ctrl-C while a call is in flight.

use std::time::{Duration, Instant};

use anyhow::ensure;
use testbed::{Hold, Outcome, at_most, exactly};

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

/// The number of calls before the one that creates a product's project: the look for its group by
/// the plan and again by the apply, and the creation of the group.
const CALLS_BEFORE_PROJECT: usize = 3;

/// An interrupted provider stops waiting after five seconds; the rest is for slow machines.
const EXIT_LIMIT: Duration = Duration::from_secs(12);

/// Applies, and interrupts the run `times` times while the product's project is being created.
fn interrupted_apply(env: &TestEnv, hold: Hold, times: usize) -> anyhow::Result<Outcome> {
    let held = env.gitlab.hold_call(CALLS_BEFORE_PROJECT, hold)?;
    let mut running = env.workspace.start_apply(&[])?;
    ensure!(
        held.wait_until_held(|| running.has_ended())?,
        "no call was held"
    );
    let interrupted = Instant::now();
    for _ in 0..times {
        running.interrupt();
        std::thread::sleep(Duration::from_millis(200));
    }
    let outcome = running.finish()?;
    let duration = interrupted.elapsed();
    ensure!(
        duration < EXIT_LIMIT,
        "the run ended {duration:?} after the interrupt"
    );
    Ok(outcome)
}

#[test]
fn an_interrupted_creation_completes_and_no_other_operation_starts() -> Case {
    let env = TestEnv::new(SHOP)?;
    let outcome = interrupted_apply(&env, Hold::For(Duration::from_millis(600)), 1)?;
    assert_eq!(outcome.exit_code(), Some(1), "{}", outcome.text());
    assert_eq!(env.workspace.addresses()?, ["nautes_product.shop"]);
    env.wait_for_providers_to_exit()?;
    let (applied, calls) = env.gitlab.calls_during(|| env.workspace.apply())?;
    applied?;
    calls.writes().assert_calls(exactly(1));
    Ok(())
}

#[test]
fn an_interrupted_creation_without_a_response_stops_and_the_next_apply_finishes_it() -> Case {
    let env = TestEnv::new(SHOP)?;
    let outcome = interrupted_apply(&env, Hold::BeforeEffect, 1)?;
    assert_eq!(outcome.exit_code(), Some(1));
    let text = outcome.text();
    assert!(
        text.contains("Run the command again to finish it"),
        "{text}"
    );
    assert_eq!(env.workspace.addresses()?, Vec::<String>::new());
    env.wait_for_providers_to_exit()?;
    let (applied, calls) = env.gitlab.calls_during(|| env.workspace.apply())?;
    applied?;
    // The refused creation of the group, the claim in its mark, the project, two commits, and the mark off.
    calls.writes().assert_calls(at_most(6));
    env.workspace.destroy()?;
    env.check_products_marked_for_deletion(1, &["shop"])
}

#[test]
fn a_second_interrupt_ends_the_run_immediately_and_the_next_apply_finishes_it() -> Case {
    let env = TestEnv::new(SHOP)?;
    let outcome = interrupted_apply(&env, Hold::AfterEffect, 2)?;
    assert_ne!(outcome.exit_code(), Some(0));
    env.wait_for_providers_to_exit()?;
    env.workspace.apply()?;
    env.workspace.destroy()?;
    env.check_products_marked_for_deletion(1, &["shop"])
}

#[test]
fn a_provider_exits_when_its_command_line_is_killed() -> Case {
    let env = TestEnv::new(SHOP)?;
    let held = env
        .gitlab
        .hold_call(CALLS_BEFORE_PROJECT, Hold::BeforeEffect)?;
    let mut running = env.workspace.start_apply(&[])?;
    assert!(held.wait_until_held(|| running.has_ended())?);
    running.kill();
    assert_eq!(running.finish()?.exit_code(), None);
    assert_eq!(env.workspace.provider_processes().len(), 1);
    env.wait_for_providers_to_exit()
}
