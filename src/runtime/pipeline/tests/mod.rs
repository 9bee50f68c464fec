//! The objects of a pipeline runtime: what they do with events, and whether an API server takes them.

mod api_server;
mod argo_events;
mod events;
mod init_run;
mod jq;
mod objects;

use std::collections::BTreeMap;
use std::time::Duration;

use nautes_model::entity::{
    Calendar, EventSource, GitlabEvents, Hooks, InputSource, Isolation, Pipeline,
    PipelineDestination, PipelineRuntime, PipelineTrigger, TriggerInput,
};
use nautes_model::revision::Revision;
use nautes_model::{EntityName, ProductId, RepositoryId};
use serde_json::json;

use super::inputs::{GitLabServer, HistoryLimits, HookTask, PipelineInputs, RepositoryFacts};
use crate::clusters::ComponentFacts;

const WEBHOOKS: &str = "https://webhook.pipe-01.10.1.1.1.nip.io:30443";
const WEBHOOK_HOST: &str = "webhook.pipe-01.10.1.1.1.nip.io";

/// The repository whose events start pipelines.
const SOURCE: RepositoryId = RepositoryId::new(7);
/// The repository with the pipelines.
const PIPELINES: RepositoryId = RepositoryId::new(8);

/// What a test makes its objects from.
struct Sample {
    runtime: PipelineRuntime,
    components: ComponentFacts,
    gitlab: GitLabServer,
    repositories: BTreeMap<RepositoryId, RepositoryFacts>,
    pre_hooks: Vec<HookTask>,
    report_status: bool,
}

impl Sample {
    /// A runtime that listens to pushes to `main`, to tags, to merge requests and to a schedule.
    fn new() -> Self {
        let mut runtime = empty_runtime();
        let branch = Revision::Branch("main".to_owned()).to_pattern();
        let sources = [
            ("on-push", gitlab(&["push_events"], Some(branch))),
            (
                "on-release",
                gitlab(&["tag_push_events"], Some("^refs/tags/v[0-9]".to_owned())),
            ),
            ("on-request", gitlab(&["merge_requests_events"], None)),
            ("nightly", calendar("0 3 * * *")),
        ];
        runtime.event_sources = sources
            .into_iter()
            .map(|(name, source)| (name.to_owned(), source))
            .collect();
        for name in ["build", "publish"] {
            let pipeline = Pipeline {
                label: Some("shop".to_owned()),
                path: format!("pipelines/{name}.yaml"),
            };
            runtime.pipelines.insert(name.to_owned(), pipeline);
        }
        runtime.pipeline_triggers = vec![
            trigger("on-push", "build", None),
            trigger("on-release", "publish", None),
            PipelineTrigger {
                inputs: vec![
                    input(InputSource::FromEvent("title".to_owned()), 0),
                    input(InputSource::BuiltInVar("Namespace".to_owned()), 1),
                ],
                ..trigger("on-request", "build", Some("main"))
            },
            trigger("nightly", "build", Some("main")),
        ];
        let facts = |name: &str| RepositoryFacts {
            name: name.to_owned(),
            ssh_url: format!("git@gitlab.example.com:demo/{name}.git"),
        };
        Self {
            runtime,
            components: ComponentFacts {
                ingress_class: "traefik".to_owned(),
                webhook_base_url: Some(WEBHOOKS.to_owned()),
                tekton_url: Some("https://tekton.example.com".to_owned()),
                ..ComponentFacts::default()
            },
            gitlab: GitLabServer {
                url: "https://gitlab.example.com".to_owned(),
                ca_pem: None,
            },
            repositories: BTreeMap::from([(SOURCE, facts("shop")), (PIPELINES, facts("ci"))]),
            pre_hooks: Vec::new(),
            report_status: false,
        }
    }

    fn inputs(&self) -> PipelineInputs<'_> {
        PipelineInputs {
            runtime: &self.runtime,
            components: &self.components,
            gitlab: &self.gitlab,
            repositories: &self.repositories,
            pre_hooks: &self.pre_hooks,
            post_hooks: &[],
            history: HistoryLimits {
                runs: 20,
                max_age: Duration::from_secs(168 * 3600),
            },
            report_status: self.report_status,
        }
    }
}

fn empty_runtime() -> PipelineRuntime {
    PipelineRuntime {
        product: ProductId::new(42),
        name: name("pr-dev"),
        project: name("shop"),
        pipeline_source: PIPELINES,
        pipelines: BTreeMap::new(),
        event_sources: BTreeMap::new(),
        pipeline_triggers: Vec::new(),
        destination: PipelineDestination {
            environment: name("build"),
            namespace: Some("shop-ci".to_owned()),
        },
        isolation: Isolation::Shared,
        account: Some("ci".to_owned()),
        additional_resources: None,
        hooks: Hooks::default(),
    }
}

fn name(name: &str) -> EntityName {
    EntityName::new(name).unwrap()
}

fn gitlab(events: &[&str], revision: Option<String>) -> EventSource {
    EventSource {
        gitlab: Some(GitlabEvents {
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            code_repo: SOURCE,
            revision,
        }),
        calendar: None,
    }
}

fn calendar(schedule: &str) -> EventSource {
    EventSource {
        gitlab: None,
        calendar: Some(Calendar {
            schedule: Some(schedule.to_owned()),
            exclusion_dates: vec!["EXDATE:20261225T000000Z".to_owned()],
            timezone: Some("Asia/Shanghai".to_owned()),
            ..Calendar::default()
        }),
    }
}

fn trigger(event_source: &str, pipeline: &str, revision: Option<&str>) -> PipelineTrigger {
    PipelineTrigger {
        event_source: event_source.to_owned(),
        pipeline: pipeline.to_owned(),
        revision: revision.map(str::to_owned),
        inputs: Vec::new(),
    }
}

fn input(source: InputSource, index: usize) -> TriggerInput {
    TriggerInput {
        source,
        kustomization_path: format!("/spec/params/{index}/value"),
    }
}

fn hook_task(name: &str) -> HookTask {
    HookTask {
        name: name.to_owned(),
        params: BTreeMap::from([("level".to_owned(), "high".to_owned())]),
        spec: json!({
            "params": [{ "name": "level", "type": "string" }],
            "steps": [{ "name": "lint", "image": "alpine", "script": "true" }],
        }),
    }
}
