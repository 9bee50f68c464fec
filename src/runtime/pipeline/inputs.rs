//! What the objects of a pipeline runtime are made from.

use std::collections::BTreeMap;
use std::time::Duration;

use nautes_model::RepositoryId;
use nautes_model::entity::PipelineRuntime;
use serde_json::Value;

use super::names::PipelineNames;
use crate::clusters::ComponentFacts;

/// What the objects of a pipeline runtime are made from.
#[derive(Clone, Debug)]
pub(crate) struct PipelineInputs<'a> {
    /// The runtime; its namespace is set.
    pub(crate) runtime: &'a PipelineRuntime,
    /// What the cluster says of its components.
    pub(crate) components: &'a ComponentFacts,
    /// The GitLab.
    pub(crate) gitlab: &'a GitLabServer,
    /// The repositories that the runtime names.
    pub(crate) repositories: &'a BTreeMap<RepositoryId, RepositoryFacts>,
    /// Tasks before and after the init task, in order.
    pub(crate) pre_hooks: &'a [HookTask],
    pub(crate) post_hooks: &'a [HookTask],
    /// How many finished runs are kept.
    pub(crate) history: HistoryLimits,
    /// Whether GitLab is told how runs end.
    pub(crate) report_status: bool,
}

/// The GitLab whose events start pipelines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct GitLabServer {
    /// Its address, without `/api/v4`.
    pub(crate) url: String,
    /// Certificates of a private authority that signs its certificate.
    pub(crate) ca_pem: Option<String>,
}

/// A code repository.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RepositoryFacts {
    /// Its name.
    pub(crate) name: String,
    /// The URL to clone it over SSH.
    pub(crate) ssh_url: String,
}

/// A task before or after the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HookTask {
    /// Its name in the run.
    pub(crate) name: String,
    /// Values of its parameters.
    pub(crate) params: BTreeMap<String, String>,
    /// The task, as in `taskSpec`.
    pub(crate) spec: Value,
}

/// How many finished runs are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct HistoryLimits {
    /// The number of finished runs.
    pub(crate) runs: u32,
    /// How long a finished run is kept.
    pub(crate) max_age: Duration,
}

impl PipelineInputs<'_> {
    pub(crate) fn names(&self) -> PipelineNames {
        PipelineNames::new(self.runtime)
    }

    /// The label of objects by their product.
    pub(super) fn product(&self) -> String {
        self.runtime.product.to_string()
    }

    /// The repositories whose events start pipelines, in the order of their numbers.
    pub(crate) fn event_repositories(&self) -> Vec<RepositoryId> {
        event_repositories(self.runtime)
    }
}

/// The repositories whose events start pipelines, in the order of their numbers.
pub(super) fn event_repositories(runtime: &PipelineRuntime) -> Vec<RepositoryId> {
    let sources = runtime.event_sources.values();
    let repositories = sources.filter_map(|source| Some(source.gitlab.as_ref()?.code_repo));
    let distinct: std::collections::BTreeSet<RepositoryId> = repositories.collect();
    distinct.into_iter().collect()
}
