//! Pipeline runtimes, `ProjectPipelineRuntime` in Kubernetes.

mod spec;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::blank;
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};

pub(super) use spec::PipelineRuntimeSpec;

/// What runs pipelines of a repository when events happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineRuntime {
    /// The product; in the manifest only the namespace tells it.
    pub product: ProductId,
    /// The name, unique in the product.
    pub name: EntityName,
    /// The project it belongs to; its manifest lies in that project's folder.
    pub project: EntityName,
    /// The repository of the pipelines.
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
    /// The machine account; [`PipelineRuntime::effective_account`] when none.
    pub account: Option<String>,
    /// Manifests to deploy beside the runtime.
    pub additional_resources: Option<AdditionalResources>,
    /// Tasks around each pipeline.
    pub hooks: Hooks,
}

impl PipelineRuntime {
    /// Returns the namespace in which pipelines run: by default one with the runtime's name.
    pub fn effective_namespace(&self) -> &str {
        self.destination
            .namespace
            .as_deref()
            .filter(|namespace| !namespace.is_empty())
            .unwrap_or(&self.name)
    }

    /// Returns the machine account: by default one with the runtime's name.
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
    /// The path in the pipelines' repository.
    pub path: String,
}

/// Something that makes events; it has at least one of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventSource {
    /// Events of a repository.
    pub gitlab: Option<GitlabEvents>,
    /// Events of the clock.
    pub calendar: Option<Calendar>,
}

/// Events of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GitlabEvents {
    /// The kinds of events, each one of [`super::webhook_event::ALL`].
    #[serde(
        default,
        deserialize_with = "blank::null_is_empty",
        serialize_with = "blank::empty_is_null"
    )]
    pub events: BTreeSet<String>,
    /// The repository.
    #[serde(rename = "repoName")]
    pub code_repo: RepositoryId,
    /// An unanchored Lua pattern for the event's Git reference; see [`crate::revision`].
    #[serde(default, with = "blank", skip_serializing_if = "blank::is_blank")]
    pub revision: Option<String>,
}

/// Events of the clock.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Calendar {
    /// Date-times to leave out, as in RFC 5545's `EXDATE`.
    #[serde(
        default,
        deserialize_with = "blank::null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub exclusion_dates: Vec<String>,
    /// A Go duration such as `30m`.
    #[serde(default, with = "blank", skip_serializing_if = "blank::is_blank")]
    pub interval: Option<String>,
    /// A cron expression; it wins over the interval.
    #[serde(default, with = "blank", skip_serializing_if = "blank::is_blank")]
    pub schedule: Option<String>,
    /// An IANA time zone.
    #[serde(default, with = "blank", skip_serializing_if = "blank::is_blank")]
    pub timezone: Option<String>,
}

/// Starts a pipeline when an event happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineTrigger {
    /// The name of the event source.
    pub event_source: String,
    /// The name of the pipeline.
    pub pipeline: String,
    /// The revision of the pipeline; none to follow the event.
    pub revision: Option<String>,
    /// Values handed to the pipeline.
    pub inputs: Vec<TriggerInput>,
}

/// A value handed to a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerInput {
    /// Where the value comes from.
    pub source: InputSource,
    /// The field of the pipeline that receives it.
    pub kustomization_path: String,
}

/// Where the value of an input comes from.
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
    /// The environment, which names the cluster.
    pub environment: EntityName,
    /// The namespace; [`PipelineRuntime::effective_namespace`] when none.
    #[serde(default, with = "blank")]
    pub namespace: Option<String>,
}

/// Whether objects are shared with other runtimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// They are.
    #[default]
    Shared,
    /// They are not.
    Exclusive,
}

impl Isolation {
    /// Returns the word in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
        }
    }
}

/// A folder with manifests to deploy beside the runtime; it has a repository or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalResources {
    /// A repository of the product.
    #[serde(default, with = "blank", skip_serializing_if = "blank::is_blank")]
    pub code_repo: Option<RepositoryId>,
    /// The folder.
    pub path: String,
    /// A branch, tag or commit.
    pub revision: String,
    /// The address of a public repository.
    #[serde(default, with = "blank", skip_serializing_if = "blank::is_blank")]
    pub url: Option<String>,
}

/// Tasks around each pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hooks {
    /// Tasks after the pipeline has been started.
    #[serde(
        rename = "postHooks",
        default,
        deserialize_with = "blank::null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub post: Vec<Hook>,
    /// Tasks before the pipeline.
    #[serde(
        rename = "preHooks",
        default,
        deserialize_with = "blank::null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub pre: Vec<Hook>,
}

/// One task around a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The name among the pipeline component's hooks.
    pub name: String,
    /// The name of the task in the run; the hook's name when none.
    #[serde(default, with = "blank", skip_serializing_if = "blank::is_blank")]
    pub alias: Option<String>,
    /// Values for the task.
    #[serde(
        default,
        deserialize_with = "blank::null_is_empty",
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
