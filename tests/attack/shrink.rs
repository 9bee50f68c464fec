//! Finds a short list of steps that leads to the same violation.

use std::sync::Arc;
use std::time::Instant;

use crate::execute::Attack;
use crate::step::Step;
use crate::world::{Vault, World};

/// How a list of steps ended.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The violations of the last step.
    pub(crate) violations: Vec<crate::invariant::Violation>,
    /// The last step's requests and calls.
    pub(crate) log: Vec<String>,
    /// How many steps were carried out.
    pub(crate) steps: usize,
}

/// Carries out steps on a new world until one violates the invariant.
pub(crate) async fn replay(
    vault: &Arc<Vault>,
    seed: u64,
    steps: &[Step],
) -> anyhow::Result<Replay> {
    let mut attack = Attack::start(World::start(Arc::clone(vault), seed).await?).await?;
    let mut replay = Replay::default();
    for step in steps {
        replay.steps += 1;
        let outcome = attack.step(step).await?;
        if !outcome.violations.is_empty() {
            replay.violations = outcome.violations;
            replay.log = outcome.log;
            break;
        }
    }
    Ok(replay)
}

/// Leaves out steps as long as a violation of the kind remains, until `deadline`.
pub(crate) async fn shrink(
    vault: &Arc<Vault>,
    seed: u64,
    steps: &[Step],
    kind: &str,
    deadline: Instant,
) -> anyhow::Result<Vec<Step>> {
    let mut shortest = steps.to_vec();
    let mut chunk = (shortest.len() / 2).max(1);
    loop {
        let mut start = 0;
        let mut has_shrunk = false;
        while start < shortest.len() {
            if Instant::now() > deadline {
                return Ok(shortest);
            }
            let end = (start + chunk).min(shortest.len());
            let mut shorter = shortest.clone();
            shorter.drain(start..end);
            let replayed = replay(vault, seed, &shorter).await?;
            if replayed.violations.iter().any(|found| found.kind == kind) {
                shorter.truncate(replayed.steps);
                shortest = shorter;
                has_shrunk = true;
            } else {
                start = end;
            }
        }
        if chunk == 1 && !has_shrunk {
            return Ok(shortest);
        }
        chunk = (chunk / 2).max(1);
    }
}
