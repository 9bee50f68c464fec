//! Two processes with ten parallel writers each change one configuration repository for a minute, while GitLab fails,
//! throttles, and accepts commits by others.
//!
//! Each writer uses its own names and logs the outcomes of its writes. At the end, the repository and its history are
//! compared with the logs.

mod faults;
mod final_state;
mod process;
mod write_log;

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

use self::final_state::FinalState;
use self::process::ProcessOptions;
use self::write_log::WriteLog;
use crate::test_env::Case;

/// The name of the test, with which the child processes run it again.
const NAME: &str = "writers::two_processes_of_ten_writers_neither_lose_nor_repeat_a_change";

/// The environment variable that sets the seed.
const SEED: &str = "NAUTES_TEST_WRITERS_SEED";

const DEFAULT_SEED: u64 = 20_261_124;

const PROCESSES: usize = 2;

/// How long the writers start new writes.
const WORK_TIME: Duration = Duration::from_secs(60);

/// How long the writers may take to finish.
const FINISH_LIMIT: Duration = Duration::from_secs(60);

/// The minimum percentage of writes that succeed.
const MIN_SUCCESS_PERCENT: usize = 90;

#[test]
fn two_processes_of_ten_writers_neither_lose_nor_repeat_a_change() -> Case {
    if let Some(options) = ProcessOptions::from_env()? {
        return process::run(&options);
    }
    let seed = match env::var(SEED) {
        Ok(seed) => seed.parse().context(SEED)?,
        Err(_) => DEFAULT_SEED,
    };
    let folder = tempfile::tempdir()?;
    let gitlab = Emulator::start(&EmulatorOptions::new(
        emulator_executable()?,
        folder.path().join("gitlab"),
    ))?;
    let processes = process::prepare(&gitlab, seed, PROCESSES, folder.path())?;
    let mut children = ChildProcesses::start(&processes)?;
    let commits_by_others = faults::inject_while(&gitlab, seed, || children.are_running())?;
    children.check_success().context(format!("{SEED}={seed}"))?;

    let mut log = WriteLog::default();
    for process in &processes {
        log.merge(serde_json::from_slice(&fs::read(&process.log)?)?);
    }
    let state = FinalState::load(&gitlab, processes.first(), folder.path())?;
    let calls = CallCounts::load(&gitlab)?;
    say(&format!(
        "  {SEED}={seed}: {log}; {} commits, {commits_by_others} attempted by others; {calls}",
        state.commits()
    ));
    check(&log, &state, &calls).context(format!("{SEED}={seed}"))
}

fn check(log: &WriteLog, state: &FinalState, calls: &CallCounts) -> Case {
    state.check_rules()?;
    state.check_entities(log)?;
    state.check_each_change_once(log)?;
    let (succeeded, completed) = (log.succeeded(), log.completed());
    ensure!(
        succeeded > 0 && succeeded * 100 >= completed * MIN_SUCCESS_PERCENT,
        "only {succeeded} of {completed} writes succeeded"
    );
    let lost_races = calls.lost_races;
    // How many there are depends on the machine.
    ensure!(lost_races > 0, "no race was lost");
    Ok(())
}

/// The calls that GitLab received, counted by result.
struct CallCounts {
    all: usize,
    lost_races: usize,
    throttled: usize,
    failed: usize,
}

impl CallCounts {
    fn load(gitlab: &Emulator) -> anyhow::Result<Self> {
        let calls = gitlab.calls()?;
        let is_commit = |call: &Call| call.is_write() && call.route.ends_with("/commits");
        let count = |keep: &dyn Fn(&Call) -> bool| calls.filter(keep).count();
        Ok(Self {
            all: calls.count(),
            lost_races: count(&|call| is_commit(call) && call.status == Some(400)),
            throttled: count(&|call| call.status == Some(429)),
            failed: count(&|call| call.status.is_none_or(|status| status >= 500)),
        })
    }
}

impl Display for CallCounts {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} calls, {} races lost, {} throttled, {} failed",
            self.all, self.lost_races, self.throttled, self.failed
        )
    }
}

/// The running processes, killed on drop.
struct ChildProcesses {
    running: Vec<(Child, TempDir)>,
    deadline: Instant,
}

impl ChildProcesses {
    fn start(processes: &[ProcessOptions]) -> anyhow::Result<Self> {
        let mut children = Self {
            running: Vec::new(),
            deadline: Instant::now() + WORK_TIME + 2 * FINISH_LIMIT,
        };
        for process in processes {
            let output = tempfile::tempdir()?;
            let file = fs::File::create(output.path().join("output"))?;
            let child = Command::new(env::current_exe()?)
                .args([NAME, "--exact", "--nocapture"])
                .envs([process.to_env()?])
                .stdout(file.try_clone()?)
                .stderr(file)
                .spawn()?;
            children.running.push((child, output));
        }
        Ok(children)
    }

    fn are_running(&mut self) -> anyhow::Result<bool> {
        thread::sleep(Duration::from_millis(1));
        for (child, _) in &mut self.running {
            if child.try_wait()?.is_none() {
                ensure!(
                    Instant::now() < self.deadline,
                    "a process is still running after its time limit"
                );
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn check_success(mut self) -> Case {
        for (child, output) in &mut self.running {
            if !child.wait()?.success() {
                let text = fs::read_to_string(output.path().join("output"))?;
                bail!("a process failed: {text}");
            }
        }
        Ok(())
    }
}

impl Drop for ChildProcesses {
    fn drop(&mut self) {
        for (child, _) in &mut self.running {
            // Killing a process that has already exited fails, which is fine.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
