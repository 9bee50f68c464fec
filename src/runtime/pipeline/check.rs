//! What is wrong with a pipeline runtime besides the rules of the model, which both kinds of reconcilers share.

use std::collections::BTreeSet;

use nautes_model::entity::{EventSource, InputSource, PipelineRuntime, PipelineTrigger};
use terraform_plugin::value::Path;

use super::event::WebhookEvent;
use super::init_run;
use super::trigger::{BUILT_IN, data_key};

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PipelineProblem {
    pub(crate) path: Path,
    pub(crate) detail: String,
}

/// Returns what is wrong.
pub(crate) fn check(runtime: &PipelineRuntime) -> Vec<PipelineProblem> {
    let mut problems = Vec::new();
    for (name, source) in &runtime.event_sources {
        let path = Path::to("event_sources").key(name);
        check_event_source(source, &path, &mut problems);
    }
    for (index, trigger) in runtime.pipeline_triggers.iter().enumerate() {
        if let Some(source) = runtime.event_sources.get(&trigger.event_source) {
            let path = Path::to("pipeline_triggers").index(index);
            check_trigger(trigger, source, &path, &mut problems);
        }
    }
    let sides = [("pre", &runtime.hooks.pre), ("post", &runtime.hooks.post)];
    for (side, hooks) in sides {
        for (index, hook) in hooks.iter().enumerate() {
            if hook.effective_alias() == init_run::TASK {
                problems.push(PipelineProblem {
                    path: Path::to("hooks").attribute(side).index(index),
                    detail: format!(
                        "The task that starts the pipeline is called {}. Set another alias.",
                        init_run::TASK
                    ),
                });
            }
        }
    }
    problems
}

fn check_event_source(source: &EventSource, path: &Path, problems: &mut Vec<PipelineProblem>) {
    if source.gitlab.is_some() && source.calendar.is_some() {
        problems.push(PipelineProblem {
            path: path.clone(),
            detail: "An event source is either gitlab or calendar. Write two event sources."
                .to_owned(),
        });
    }
    if let Some(gitlab) = &source.gitlab
        && gitlab.events.is_empty()
    {
        problems.push(PipelineProblem {
            path: path.attribute("gitlab").attribute("events"),
            detail: "It names no events, so nothing would ever start. Name at least one, such as push_events."
                .to_owned(),
        });
    }
}

fn check_trigger(
    trigger: &PipelineTrigger,
    source: &EventSource,
    path: &Path,
    problems: &mut Vec<PipelineProblem>,
) {
    let has_revision = trigger
        .revision
        .as_deref()
        .is_some_and(|text| !text.is_empty());
    if !has_revision && let Some(reason) = without_ref(source) {
        problems.push(PipelineProblem {
            path: path.attribute("revision"),
            detail: format!(
                "{reason}, so it does not say which revision of the pipeline to take. Set revision, such as main."
            ),
        });
    }
    for (index, input) in trigger.inputs.iter().enumerate() {
        let path = path.attribute("inputs").index(index);
        if !input.kustomization_path.starts_with('/') {
            problems.push(PipelineProblem {
                path: path.attribute("kustomization_path"),
                detail: format!(
                    "{:?} is not a JSON pointer, which begins with a slash, such as /spec/params/0/value.",
                    input.kustomization_path
                ),
            });
        }
        let (attribute, detail) = match &input.source {
            InputSource::BuiltInVar(name) if !BUILT_IN.contains(&name.as_str()) => {
                let known = BUILT_IN.join(", ");
                (
                    "built_in_var",
                    format!("There is no variable {name}. The variables are {known}."),
                )
            }
            InputSource::FromEvent(name) => match &source.gitlab {
                None => (
                    "from_event",
                    "The event of a schedule has no values. Use built_in_var.".to_owned(),
                ),
                Some(gitlab) if data_key(gitlab, name).is_none() => {
                    let events: Vec<&str> = gitlab.events.iter().map(String::as_str).collect();
                    let detail = format!(
                        "Not every event of the event source ({}) has the value {name}. Each event has commitID and ref; merge_requests_events has target_branch, source_branch, state, labels and title, too.",
                        events.join(", ")
                    );
                    ("from_event", detail)
                }
                Some(_) => continue,
            },
            InputSource::BuiltInVar(_) => continue,
        };
        problems.push(PipelineProblem {
            path: path.attribute(attribute),
            detail,
        });
    }
}

/// Returns why an event source has events without a branch or tag; `None` if all have one.
fn without_ref(source: &EventSource) -> Option<String> {
    let Some(gitlab) = &source.gitlab else {
        return Some("The event of a schedule names no branch and no tag".to_owned());
    };
    let events = gitlab.events.iter();
    let without: BTreeSet<&str> = events
        .filter_map(|name| WebhookEvent::find(name))
        .filter(|event| !event.has_ref())
        .map(|event| event.name)
        .collect();
    let without: Vec<&str> = without.into_iter().collect();
    (!without.is_empty()).then(|| {
        format!(
            "An event of {} names no branch and no tag",
            without.join(", ")
        )
    })
}
