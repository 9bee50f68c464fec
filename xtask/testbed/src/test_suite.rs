//! Obtains what the tests need, runs them, and adds up what cargo's test harnesses report.

mod tally;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Context;
use testbed::cargo;
use testbed::progress::{say, step};
use testbed::{ArgoEventsProgram, KubernetesPrograms, Kustomize, Terraform, emulator_executable};

use self::tally::Tally;

/// The first message that the tests still run comes after this much silence.
const SILENCE: Duration = Duration::from_secs(2);

/// The silence between messages doubles up to this limit.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// Runs every test of the workspace, prints the totals as the last line, and returns whether all tests passed.
pub(crate) fn run() -> anyhow::Result<bool> {
    let terraform = step("Terraform or OpenTofu", Terraform::obtain)?;
    say(&format!("  {terraform}, {}", terraform.program().display()));
    let kustomize = step("kustomize", Kustomize::obtain)?;
    say(&format!("  {}", kustomize.program().display()));
    step("Kubernetes", KubernetesPrograms::obtain)?;
    step("Argo Events", ArgoEventsProgram::obtain)?;
    say("GitLab emulator");
    let emulator = emulator_executable()?;
    say("Tests");
    cargo::cargo(&["test", "--workspace", "--no-run"])
        .finish_showing_all()?
        .success()?;

    let mut tests: Command = cargo::cargo(&["test", "--workspace", "--no-fail-fast"])
        .env("PROPTEST_RNG_SEED", seed())
        .env("RUST_TEST_THREADS", threads())
        .env("NAUTES_TEST_TERRAFORM", terraform.program())
        .env("NAUTES_TEST_KUSTOMIZE", kustomize.program())
        .env("NAUTES_TEST_EMULATOR", emulator)
        .into();
    let mut child = tests
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start `cargo test`")?;
    let stdout = child
        .stdout
        .take()
        .context("`cargo test` has no standard output")?;
    let mut tally = show_and_count(BufReader::new(stdout));
    let status = child.wait().context("cannot wait for `cargo test`")?;
    if !status.success() && tally.failed == 0 {
        // A harness that a signal ended reports nothing.
        say("A test program ended without reporting results.");
        tally.failed = 1;
    }
    #[expect(clippy::print_stdout, reason = "the totals are the output of the task")]
    {
        println!("\n{tally}");
    }
    Ok(tally.failed == 0)
}

/// Returns the seed of the property tests. It is fixed, so that a commit passes or fails everywhere alike, unless
/// the user sets the variable.
fn seed() -> String {
    std::env::var("PROPTEST_RNG_SEED").unwrap_or_else(|_| "20261124".to_owned())
}

/// Returns how many tests run at once, unless the user sets the variable: twice as many as there are cores, since most
/// of them wait for servers most of the time.
fn threads() -> String {
    std::env::var("RUST_TEST_THREADS").unwrap_or_else(|_| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (2 * cores).to_string()
    })
}

/// Prints lines as they arrive, reports silence, and adds up the results in the lines.
fn show_and_count(output: impl BufRead + Send) -> Tally {
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let (sender, lines) = mpsc::channel();
        scope.spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut last_line = Instant::now();
        let mut silence = SILENCE;
        loop {
            match lines.recv_timeout(silence) {
                Ok(line) => {
                    tally.add(&line);
                    #[expect(clippy::print_stdout, reason = "the report of the tests is passed on")]
                    {
                        println!("{line}");
                    }
                    last_line = Instant::now();
                    silence = SILENCE;
                }
                Err(RecvTimeoutError::Timeout) => {
                    say(&format!(
                        "  … {} s since the last result",
                        last_line.elapsed().as_secs()
                    ));
                    silence = (silence * 2).min(LONGEST_SILENCE);
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    tally
}
