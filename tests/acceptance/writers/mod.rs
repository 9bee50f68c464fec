//! Two processes, each with ten parallel writers, that work on one configuration repository for a minute while
//! GitLab fails, limits, and lets others come before them.
//!
//! Each writer owns its names and keeps a ledger of what it was told. At the end the repository and its history are
//! compared with the ledgers.

mod evidence;
mod ledger;
mod process;
mod trouble;

use std::env;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use testbed::progress::say;
use testbed::{Call, Emulator, EmulatorOptions, emulator_executable};

use self::evidence::Evidence;
use self::ledger::Ledger;
use self::process::Assignment;
use crate::harness::Case;

/// The name of the test, by which the processes begin it again.
const NAME: &str = "writers::two_processes_of_ten_writers_lose_no_change_and_make_none_twice";

/// The variable that names another seed.
const SEED: &str = "NAUTES_TEST_WRITERS_SEED";

/// The seed that everybody gets who names none.
const USUAL_SEED: u64 = 20_261_124;

const PROCESSES: usize = 2;

/// For how long the writers begin new work.
const WORKING: Duration = Duration::from_secs(60);

/// How long they may take to end it.
const ENDING: Duration = Duration::from_secs(60);

/// How many of a hundred writes have to succeed at least.
const SUCCEEDING: usize = 90;

#[test]
fn two_processes_of_ten_writers_lose_no_change_and_make_none_twice() -> Case {
    if let Some(assignment) = Assignment::given()? {
        return process::work(&assignment);
    }
    let seed = match env::var(SEED) {
        Ok(seed) => seed.parse().context(SEED)?,
        Err(_) => USUAL_SEED,
    };
    let folder = tempfile::tempdir()?;
    let gitlab = Emulator::start(&EmulatorOptions::new(
        emulator_executable()?,
        folder.path().join("gitlab"),
    ))?;
    let assignments = process::assignments(&gitlab, seed, PROCESSES, folder.path())?;
    let mut children = Children::start(&assignments)?;
    let made = trouble::while_they_work(&gitlab, seed, || children.are_working())?;
    children.succeed().context(format!("{SEED}={seed}"))?;

    let mut ledger = Ledger::default();
    for assignment in &assignments {
        ledger.merge(serde_json::from_slice(&fs::read(&assignment.ledger)?)?);
    }
    let evidence = Evidence::of(&gitlab, assignments.first(), folder.path())?;
    let answers = Answers::of(&gitlab)?;
    say(&format!(
        "  {SEED}={seed}: {ledger}; {} commits; {made}; {answers}",
        evidence.commits()
    ));
    judge(&ledger, &evidence, &answers).context(format!("{SEED}={seed}"))
}

fn judge(ledger: &Ledger, evidence: &Evidence, answers: &Answers) -> Case {
    evidence.expect_sound()?;
    evidence.expect_states(ledger)?;
    evidence.expect_each_change_once(ledger)?;
    let (succeeded, all) = (ledger.succeeded(), ledger.writes());
    ensure!(
        all > 300 && succeeded * 100 >= all * SUCCEEDING,
        "only {succeeded} of {all} writes succeeded"
    );
    let races = answers.lost_races;
    ensure!(races > 10, "only {races} races were lost");
    Ok(())
}

/// What GitLab answered, in a few numbers.
struct Answers {
    calls: usize,
    lost_races: usize,
    limited: usize,
    failed: usize,
}

impl Answers {
    fn of(gitlab: &Emulator) -> anyhow::Result<Self> {
        let calls = gitlab.calls()?;
        let is_commit = |call: &Call| call.is_write() && call.route.ends_with("/commits");
        let count = |keep: &dyn Fn(&Call) -> bool| calls.only(keep).count();
        Ok(Self {
            calls: calls.count(),
            lost_races: count(&|call| is_commit(call) && call.status == Some(400)),
            limited: count(&|call| call.status == Some(429)),
            failed: count(&|call| call.status.is_none_or(|status| status >= 500)),
        })
    }
}

impl Display for Answers {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} calls, {} races lost, {} limited, {} failed",
            self.calls, self.lost_races, self.limited, self.failed
        )
    }
}

/// The processes; they end with this.
struct Children {
    running: Vec<(Child, TempDir)>,
    deadline: Instant,
}

impl Children {
    fn start(assignments: &[Assignment]) -> anyhow::Result<Self> {
        let mut children = Self {
            running: Vec::new(),
            deadline: Instant::now() + WORKING + 2 * ENDING,
        };
        for assignment in assignments {
            let output = tempfile::tempdir()?;
            let file = fs::File::create(output.path().join("output"))?;
            let child = Command::new(env::current_exe()?)
                .args([NAME, "--exact", "--nocapture"])
                .envs([assignment.as_variable()?])
                .stdout(file.try_clone()?)
                .stderr(file)
                .spawn()?;
            children.running.push((child, output));
        }
        Ok(children)
    }

    fn are_working(&mut self) -> anyhow::Result<bool> {
        thread::sleep(Duration::from_millis(1));
        for (child, _) in &mut self.running {
            if child.try_wait()?.is_none() {
                ensure!(Instant::now() < self.deadline, "a process does not end");
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn succeed(mut self) -> Case {
        for (child, output) in &mut self.running {
            if !child.wait()?.success() {
                let text = fs::read_to_string(output.path().join("output"))?;
                bail!("a process failed: {text}");
            }
        }
        Ok(())
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for (child, _) in &mut self.running {
            // One that has ended already cannot be killed and need not be.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
