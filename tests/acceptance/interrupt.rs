//! Ctrl-C while a call is in flight.

use std::time::{Duration, Instant};

use anyhow::ensure;
use testbed::{Hold, Outcome, at_most, exactly};

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

/// The calls of a product's creation before the one that makes its project.
const BEFORE_PROJECT: usize = 1;

/// A provider that is stopped gives up what it waits for after five seconds; the rest is for slow machines.
const PROMPT: Duration = Duration::from_secs(12);

/// Applies, and interrupts the run `times` when the product's project is being made.
fn interrupted_apply(stage: &Stage, hold: Hold, times: usize) -> anyhow::Result<Outcome> {
    let held = stage.gitlab.hold_call(BEFORE_PROJECT, hold)?;
    let mut running = stage.workspace.start_apply(&[])?;
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
    let took = interrupted.elapsed();
    ensure!(took < PROMPT, "it ended {took:?} after the interrupt");
    Ok(outcome)
}

#[test]
fn an_interrupted_creation_comes_to_its_end_and_nothing_new_begins() -> Case {
    let stage = Stage::with(SHOP)?;
    let outcome = interrupted_apply(&stage, Hold::For(Duration::from_millis(600)), 1)?;
    assert_eq!(outcome.exit_code(), Some(1), "{}", outcome.text());
    assert_eq!(stage.workspace.addresses()?, ["nautes_product.shop"]);
    stage.expect_no_provider()?;
    let (applied, calls) = stage.gitlab.calls_during(|| stage.workspace.apply())?;
    applied?;
    calls.writes().assert_calls(exactly(1));
    Ok(())
}

#[test]
fn an_interrupted_creation_that_gets_no_answer_is_stopped_and_finished_by_the_next_apply() -> Case {
    let stage = Stage::with(SHOP)?;
    let outcome = interrupted_apply(&stage, Hold::BeforeEffect, 1)?;
    assert_eq!(outcome.exit_code(), Some(1));
    let text = outcome.text();
    assert!(
        text.contains("Run the command again to finish it"),
        "{text}"
    );
    assert_eq!(stage.workspace.addresses()?, Vec::<String>::new());
    stage.expect_no_provider()?;
    let (applied, calls) = stage.gitlab.calls_during(|| stage.workspace.apply())?;
    applied?;
    calls.writes().assert_calls(at_most(5));
    stage.workspace.destroy()?;
    stage.expect_only_remains(1, &["shop"])
}

#[test]
fn after_a_second_interrupt_everything_ends_at_once_and_the_next_apply_finishes_it() -> Case {
    let stage = Stage::with(SHOP)?;
    let outcome = interrupted_apply(&stage, Hold::AfterEffect, 2)?;
    assert_ne!(outcome.exit_code(), Some(0));
    stage.expect_no_provider()?;
    stage.workspace.apply()?;
    stage.workspace.destroy()?;
    stage.expect_only_remains(1, &["shop"])
}

#[test]
fn a_provider_ends_when_its_command_line_is_killed() -> Case {
    let stage = Stage::with(SHOP)?;
    let held = stage.gitlab.hold_call(BEFORE_PROJECT, Hold::BeforeEffect)?;
    let mut running = stage.workspace.start_apply(&[])?;
    assert!(held.wait_until_held(|| running.has_ended())?);
    running.kill();
    assert_eq!(running.finish()?.exit_code(), None);
    assert_eq!(stage.workspace.provider_processes().len(), 1);
    stage.expect_no_provider()
}
