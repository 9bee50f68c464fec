//! Many entities of one product made and removed again, at the pace of a real GitLab.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use testbed::progress::step;

use super::bench_bed::{Bed, Bench};
use super::bodies;
use super::calls;

/// What a commit takes, in milliseconds: GitLab runs its hooks.
const COMMIT_LATENCY: u64 = 300;

/// What a read takes, in milliseconds.
const READ_LATENCY: u64 = 30;

/// How long GitLab takes in these runs, in words.
pub(super) fn pace() -> String {
    format!("{COMMIT_LATENCY} ms a commit and {READ_LATENCY} ms a read")
}

/// How many entities are made, and how many at a time.
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

/// Creation and destruction of the same entities; the product is there before and after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MassRun {
    /// To create all.
    pub(super) create: Effort,
    /// To destroy all.
    pub(super) destroy: Effort,
}

/// The runs made so far, so that each is made once however many metrics need it.
#[derive(Debug, Default)]
pub(super) struct MassRuns(RefCell<BTreeMap<Scale, MassRun>>);

impl MassRuns {
    /// The run at this scale.
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
    let bed = bench.bed(bodies::PRODUCT)?;
    bed.gitlab.change_switches(&json!({
        "latency_commit": COMMIT_LATENCY,
        "latency_read": READ_LATENCY,
    }))?;
    bed.write(&bodies::product_with_entities(scale.entities))?;
    let create = effort(&bed, scale.parallelism)?;
    bed.write(bodies::PRODUCT)?;
    let destroy = effort(&bed, scale.parallelism)?;
    Ok(MassRun { create, destroy })
}

fn effort(bed: &Bed, parallelism: usize) -> anyhow::Result<Effort> {
    let parallelism = format!("-parallelism={parallelism}");
    let apply = || {
        let started = Instant::now();
        let applied = bed.workspace.apply_with(&[&parallelism]);
        (applied, started.elapsed())
    };
    let ((applied, wall_time), calls) = bed.gitlab.calls_during(apply)?;
    applied?;
    Ok(Effort {
        commits: calls::commits(&calls),
        wall_time,
    })
}
