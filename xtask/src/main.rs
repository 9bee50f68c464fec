//! Development tasks: quickstart, test, docs, proto, bench.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod proto;

#[derive(Parser)]
#[command(name = "cargo xtask", about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Generates the protocol code from the files in `proto/`.
    Proto,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Proto => proto::generate(&proto::committed()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a development tool speaks to its user on standard error"
)]
fn report(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  caused by: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}
