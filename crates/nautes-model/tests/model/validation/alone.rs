//! What an entity keeps or breaks by itself.

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
fn names_are_judged() {
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
fn events_are_those_that_nautes_knows() {
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
fn an_empty_pipeline_runtime_lacks_three_lists() {
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

/// Changes a sound pipeline runtime and returns what is then wrong with it.
fn broken(change: impl FnOnce(&mut PipelineRuntime)) -> (String, Problem) {
    let mut runtime = golden::pipeline_runtime();
    change(&mut runtime);
    problem_of(runtime)
}

fn gitlab(runtime: &mut PipelineRuntime) -> &mut GitlabEvents {
    let source = runtime
        .event_sources
        .get_mut("on-push")
        .expect("it is there");
    source.gitlab.as_mut().expect("it is a repository's")
}

#[test]
fn a_pipeline_runtime_is_not_named_like_its_project() {
    let (field, problem) = broken(|runtime| runtime.name = name("checkout"));
    assert_eq!(field, "name");
    assert!(matches!(problem, Problem::NameOf { .. }));
}

#[test]
fn two_pipelines_do_not_share_a_file() {
    let path = "pipelines/build.yaml".to_owned();
    let pipeline = Pipeline {
        label: None,
        path: path.clone(),
    };
    assert_eq!(
        broken(|runtime| {
            runtime.pipelines.insert("test".into(), pipeline);
        }),
        (
            "pipelines[\"test\"].path".into(),
            Problem::PathOf {
                path,
                with: "build".into()
            }
        )
    );
}

#[test]
fn triggers_name_what_their_runtime_has_and_differ() {
    assert_eq!(
        broken(|runtime| runtime.pipeline_triggers[0].event_source = "nightly".into()),
        (
            "pipeline_triggers[0].event_source".into(),
            Problem::UnknownEventSource {
                name: "nightly".into()
            }
        )
    );
    assert_eq!(
        broken(|runtime| runtime.pipeline_triggers[0].pipeline = "test".into()),
        (
            "pipeline_triggers[0].pipeline".into(),
            Problem::UnknownPipeline {
                name: "test".into()
            }
        )
    );
    assert_eq!(
        broken(|runtime| {
            let mut again = runtime.pipeline_triggers[0].clone();
            again.inputs.clear();
            runtime.pipeline_triggers.push(again);
        }),
        ("pipeline_triggers[1]".into(), Problem::TriggerTwice)
    );
}

#[test]
fn an_event_source_makes_events() {
    let with = |source: EventSource| {
        broken(|runtime| {
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
fn a_revision_can_be_kept_and_matched() {
    assert_eq!(
        broken(|runtime| {
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
        broken(|runtime| gitlab(runtime).revision = Some("^refs/heads/\"$".into()));
    assert_eq!(field, "event_sources[\"on-push\"].gitlab.branch");
    assert!(matches!(problem, Problem::Revision(_)));
}

#[test]
fn additional_resources_come_from_somewhere() {
    let resources = AdditionalResources {
        code_repo: None,
        path: ".".into(),
        revision: "main".into(),
        url: Some(String::new()),
    };
    assert_eq!(
        broken(|runtime| runtime.additional_resources = Some(resources)),
        ("additional_resources".into(), Problem::NoSource)
    );
}

#[test]
fn hooks_are_told_apart() {
    let hook = |name: &str, alias: Option<&str>| Hook {
        name: name.into(),
        alias: alias.map(str::to_owned),
        vars: BTreeMap::new(),
    };
    assert_eq!(
        broken(|runtime| {
            runtime.hooks.pre.push(hook("lint", None));
            runtime.hooks.post.push(hook("lint", None));
        }),
        (
            "hooks.post[0].alias".into(),
            Problem::AliasTwice {
                alias: "lint".into()
            }
        )
    );
    assert_eq!(
        broken(|runtime| {
            runtime.hooks.pre.push(hook("lint", None));
            runtime.hooks.pre.push(hook("lint", Some("again")));
        }),
        (
            "hooks.pre[1].name".into(),
            Problem::HookTwice {
                name: "lint".into()
            }
        )
    );
}
