//! A process is killed while a call is in flight: each call of each operation, before and after its effect. The next
//! apply finishes the work.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use testbed::{Call, Calls, Hold};

use crate::harness::{Case, Stage};

/// For how long a provider that goes on alone waits for the answer of the call that was in flight: long enough for
/// the next apply to have begun.
const LATE: Duration = Duration::from_millis(200);

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

/// What an apply makes of the configuration that was applied before.
struct Operation<'a> {
    before: &'a str,
    after: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Provider,
    CommandLine,
}

/// One kill, and what became of it.
struct Row {
    operation: &'static str,
    call: Call,
    victim: Victim,
    hold: Hold,
    outcome: anyhow::Result<Repair>,
    took: Duration,
}

/// All kills of one kind of object.
struct Matrix {
    kind: &'static str,
    rows: Vec<Row>,
}

/// How many calls of the next apply could change something.
struct Repair {
    writes: usize,
}

#[test]
fn killed_at_any_call_a_product_is_finished_by_the_next_apply() -> Case {
    let renamed = PRODUCT.replace(r#""Shop""#, r#""The Shop""#);
    let matrix = kill_at_every_call("product", "", PRODUCT, &renamed)?;
    println!("{matrix}");
    matrix.expect_survival()
}

#[test]
fn killed_at_any_call_an_environment_is_finished_by_the_next_apply() -> Case {
    let changed = ENVIRONMENT.replace(r#"env_type = "staging""#, r#"env_type = "test""#);
    let matrix = kill_at_every_call("environment", PRODUCT, ENVIRONMENT, &changed)?;
    println!("{matrix}");
    matrix.expect_survival()
}

#[test]
fn killed_at_any_call_a_project_is_finished_by_the_next_apply() -> Case {
    let changed = PROJECT.replace(r#""rust""#, r#""go""#);
    let matrix = kill_at_every_call("project", PRODUCT, PROJECT, &changed)?;
    println!("{matrix}");
    matrix.expect_survival()
}

/// Kills creation, update and destruction of an object at each call.
fn kill_at_every_call(
    kind: &'static str,
    surroundings: &str,
    object: &str,
    changed: &str,
) -> anyhow::Result<Matrix> {
    let without = surroundings.to_owned();
    let with = format!("{surroundings}{object}");
    let changed = format!("{surroundings}{changed}");
    let operations = [
        ("create", &without, &with),
        ("update", &with, &changed),
        ("destroy", &with, &without),
    ];
    let mut rows = Vec::new();
    let mut orphaned = Vec::new();
    for (name, before, after) in operations {
        let operation = Operation { before, after };
        let calls = operation.undisturbed_calls()?;
        let writes = calls.writes().count();
        ensure!(writes > 0, "{name} takes no call that writes");
        for (passing, call) in calls.as_slice().iter().enumerate() {
            for (victim, hold) in kills(call) {
                let begun = Instant::now();
                let stage = operation.stage()?;
                let survived = survive(&stage, passing, victim, hold);
                rows.push(Row {
                    operation: name,
                    call: call.clone(),
                    victim,
                    hold,
                    outcome: survived.and_then(|repair| repair.within(writes, hold)),
                    took: begun.elapsed(),
                });
                if (victim, hold) == (Victim::CommandLine, Hold::BeforeEffect) {
                    // Its provider waits for an answer that never comes; meanwhile other kills can be made.
                    orphaned.push(stage);
                }
            }
        }
    }
    orphaned.iter().try_for_each(Stage::expect_no_provider)?;
    Ok(Matrix { kind, rows })
}

impl Matrix {
    fn expect_survival(&self) -> Case {
        let lost = self.rows.iter().filter(|row| row.outcome.is_err()).count();
        ensure!(lost == 0, "{lost} kills were not survived:\n{self}");
        Ok(())
    }
}

/// The ways to kill at a call. A read has no effect; without the command line the provider goes on when it is answered.
fn kills(call: &Call) -> Vec<(Victim, Hold)> {
    let mut kills = vec![
        (Victim::Provider, Hold::BeforeEffect),
        (Victim::CommandLine, Hold::For(LATE)),
    ];
    if call.is_write() {
        kills.push((Victim::Provider, Hold::AfterEffect));
        kills.push((Victim::CommandLine, Hold::BeforeEffect));
    }
    kills
}

impl Operation<'_> {
    /// A stage on which the operation can begin.
    fn stage(&self) -> anyhow::Result<Stage> {
        let stage = Stage::with(self.before)?;
        if !self.before.is_empty() {
            stage.workspace.apply_with(&[])?;
        }
        stage.write(self.after)?;
        Ok(stage)
    }

    fn undisturbed_calls(&self) -> anyhow::Result<Calls> {
        let stage = self.stage()?;
        let (applied, calls) = stage
            .gitlab
            .calls_during(|| stage.workspace.apply_with(&[]))?;
        applied?;
        Ok(calls)
    }
}

/// Kills at one call, applies again, and destroys.
fn survive(stage: &Stage, passing: usize, victim: Victim, hold: Hold) -> anyhow::Result<Repair> {
    let held = stage.gitlab.hold_call(passing, hold)?;
    let mut running = stage.workspace.start_apply(&[])?;
    if !held.wait_until_held(|| running.has_ended())? {
        bail!(
            "the run has not made this call:\n{}",
            running.finish()?.text()
        );
    }
    match victim {
        Victim::Provider => running.kill_providers(),
        Victim::CommandLine => running.kill(),
    }
    let exit_code = running.finish()?.exit_code();
    let expected = match victim {
        Victim::Provider => Some(1),
        Victim::CommandLine => None,
    };
    ensure!(exit_code == expected, "it ended with {exit_code:?}");

    let (applied, calls) = stage
        .gitlab
        .calls_during(|| stage.workspace.apply_with(&[]))?;
    applied.context("the next apply")?;
    if matches!(hold, Hold::For(_)) {
        stage.expect_no_provider()?;
    }
    stage.workspace.assert_empty_plan("after the next apply")?;
    stage.workspace.destroy().context("the destruction")?;
    let left = stage.workspace.addresses()?;
    ensure!(left.is_empty(), "the state still holds {left:?}");
    stage.expect_only_remains(1, &["shop"])?;
    Ok(Repair {
        writes: calls.writes().count(),
    })
}

impl Repair {
    /// Checks that nothing was done twice: the repair of a killed operation writes no more than the operation itself.
    ///
    /// Beside a provider that goes on alone, it may lose a race and write once more.
    fn within(self, undisturbed: usize, hold: Hold) -> anyhow::Result<Self> {
        ensure!(
            matches!(hold, Hold::For(_)) || self.writes <= undisturbed,
            "the next apply took {} writes, and undisturbed it takes {undisturbed}",
            self.writes
        );
        Ok(self)
    }
}

impl Display for Matrix {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { kind, rows } = self;
        rows.iter()
            .try_for_each(|row| writeln!(formatter, "{kind:<12}{row}"))
    }
}

impl Display for Row {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let victim = match self.victim {
            Victim::Provider => "provider",
            Victim::CommandLine => "command line",
        };
        let moment = match self.hold {
            Hold::BeforeEffect => "before",
            Hold::AfterEffect | Hold::For(_) => "after",
        };
        let call = format!("{} {}", self.call.method, self.call.route);
        let Self {
            operation, outcome, ..
        } = self;
        let seconds = self.took.as_secs_f32();
        write!(
            formatter,
            "{operation:<9}{call:<48}{victim:<14}{moment:<8}{seconds:>5.1} s  "
        )?;
        match outcome {
            Ok(repair) => write!(formatter, "finished, writes: {}", repair.writes),
            Err(error) => write!(formatter, "LOST: {error:#}"),
        }
    }
}
