//! Development tasks, which `cargo xtask help` lists.
//!
//! This package has no dependencies, so that it builds in a second. A task that needs some is a package
//! of its own below `xtask/`: cargo builds it when the task is run, and shows its progress.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod words;

/// A development task.
struct Task {
    name: &'static str,
    about: &'static str,
    runner: Runner,
}

/// How a task is run.
enum Runner {
    /// By a function of this package, without arguments.
    Function(fn() -> io::Result<bool>),
    /// By a package of the workspace, without arguments.
    Package(&'static str),
    /// By a package of the workspace, which parses the task's name and its arguments.
    Subcommand(&'static str),
}

const TASKS: [Task; 9] = [
    Task {
        name: "quickstart",
        about: "apply `examples/quickstart` to servers on loopback, and leave them running",
        runner: Runner::Subcommand("xtask-testbed"),
    },
    Task {
        name: "test",
        about: "obtain what the tests need, and run all of them",
        runner: Runner::Subcommand("xtask-testbed"),
    },
    Task {
        name: "attack",
        about: "attack the provider with random steps, to find what it destroys without a plan",
        runner: Runner::Subcommand("xtask-testbed"),
    },
    Task {
        name: "words",
        about: "check that no retired name is back in the code",
        runner: Runner::Function(words::check),
    },
    Task {
        name: "deny",
        about: "check the dependencies against `deny.toml`",
        runner: Runner::Subcommand("xtask-testbed"),
    },
    Task {
        name: "docs",
        about: "generate `docs/` from the schemas and `examples/`",
        runner: Runner::Package("xtask-docs"),
    },
    Task {
        name: "proto",
        about: "generate the protocol code from the files in `proto/`",
        runner: Runner::Package("xtask-proto"),
    },
    Task {
        name: "bench",
        about: "measure the release build, and write `design/benchmarks.md`",
        runner: Runner::Subcommand("xtask-testbed"),
    },
    Task {
        name: "dist",
        about: "pack the release build into `target/dist`, as a registry takes it",
        runner: Runner::Subcommand("xtask-testbed"),
    },
];

/// Variables that cargo sets for the program it runs. A build script that watches one of them would run
/// again, and so would everything that depends on it.
const SET_BY_CARGO: [&str; 6] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let name = arguments.next().unwrap_or_else(|| "help".into());
    if ["help", "--help", "-h"].iter().any(|help| name == *help) {
        print_help();
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| name == task.name) else {
        let name = name.display();
        say(&format!(
            "error: unknown task `{name}`; `cargo xtask help` lists all tasks"
        ));
        return ExitCode::FAILURE;
    };
    let arguments: Vec<_> = arguments.collect();
    let result = match task.runner {
        Runner::Subcommand(package) => run(package, &[&[name], arguments.as_slice()].concat()),
        _ if !arguments.is_empty() => Err(io::Error::other("this task takes no arguments")),
        Runner::Function(function) => function(),
        Runner::Package(package) => run(package, &[]),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("error: {}: {error}", task.name));
            ExitCode::FAILURE
        }
    }
}

/// Lets cargo build and run a package, and returns whether it succeeded.
fn run(package: &str, arguments: &[OsString]) -> io::Result<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["run", "--manifest-path"])
        .arg(workspace().join("Cargo.toml"))
        .args(["--package", package, "--"])
        .args(arguments);
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| is_set_by_cargo(name))
        .for_each(|name| {
            command.env_remove(name);
        });
    Ok(command.status()?.success())
}

fn is_set_by_cargo(variable: &OsStr) -> bool {
    let variable = variable.to_string_lossy();
    SET_BY_CARGO
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}

fn workspace() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().unwrap_or(folder).to_owned()
}

#[expect(clippy::print_stdout, reason = "the help was asked for")]
fn print_help() {
    println!("Usage: cargo xtask TASK [ARGUMENTS]\n\nTasks:");
    for Task { name, about, .. } in TASKS {
        println!("  {name:<12}{about}");
    }
    println!("\n`--help` after a task that takes arguments shows them.");
}

#[expect(
    clippy::print_stderr,
    reason = "a development tool speaks to its user on standard error"
)]
fn say(line: &str) {
    eprintln!("{line}");
}
