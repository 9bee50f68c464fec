//! Rules for a single entity.

use std::collections::{BTreeMap, BTreeSet};

use nautes_model::entity::{
    AdditionalResources, Calendar, CodeRepo, EventSource, GitlabEvents, Hook, Pipeline,
    PipelineRuntime,
};
use nautes_model::name::NameProblem;
use nautes_model::validation::{Problem, problems};

use super::problem_of;
use crate::golden::{self, name};

#[test]
fn names_are_validated() {
    let mut environment = golden::environment();
    environment.name = name("repo-12");
    let (field, problem) = problem_of(environment);
    assert_eq!(field, "name");
    assert!(matches!(problem, Problem::Name(error) if error.problem == NameProblem::LooksLikeId));

    let mut runtime = golden::deployment_runtime();
    runtime.destination.namespaces = vec!["fine".into(), "kube-system".into()];
    assert_eq!(problem_of(runtime).0, "destination.namespaces[1]");
    let mut runtime = golden::deployment_runtime();
    runtime.account = Some("a.b".into());
    assert_eq!(problem_of(runtime).0, "account");
}

#[test]
fn unknown_events_are_rejected() {
    let repo = CodeRepo {
        webhook_events: Some(BTreeSet::from(["push".into(), "push_events".into()])),
        ..golden::code_repo()
    };
    let (field, problem) = problem_of(repo);
    assert_eq!(field, "webhook_events");
    assert_eq!(
        problem,
        Problem::UnknownEvent {
            event: "push".into()
        }
    );
}

#[test]
fn a_pipeline_runtime_needs_three_lists() {
    let mut runtime = golden::pipeline_runtime();
    runtime.pipelines.clear();
    runtime.event_sources.clear();
    runtime.pipeline_triggers.clear();
    let fields: Vec<String> = problems(&runtime.into(), None)
        .into_iter()
        .map(|(field, _)| field.to_string())
        .collect();
    assert_eq!(fields, ["event_sources", "pipeline_triggers", "pipelines"]);
}

/// Modifies a valid pipeline runtime and returns the problem.
fn problem_after(change: impl FnOnce(&mut PipelineRuntime)) -> (String, Problem) {
    let mut runtime = golden::pipeline_runtime();
    change(&mut runtime);
    problem_of(runtime)
}

fn gitlab(runtime: &mut PipelineRuntime) -> &mut GitlabEvents {
    let source = runtime
        .event_sources
        .get_mut("on-push")
        .expect("the event source exists");
    source
        .gitlab
        .as_mut()
        .expect("the source is a code repository")
}

#[test]
fn a_pipeline_runtime_is_not_named_like_its_project() {
    let (field, problem) = problem_after(|runtime| runtime.name = name("checkout"));
    assert_eq!(field, "name");
    assert!(matches!(problem, Problem::NameCollision { .. }));
}

#[test]
fn two_pipelines_cannot_have_the_same_path() {
    let path = "pipelines/build.yaml".to_owned();
    let pipeline = Pipeline {
        label: None,
        path: path.clone(),
    };
    assert_eq!(
        problem_after(|runtime| {
            runtime.pipelines.insert("test".into(), pipeline);
        }),
        (
            "pipelines[\"test\"].path".into(),
            Problem::DuplicatePath {
                path,
                with: "build".into()
            }
        )
    );
}

#[test]
fn triggers_reference_existing_parts_of_their_runtime_and_differ() {
    assert_eq!(
        problem_after(|runtime| runtime.pipeline_triggers[0].event_source = "nightly".into()),
        (
            "pipeline_triggers[0].event_source".into(),
            Problem::UnknownEventSource {
                name: "nightly".into()
            }
        )
    );
    assert_eq!(
        problem_after(|runtime| runtime.pipeline_triggers[0].pipeline = "test".into()),
        (
            "pipeline_triggers[0].pipeline".into(),
            Problem::UnknownPipeline {
                name: "test".into()
            }
        )
    );
    assert_eq!(
        problem_after(|runtime| {
            let mut again = runtime.pipeline_triggers[0].clone();
            again.inputs.clear();
            runtime.pipeline_triggers.push(again);
        }),
        ("pipeline_triggers[1]".into(), Problem::DuplicateTrigger)
    );
}

#[test]
fn an_event_source_needs_a_repository_or_a_schedule() {
    let with = |source: EventSource| {
        problem_after(|runtime| {
            runtime.event_sources.insert("nightly".into(), source);
        })
    };
    assert_eq!(
        with(EventSource::default()),
        ("event_sources[\"nightly\"]".into(), Problem::NoEvents)
    );
    assert_eq!(
        with(EventSource {
            calendar: Some(Calendar::default()),
            gitlab: None
        }),
        (
            "event_sources[\"nightly\"].calendar".into(),
            Problem::NoSchedule
        )
    );
}

#[test]
fn a_revision_must_be_valid_and_match_its_events() {
    assert_eq!(
        problem_after(|runtime| {
            gitlab(runtime).events.insert("issues_events".into());
        }),
        (
            "event_sources[\"on-push\"].gitlab.events".into(),
            Problem::EventWithoutRevision {
                event: "issues_events".into()
            }
        )
    );
    let (field, problem) =
        problem_after(|runtime| gitlab(runtime).revision = Some("^refs/heads/\"$".into()));
    assert_eq!(field, "event_sources[\"on-push\"].gitlab.branch");
    assert!(matches!(problem, Problem::Revision(_)));
}

#[test]
fn additional_resources_need_a_source() {
    let resources = AdditionalResources {
        code_repo: None,
        path: ".".into(),
        revision: "main".into(),
        url: Some(String::new()),
    };
    assert_eq!(
        problem_after(|runtime| runtime.additional_resources = Some(resources)),
        ("additional_resources".into(), Problem::NoSource)
    );
}

#[test]
fn hooks_need_distinct_names_and_aliases() {
    let hook = |name: &str, alias: Option<&str>| Hook {
        name: name.into(),
        alias: alias.map(str::to_owned),
        vars: BTreeMap::new(),
    };
    assert_eq!(
        problem_after(|runtime| {
            runtime.hooks.pre.push(hook("lint", None));
            runtime.hooks.post.push(hook("lint", None));
        }),
        (
            "hooks.post[0].alias".into(),
            Problem::DuplicateAlias {
                alias: "lint".into()
            }
        )
    );
    assert_eq!(
        problem_after(|runtime| {
            runtime.hooks.pre.push(hook("lint", None));
            runtime.hooks.pre.push(hook("lint", Some("again")));
        }),
        (
            "hooks.pre[1].name".into(),
            Problem::DuplicateHook {
                name: "lint".into()
            }
        )
    );
}
