//! Rules for a single pipeline runtime.

use std::collections::{BTreeMap, BTreeSet};

use super::field::FieldPath;
use super::problem::Problem;
use super::single_entity::{Finding, check, check_account, check_event, check_name};
use crate::entity::{Calendar, EventSource, GitlabEvents, Hook, PipelineRuntime, webhook_event};
use crate::name::NameRule;
use crate::revision::Revision;

pub(super) fn check_single(runtime: &PipelineRuntime, found: &mut BTreeSet<Finding>) {
    check_name(NameRule::PipelineRuntime, &runtime.name, found);
    if runtime.name == runtime.project {
        let problem = Problem::NameCollision {
            name: runtime.name.to_string(),
            owner: "the runtime's project",
        };
        found.insert((FieldPath::new("name"), problem));
    }
    if let Some(namespace) = runtime
        .destination
        .namespace
        .as_deref()
        .filter(|name| !name.is_empty())
    {
        let field = FieldPath::new("destination").attribute("namespace");
        check(NameRule::Namespace, namespace, field, found);
    }
    check_account(runtime.account.as_deref(), found);
    check_pipelines(runtime, found);
    for (name, source) in &runtime.event_sources {
        let field = FieldPath::new("event_sources").key(name.as_str());
        check(NameRule::EventSource, name, field.clone(), found);
        check_event_source(source, &field, found);
    }
    check_triggers(runtime, found);
    check_hooks(runtime, found);
    if let Some(resources) = &runtime.additional_resources
        && resources.code_repo.is_none()
        && resources.url.as_deref().unwrap_or_default().is_empty()
    {
        found.insert((FieldPath::new("additional_resources"), Problem::NoSource));
    }
    for (list, empty) in [
        ("pipelines", runtime.pipelines.is_empty()),
        ("event_sources", runtime.event_sources.is_empty()),
        ("pipeline_triggers", runtime.pipeline_triggers.is_empty()),
    ] {
        if empty {
            found.insert((FieldPath::new(list), Problem::Empty));
        }
    }
}

fn check_pipelines(runtime: &PipelineRuntime, found: &mut BTreeSet<Finding>) {
    let mut by_path: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, pipeline) in &runtime.pipelines {
        let field = FieldPath::new("pipelines").key(name.as_str());
        check(NameRule::Pipeline, name, field.clone(), found);
        if let Some(with) = by_path.insert(&pipeline.path, name) {
            let problem = Problem::DuplicatePath {
                path: pipeline.path.clone(),
                with: with.to_owned(),
            };
            found.insert((field.attribute("path"), problem));
        }
    }
}

fn check_event_source(source: &EventSource, field: &FieldPath, found: &mut BTreeSet<Finding>) {
    if source.gitlab.is_none() && source.calendar.is_none() {
        found.insert((field.clone(), Problem::NoEvents));
    }
    if let Some(gitlab) = &source.gitlab {
        check_gitlab(gitlab, &field.clone().attribute("gitlab"), found);
    }
    if let Some(Calendar {
        schedule, interval, ..
    }) = &source.calendar
        && [schedule, interval]
            .iter()
            .all(|text| text.as_deref().unwrap_or_default().is_empty())
    {
        found.insert((field.clone().attribute("calendar"), Problem::NoSchedule));
    }
}

fn check_gitlab(gitlab: &GitlabEvents, field: &FieldPath, found: &mut BTreeSet<Finding>) {
    let events = field.clone().attribute("events");
    for event in &gitlab.events {
        check_event(events.clone(), event, found);
    }
    let Some(pattern) = gitlab
        .revision
        .as_deref()
        .filter(|pattern| !pattern.is_empty())
    else {
        return;
    };
    let revision = Revision::from_pattern(pattern);
    if let Err(error) = revision.check() {
        let attribute = match revision {
            Revision::Branch(_) => "branch",
            Revision::Tag(_) => "tag",
            Revision::Pattern(_) => "revision",
        };
        found.insert((field.clone().attribute(attribute), error.into()));
    }
    for event in &gitlab.events {
        if webhook_event::is_known(event) && !webhook_event::WITH_REVISION.contains(&event.as_str())
        {
            let problem = Problem::EventWithoutRevision {
                event: event.clone(),
            };
            found.insert((events.clone(), problem));
        }
    }
}

fn check_triggers(runtime: &PipelineRuntime, found: &mut BTreeSet<Finding>) {
    let mut seen = BTreeSet::new();
    for (index, trigger) in runtime.pipeline_triggers.iter().enumerate() {
        let field = FieldPath::new("pipeline_triggers").index(index);
        if !runtime.event_sources.contains_key(&trigger.event_source) {
            let problem = Problem::UnknownEventSource {
                name: trigger.event_source.clone(),
            };
            found.insert((field.clone().attribute("event_source"), problem));
        }
        if !runtime.pipelines.contains_key(&trigger.pipeline) {
            let problem = Problem::UnknownPipeline {
                name: trigger.pipeline.clone(),
            };
            found.insert((field.clone().attribute("pipeline"), problem));
        }
        if !seen.insert((&trigger.event_source, &trigger.pipeline, &trigger.revision)) {
            found.insert((field, Problem::DuplicateTrigger));
        }
    }
}

fn check_hooks(runtime: &PipelineRuntime, found: &mut BTreeSet<Finding>) {
    let mut aliases = BTreeSet::new();
    for (side, hooks) in [("pre", &runtime.hooks.pre), ("post", &runtime.hooks.post)] {
        let mut names = BTreeSet::new();
        for (index, hook) in hooks.iter().enumerate() {
            let field = FieldPath::new("hooks").attribute(side).index(index);
            if !names.insert(&hook.name) {
                let problem = Problem::DuplicateHook {
                    name: hook.name.clone(),
                };
                found.insert((field.clone().attribute("name"), problem));
            }
            if !aliases.insert(Hook::effective_alias(hook)) {
                let problem = Problem::DuplicateAlias {
                    alias: hook.effective_alias().to_owned(),
                };
                found.insert((field.attribute("alias"), problem));
            }
        }
    }
}
