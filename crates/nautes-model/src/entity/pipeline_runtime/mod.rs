//! Pipeline runtimes: `ProjectPipelineRuntime` in Kubernetes.

mod spec;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::go_zero;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};

pub(super) use spec::PipelineRuntimeSpec;

/// Runs the pipelines of a code repository on events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineRuntime {
    /// The product; in the manifest it is only in the namespace.
    pub product: ProductId,
    /// The name, unique in the product.
    pub name: EntityName,
    /// The project, whose folder contains the manifest.
    pub project: EntityName,
    /// The code repository of the pipelines.
    pub pipeline_source: RepositoryId,
    /// The pipelines by name.
    pub pipelines: BTreeMap<String, Pipeline>,
    /// The event sources by name.
    pub event_sources: BTreeMap<String, EventSource>,
    /// Which event starts which pipeline.
    pub pipeline_triggers: Vec<PipelineTrigger>,
    /// Where pipelines run.
    pub destination: PipelineDestination,
    /// Whether objects are shared with other runtimes; no component reads it.
    pub isolation: Isolation,
    /// The service account; see [`PipelineRuntime::effective_account`] for the default.
    pub account: Option<String>,
    /// Manifests to deploy with the runtime.
    pub additional_resources: Option<AdditionalResources>,
    /// Tasks before and after each pipeline.
    pub hooks: Hooks,
}

impl PipelineRuntime {
    /// Returns the namespace of the pipeline runs, by default one with the runtime's name.
    pub fn effective_namespace(&self) -> &str {
        self.destination
            .namespace
            .as_deref()
            .filter(|namespace| !namespace.is_empty())
            .unwrap_or(&self.name)
    }

    /// Returns the service account, by default one with the runtime's name.
    pub fn effective_account(&self) -> &str {
        self.account
            .as_deref()
            .filter(|account| !account.is_empty())
            .unwrap_or(&self.name)
    }
}

/// A pipeline file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// The value of the built-in variable `PipelineLabel`.
    pub label: Option<String>,
    /// The path in the code repository of the pipelines.
    pub path: String,
}

/// A source of events. At least one field is set in a valid runtime.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventSource {
    /// Events of a code repository.
    pub gitlab: Option<GitlabEvents>,
    /// Events on a schedule.
    pub calendar: Option<Calendar>,
}

/// Events of a code repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GitlabEvents {
    /// The kinds of events, out of [`super::webhook_event::ALL`].
    #[serde(
        default,
        deserialize_with = "go_zero::null_as_default",
        serialize_with = "go_zero::empty_as_null"
    )]
    pub events: BTreeSet<String>,
    /// The code repository.
    #[serde(rename = "repoName")]
    pub code_repo: RepositoryId,
    /// An unanchored Lua pattern for the event's Git reference; see [`crate::revision`].
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    pub revision: Option<String>,
}

/// Events on a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Calendar {
    /// Excluded date-times, as in RFC 5545's `EXDATE`.
    #[serde(
        default,
        deserialize_with = "go_zero::null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub exclusion_dates: Vec<String>,
    /// A Go duration, such as `30m`.
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    pub interval: Option<String>,
    /// A cron expression; it takes precedence over the interval.
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    pub schedule: Option<String>,
    /// An IANA time zone.
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    pub timezone: Option<String>,
}

/// Starts a pipeline on an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineTrigger {
    /// The name of the event source.
    pub event_source: String,
    /// The name of the pipeline.
    pub pipeline: String,
    /// The revision of the pipeline; `None` for the revision of the event.
    pub revision: Option<String>,
    /// Values passed to the pipeline.
    pub inputs: Vec<TriggerInput>,
}

/// A value passed to a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerInput {
    /// The source of the value.
    pub source: InputSource,
    /// The field of the pipeline that receives it.
    pub kustomization_path: String,
}

/// The source of an input's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputSource {
    /// A variable of the runtime, such as `PipelineRevision`.
    BuiltInVar(String),
    /// A value of the event, such as `commitID`.
    FromEvent(String),
}

/// Where pipelines run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineDestination {
    /// The environment, which determines the cluster.
    pub environment: EntityName,
    /// The namespace; see [`PipelineRuntime::effective_namespace`] for the default.
    #[serde(default, with = "go_zero")]
    pub namespace: Option<String>,
}

/// Whether objects are shared with other runtimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// Objects are shared.
    #[default]
    Shared,
    /// Objects are not shared.
    Exclusive,
}

impl Isolation {
    /// Returns the value in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
        }
    }
}

/// A folder with manifests to deploy with the runtime, in a code repository or at a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalResources {
    /// A code repository of the product.
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    pub code_repo: Option<RepositoryId>,
    /// The folder.
    pub path: String,
    /// A branch, tag or commit.
    pub revision: String,
    /// The URL of a public repository.
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    pub url: Option<String>,
}

/// Tasks before and after each pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hooks {
    /// Tasks after the pipeline.
    #[serde(
        rename = "postHooks",
        default,
        deserialize_with = "go_zero::null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub post: Vec<Hook>,
    /// Tasks before the pipeline.
    #[serde(
        rename = "preHooks",
        default,
        deserialize_with = "go_zero::null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub pre: Vec<Hook>,
}

/// A task before or after a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The name of the hook in the pipeline component.
    pub name: String,
    /// The name of the task in the run, by default the hook's name.
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    pub alias: Option<String>,
    /// Parameters of the task.
    #[serde(
        default,
        deserialize_with = "go_zero::null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub vars: BTreeMap<String, String>,
}

impl Hook {
    /// Returns the name of the task in the run.
    pub fn effective_alias(&self) -> &str {
        self.alias
            .as_deref()
            .filter(|alias| !alias.is_empty())
            .unwrap_or(&self.name)
    }
}
