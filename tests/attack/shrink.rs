//! Finds a short list of steps that leads to the same violation.

use std::sync::Arc;
use std::time::Instant;

use crate::execute::Attack;
use crate::step::{Run, Step};
use crate::world::{Role, Target, Vault, VaultRole, World};

/// How a list of steps ended.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The violations.
    pub(crate) violations: Vec<crate::invariant::Violation>,
    /// The requests and calls of the last step that violated the invariant.
    pub(crate) log: Vec<String>,
    /// How many steps were carried out.
    pub(crate) steps: usize,
}

/// Carries out steps on a new world: until one violates the invariant in the way that is `wanted`, or
/// all, to find every violation.
pub(crate) async fn replay(
    vault: &Arc<Vault>,
    seed: u64,
    steps: &[Step],
    wanted: Option<&str>,
) -> anyhow::Result<Replay> {
    let mut steps_elsewhere = steps.iter().filter(|step| match step {
        Step::Run(run) => run.target == Target::Other,
        _ => false,
    });
    let has_other = steps_elsewhere.next().is_some();
    let world = World::start(Arc::clone(vault), seed, has_other).await?;
    let mut attack = Attack::start(world).await?;
    let mut replay = Replay::default();
    for step in steps {
        replay.steps += 1;
        let outcome = attack.step(step).await?;
        let mut kinds = outcome.violations.iter().map(|found| found.kind.as_str());
        let is_wanted = kinds.any(|kind| wanted.is_none_or(|wanted| wanted == kind));
        if is_wanted {
            replay.violations.extend(outcome.violations);
            replay.log = outcome.log;
            if wanted.is_some() {
                break;
            }
        }
    }
    Ok(replay)
}

/// Leaves out steps, and what is special about them, as long as a violation of the kind remains,
/// until `deadline`.
pub(crate) async fn shrink(
    vault: &Arc<Vault>,
    seed: u64,
    steps: &[Step],
    kind: &str,
    deadline: Instant,
) -> anyhow::Result<Vec<Step>> {
    let mut search = Search {
        vault,
        seed,
        kind,
        deadline,
        shortest: steps.to_vec(),
    };
    for group in GROUPS {
        search.leave_out_all(group).await?;
    }
    let mut chunk = (search.shortest.len() / 2).max(1);
    loop {
        let has_shrunk = search.leave_out(chunk).await?;
        if chunk == 1 && !has_shrunk {
            break;
        }
        chunk = (chunk / 2).max(1);
    }
    search.simplify().await?;
    Ok(search.shortest)
}

struct Search<'a> {
    vault: &'a Arc<Vault>,
    seed: u64,
    kind: &'a str,
    deadline: Instant,
    shortest: Vec<Step>,
}

impl Search<'_> {
    /// Takes other steps if they lead to the violation too.
    async fn take(&mut self, mut steps: Vec<Step>) -> anyhow::Result<bool> {
        if Instant::now() > self.deadline {
            return Ok(false);
        }
        let replayed = replay(self.vault, self.seed, &steps, Some(self.kind)).await?;
        let leads_there = !replayed.violations.is_empty();
        if leads_there {
            steps.truncate(replayed.steps);
            self.shortest = steps;
        }
        Ok(leads_there)
    }

    /// Leaves out all steps of a group but the last step, which is always needed.
    async fn leave_out_all(&mut self, group: fn(&Step) -> bool) -> anyhow::Result<()> {
        let last = self.shortest.len().saturating_sub(1);
        let first_run = self.shortest.iter().position(is_run);
        let steps = self.shortest.iter().enumerate();
        let shorter: Vec<Step> = steps
            .filter(|(position, step)| {
                *position == last || Some(*position) == first_run || !group(step)
            })
            .map(|(_, step)| step.clone())
            .collect();
        if shorter.len() < self.shortest.len() {
            self.take(shorter).await?;
        }
        Ok(())
    }

    /// Leaves out as many groups of `chunk` steps as possible. The last step is always needed.
    async fn leave_out(&mut self, chunk: usize) -> anyhow::Result<bool> {
        let mut start = 0;
        let mut has_shrunk = false;
        while start + 1 < self.shortest.len() {
            let end = (start + chunk).min(self.shortest.len() - 1);
            let mut shorter = self.shortest.clone();
            shorter.drain(start..end);
            if self.take(shorter).await? {
                has_shrunk = true;
            } else {
                start = end;
            }
        }
        Ok(has_shrunk)
    }

    async fn simplify(&mut self) -> anyhow::Result<()> {
        for position in 0..self.shortest.len() {
            for simpler in SIMPLER {
                let mut steps = self.shortest.clone();
                if let Some(Step::Run(run)) = steps.get_mut(position) {
                    simpler(run);
                }
                if steps != self.shortest {
                    self.take(steps).await?;
                }
            }
        }
        Ok(())
    }
}

/// Steps that are often not needed, all of them at once.
const GROUPS: [fn(&Step) -> bool; 5] = [
    |step| is_run(step) || matches!(step, Step::Change(_)),
    is_run,
    |step| matches!(step, Step::Change(_)),
    |step| workspace(step) == Some(1),
    |step| workspace(step) == Some(0),
];

fn is_run(step: &Step) -> bool {
    matches!(step, Step::Run(_))
}

fn workspace(step: &Step) -> Option<usize> {
    match step {
        Step::Write { workspace, .. }
        | Step::Remove { workspace, .. }
        | Step::Import { workspace, .. }
        | Step::Forget { workspace, .. }
        | Step::RollBack { workspace, .. } => Some(*workspace),
        Step::Run(run) => Some(run.workspace),
        Step::Change(_) => None,
    }
}

/// What makes a run less special.
const SIMPLER: [fn(&mut Run); 9] = [
    |run| run.fault = None,
    |run| run.between = None,
    |run| run.by_command_line = false,
    |run| run.role = Role::default(),
    |run| run.vault_role = VaultRole::default(),
    |run| run.skips_refresh = false,
    |run| run.targets.clear(),
    |run| run.replaces.clear(),
    |run| run.parallelism = 1,
];
