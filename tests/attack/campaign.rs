//! Attacks worlds until the time is over.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use testbed::progress::say;

use crate::execute::Attack;
use crate::generator;
use crate::report::{Finding, Report};
use crate::shrink::{replay, shrink};
use crate::step::Step;
use crate::world::{Vault, World};

/// How many worlds are attacked at once. Much of a run is waiting.
const WORKERS: u64 = 3;

/// How many steps a world sees.
const STEPS: usize = 30;

/// How long the search for a shorter list of steps may take.
const SHRINKING: Duration = Duration::from_secs(60);

const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

const CASES: &str = include_str!("cases.json");

/// Steps that once violated the invariant.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    /// What was violated.
    pub(crate) title: String,
    /// The seed of the world.
    pub(crate) seed: u64,
    pub(crate) steps: Vec<Step>,
}

/// What the workers share.
struct Campaign {
    vault: Arc<Vault>,
    seed: u64,
    worlds: AtomicU64,
    deadline: Instant,
    report: Mutex<Report>,
}

/// Replays the cases, attacks worlds until the time is over, and reports. Violations are an error.
pub(crate) fn run() -> anyhow::Result<()> {
    // Fails if a provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let seconds = variable("NAUTES_ATTACK_SECONDS")?.unwrap_or(60);
    let seed = variable("NAUTES_ATTACK_SEED")?.unwrap_or_else(|| fastrand::u64(..));
    say(&format!("attack: seed {seed}, {seconds} s"));
    let folder = tempfile::tempdir()?;
    let vault = Arc::new(Vault::start(folder.path())?);
    let report = replay_cases(&vault)?;
    let campaign = Campaign {
        vault,
        seed,
        worlds: AtomicU64::new(0),
        deadline: Instant::now() + Duration::from_secs(seconds),
        report: Mutex::new(report),
    };
    let results: Vec<anyhow::Result<()>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| scope.spawn(|| runtime()?.block_on(campaign.work())))
            .collect();
        campaign.show_progress();
        workers
            .into_iter()
            .map(|worker| match worker.join() {
                Ok(result) => result,
                Err(_) => Err(anyhow::anyhow!("a worker panicked")),
            })
            .collect()
    });
    let report = campaign.report.into_inner();
    let report = report.unwrap_or_else(PoisonError::into_inner);
    say(&report.to_string());
    results.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    anyhow::ensure!(report.findings.is_empty(), "the invariant was violated");
    Ok(())
}

fn variable(name: &str) -> anyhow::Result<Option<u64>> {
    let Ok(text) = std::env::var(name) else {
        return Ok(None);
    };
    let number = text.parse();
    number
        .with_context(|| format!("{name} is not a number"))
        .map(Some)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

/// Carries out the steps that once violated the invariant, and reports those that still do.
fn replay_cases(vault: &Arc<Vault>) -> anyhow::Result<Report> {
    let cases: Vec<Case> = serde_json::from_str(CASES)?;
    let runtime = runtime()?;
    let mut report = Report::default();
    for case in cases {
        say(&format!("attack: {}", case.title));
        let replayed = runtime.block_on(replay(vault, case.seed, &case.steps, None))?;
        report.cases += 1;
        if !replayed.violations.is_empty() {
            report.findings.push(Finding {
                kind: case.title,
                seed: case.seed,
                steps: case.steps,
                violations: replayed.violations,
                log: replayed.log,
            });
        }
    }
    Ok(report)
}

impl Campaign {
    fn report(&self) -> std::sync::MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show_progress(&self) {
        let began = Instant::now();
        while Instant::now() < self.deadline {
            let left = self.deadline.saturating_duration_since(Instant::now());
            std::thread::sleep(left.min(PROGRESS_INTERVAL));
            let report = self.report();
            say(&format!(
                "attack: {} s, {} worlds, {} steps, {} violations",
                began.elapsed().as_secs(),
                report.worlds,
                report.steps,
                report.findings.len(),
            ));
        }
    }

    async fn work(&self) -> anyhow::Result<()> {
        while Instant::now() < self.deadline {
            let number = self.worlds.fetch_add(1, Ordering::Relaxed);
            // The first world has the seed itself, so that a reported seed can be given.
            let seed = match number {
                0 => self.seed,
                _ => Rng::with_seed(self.seed.wrapping_add(number)).u64(..),
            };
            self.attack(seed).await?;
        }
        Ok(())
    }

    /// Attacks a world until a new violation, the end of its steps, or the end of the time.
    async fn attack(&self, seed: u64) -> anyhow::Result<()> {
        let world = World::start(Arc::clone(&self.vault), seed, true).await?;
        let mut attack = Attack::start(world).await?;
        self.report().worlds += 1;
        let mut random = Rng::with_seed(seed);
        let mut pending = generator::opening(&mut random);
        let mut done = Vec::new();
        while done.len() < STEPS && Instant::now() < self.deadline {
            if pending.is_empty() {
                pending = generator::next(&mut random, &attack.world.workspaces);
                continue;
            }
            let step = pending.remove(0);
            let outcome = attack.step(&step).await?;
            self.report().count(&step, &outcome);
            let is_first_run = matches!(step, Step::Run(_))
                && !done.iter().any(|step| matches!(step, Step::Run(_)));
            anyhow::ensure!(
                !is_first_run || outcome.errors.is_empty(),
                "the attack proves nothing: the first configuration fails: {:?}",
                outcome.errors
            );
            done.push(step);
            // What is known already does not hide what comes after it.
            let mut kinds = outcome.violations.iter().map(|found| &found.kind);
            let new = kinds.find(|kind| !self.report().knows(kind)).cloned();
            let Some(kind) = new else {
                continue;
            };
            let mut finding = Finding {
                kind: kind.clone(),
                seed,
                steps: done,
                violations: outcome.violations,
                log: outcome.log,
            };
            self.report().findings.push(finding.clone());
            drop(attack);
            let deadline = Instant::now() + SHRINKING;
            finding.steps = shrink(&self.vault, seed, &finding.steps, &kind, deadline).await?;
            let replayed = replay(&self.vault, seed, &finding.steps, Some(&kind)).await?;
            if !replayed.violations.is_empty() {
                finding.violations = replayed.violations;
                finding.log = replayed.log;
            }
            self.report().replace(&kind, finding);
            return Ok(());
        }
        Ok(())
    }
}
