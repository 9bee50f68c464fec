//! Starts and stops the servers and tools that tests and the quickstart run against.
//!
//! - [`Terraform`]: the Terraform or OpenTofu command line, found or obtained
//! - [`Emulator`]: the GitLab emulator as a child process
//! - [`OpenBao`]: a real OpenBao server as a child process, behind a [`Proxy`] that can drop
//!   responses
//! - [`ControlPlane`]: a real Kubernetes control plane as child processes, without nodes
//! - [`StandIn`]: answers webhooks and writes statuses in place of the controllers of components
//! - [`ArgoEvents`]: the real programs of event sources and sensors, and their bus
//! - [`Workspace`]: a folder with a configuration, in which the command line runs
//!
//! Obtained tools are kept in the user's cache folder ([`cache`]). Work that takes longer than two
//! seconds reports its progress on standard error ([`progress`]).
//!
//! Limits: Unix only (process groups, symbolic links).

mod argo_events;
pub mod cache;
pub mod cargo;
mod cargo_deny;
mod certificates;
mod command;
mod emulator;
mod error;
mod free_ports;
pub mod git;
mod go_tool;
mod held_call;
mod interruptible;
mod journal;
mod kubernetes;
mod kustomize;
mod openbao;
mod processes;
pub mod progress;
mod provider;
mod proxy;
mod release;
mod server_process;
mod terraform;
mod wheel;
mod workspace;

pub use argo_events::{ArgoEvents, ArgoEventsProgram, RunningEventSource, RunningSensor};
pub use cargo_deny::CargoDeny;
pub use command::{Finished, Invocation};
pub use emulator::{Emulator, EmulatorOptions, Endpoint, emulator_executable};
pub use error::Error;
pub use held_call::{HeldCall, Hold};
pub use journal::{Budget, Call, Calls, at_least, at_most, exactly};
pub use kubernetes::{
    AuditEvent, AuditObject, AuditStatus, AuditUser, ControlPlane, ControlPlaneOptions,
    ControlledKind, DetachedControlPlane, KubernetesPrograms, Readiness, StandIn, WebhookAnswer,
};
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
