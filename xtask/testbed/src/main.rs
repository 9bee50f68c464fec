//! The development tasks that need the test bed; `cargo xtask` runs them by name.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use testbed::DetachedControlPlane;

mod attack;
mod bench;
mod deny;
mod dist;
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
    /// Applies `examples/quickstart` to a GitLab emulator, an `OpenBao` and two Kubernetes control planes on loopback,
    /// and leaves them running.
    Quickstart {
        /// Destroys the resources of an earlier quickstart, stops its servers and removes its files.
        #[arg(long)]
        destroy: bool,
        /// The folder of everything that the quickstart creates; `target/quickstart` by default.
        #[arg(long)]
        folder: Option<PathBuf>,
    },
    /// Keeps the control plane of a quickstart running.
    #[command(hide = true)]
    ControlPlane {
        /// Runs the event sources and sensors of pipelines.
        #[arg(long)]
        argo_events: bool,
        /// The folder of its data.
        folder: PathBuf,
    },
    /// Obtains what the tests need and runs all of them.
    Test,
    /// Attacks the provider with random steps, to find what it destroys without a plan.
    Attack {
        /// How long new steps are made.
        #[arg(long, default_value_t = 1)]
        minutes: u64,
        /// The seed of the first world; random by default.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Checks the dependencies against `deny.toml`.
    Deny,
    /// Packs the release build for this platform into `target/dist`, as a registry takes it.
    Dist,
    /// Measures the release build against its targets and writes `design/benchmarks.md`.
    Bench {
        /// Metrics to measure, such as `P8`; the others keep their figures. All by default.
        metrics: Vec<String>,
        /// The build profile of what is measured; figures of `dev` go to `target/benchmarks`.
        #[arg(long, value_enum, default_value = "release", hide = true)]
        profile: Profile,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => report(&error),
    }
}

/// Runs a task and returns whether its checks passed.
fn run(task: &Task) -> anyhow::Result<bool> {
    match task {
        Task::Quickstart { destroy, folder } => quickstart::run(folder.as_deref(), *destroy)?,
        Task::ControlPlane {
            argo_events,
            folder,
        } => match DetachedControlPlane::serve(folder, *argo_events)? {},
        Task::Test => return test_suite::run(),
        Task::Attack { minutes, seed } => return attack::run(*minutes, *seed),
        Task::Deny => return deny::run(),
        Task::Bench { metrics, profile } => return bench::run(metrics, *profile),
        Task::Dist => dist::run()?,
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
