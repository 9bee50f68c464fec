//! Starts and stops the real parts that tests and the quickstart run against.
//!
//! Nothing here stands in for a real part: [`Terraform`] is the real command line, found or obtained;
//! [`Emulator`] is a child process that answers over HTTP, as is [`OpenBao`], which is real and has
//! a [`Proxy`] before it that can lose answers; [`Workspace`] runs the one against the others. What is obtained is kept in the user's cache folder ([`cache`]), and what takes longer than
//! two seconds says so on standard error ([`progress`]).
//!
//! Limits: Unix only (process groups, symbolic links).

pub mod cache;
pub mod cargo;
mod command;
mod emulator;
mod error;
pub mod git;
mod go_tool;
mod held_call;
mod journal;
mod kustomize;
mod openbao;
mod processes;
pub mod progress;
mod provider;
mod proxy;
mod release;
mod server_process;
mod terraform;
mod workspace;

pub use command::{Finished, Invocation};
pub use emulator::{Emulator, EmulatorOptions, Endpoint, emulator_executable};
pub use error::Error;
pub use held_call::{HeldCall, Hold};
pub use journal::{Budget, Call, Calls, at_least, at_most, exactly};
pub use kustomize::Kustomize;
pub use openbao::{DetachedOpenBao, Inventory, OpenBao, OpenBaoProgram};
pub use provider::{Provider, mirror};
pub use proxy::{Failure, Fault, Proxy};
pub use release::platform;
pub use terraform::{Client, Terraform};
pub use workspace::{
    Applied, Change, CliConfig, Diagnostic, Outcome, Plan, Running, Severity, Workspace,
    isolated_environment,
};

/// The method of a request to a server.
pub use reqwest::Method;
