//! Runs that create and destroy many entities of one product, with the latencies of a real GitLab.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use testbed::progress::step;

use super::calls;
use super::configurations::{PRODUCT, product_with_entities};
use super::setup::Bench;
use super::stack::Stack;

/// How long a commit takes, in milliseconds: GitLab runs its hooks.
const COMMIT_LATENCY: u64 = 300;

/// How long a read takes, in milliseconds.
const READ_LATENCY: u64 = 30;

/// Describes the latencies in words.
pub(super) fn latencies() -> String {
    format!("{COMMIT_LATENCY} ms a commit and {READ_LATENCY} ms a read")
}

/// The size of a run.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Scale {
    /// The number of entities.
    pub(super) entities: usize,
    /// Terraform's `-parallelism`.
    pub(super) parallelism: usize,
}

/// What one `terraform apply` took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effort {
    /// Commits to the configuration repository.
    pub(super) commits: usize,
    /// From the start of the command to its end.
    pub(super) wall_time: Duration,
}

/// Creation and destruction of the same entities, in a product that exists before and after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MassRun {
    pub(super) create: Effort,
    pub(super) destroy: Effort,
}

/// The runs so far. Metrics that need the same run share it.
#[derive(Debug, Default)]
pub(super) struct MassRuns(RefCell<BTreeMap<Scale, MassRun>>);

impl MassRuns {
    /// Returns the run of a scale.
    pub(super) fn at(&self, bench: &Bench, scale: Scale) -> anyhow::Result<MassRun> {
        let known = self.0.borrow().get(&scale).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let Scale {
            entities,
            parallelism,
        } = scale;
        let title = format!("  {entities} entities at parallelism {parallelism}");
        let run = step(&title, || run(bench, scale))?;
        self.0.borrow_mut().insert(scale, run);
        Ok(run)
    }
}

fn run(bench: &Bench, scale: Scale) -> anyhow::Result<MassRun> {
    let stack = bench.stack(PRODUCT)?;
    stack.gitlab.update_switches(&json!({
        "latency_commit": COMMIT_LATENCY,
        "latency_read": READ_LATENCY,
    }))?;
    stack.write(&product_with_entities(scale.entities))?;
    let create = apply(&stack, scale.parallelism)?;
    stack.write(PRODUCT)?;
    let destroy = apply(&stack, scale.parallelism)?;
    Ok(MassRun { create, destroy })
}

fn apply(stack: &Stack, parallelism: usize) -> anyhow::Result<Effort> {
    let started = Instant::now();
    let calls = stack.apply(&[&format!("-parallelism={parallelism}")])?;
    Ok(Effort {
        wall_time: started.elapsed(),
        commits: calls::commits(&calls),
    })
}
