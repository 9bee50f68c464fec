//! Development tasks, which `cargo xtask help` lists.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod dist;
mod docs;
mod proto;
mod quickstart;
mod static_target;
mod test_suite;

use crate::static_target::Profile;

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Applies `examples/quickstart` against a GitLab on loopback, and leaves it running.
    Quickstart {
        /// Destroys what an earlier quickstart made, and stops its server.
        #[arg(long)]
        destroy: bool,
        /// Where everything is kept that it makes; `target/quickstart` if not given.
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Obtains what the tests need, and runs all of them.
    Test,
    /// Packs the release build for this platform into `target/dist`, as a registry takes it.
    Dist,
    /// Measures the release build against its targets, and writes `design/benchmarks.md`.
    Bench {
        /// Metrics to measure, such as `P8`, while the others keep their figures; all of them if none is named.
        metrics: Vec<String>,
        /// How to build what is measured; figures of `dev` go to `target/benchmarks`.
        #[arg(long, value_enum, default_value = "release", hide = true)]
        profile: Profile,
    },
    /// Generates `docs/` from the schemas and `examples/`.
    Docs,
    /// Generates the protocol code from the files in `proto/`.
    Proto,
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => report(&error),
    }
}

/// Runs a task, and returns whether what it checked is in order.
fn run(task: &Task) -> anyhow::Result<bool> {
    match task {
        Task::Quickstart { destroy, folder } => quickstart::run(folder.as_deref(), *destroy)?,
        Task::Test => return test_suite::run(),
        Task::Bench { metrics, profile } => return bench::run(metrics, *profile),
        Task::Dist => dist::run()?,
        Task::Docs => docs::generate()?,
        Task::Proto => proto::generate(&proto::committed())?,
    }
    Ok(true)
}

#[expect(
    clippy::print_stderr,
    reason = "a development tool speaks to its user on standard error"
)]
fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  caused by: {cause}");
    }
    ExitCode::FAILURE
}
