//! The objects of a pipeline runtime, as pure functions from data to objects.
//!
//! GitLab calls a hook; the gateway leads the call to an `EventSource` of Argo Events, which puts the event on a bus. One
//! `Sensor` for each runtime takes those that its filters let through and creates a `PipelineRun` of Tekton, the init
//! run. That clones the repository with the pipelines, changes the pipeline as the trigger says, and creates it.

mod access;
mod check;
mod credentials;
mod event;
mod event_source;
mod filter;
mod hook_token;
mod ingress;
mod init_run;
mod inputs;
mod names;
mod sensor;
#[cfg(test)]
mod tests;
mod trigger;

pub(crate) use self::access::sensor_access;
pub(crate) use self::check::check;
pub(crate) use self::credentials::{
    Credential, Credentials, REPORT_PREFIX, SOURCE_ENTRY, VaultKind,
};
pub(crate) use self::event::hook_events;
pub(crate) use self::event_source::{CODE_REPOS, calendar_event_source, gitlab_event_source};
pub(crate) use self::hook_token::{TOKEN_KEY, hook_token_secret, token_hash};
pub(crate) use self::ingress::{hook_url, ingress};
pub(crate) use self::inputs::{
    GitLabServer, HistoryLimits, HookTask, PipelineInputs, RepositoryFacts,
};
pub(crate) use self::sensor::sensor;
