//! The manifest of a pipeline runtime.

use std::collections::BTreeMap;

use nautes_model::entity::{
    AdditionalResources, Calendar, EventSource, GitlabEvents, Hook, Hooks, InputSource, Isolation,
    Pipeline, PipelineDestination, PipelineRuntime, PipelineTrigger, TriggerInput,
};
use nautes_model::revision::Revision;
use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::value::{Path, Tf};

use super::model::{
    AdditionalResourcesModel, CalendarModel, DestinationModel, EventSourceModel, GitLabModel,
    HookModel, HooksModel, InputModel, PipelineModel, PipelineRuntimeModel, TriggerModel,
};
use super::references::{Meanings, moved};
use crate::resources::attribute::CommonAttributes;
use crate::resources::references::{entity_name, invalid_value, name_in, resolve_name};
use crate::resources::runtime_environment;

/// Returns the entity that the attributes describe. `namespace` is `None` where the manifest leaves it open.
pub(super) fn entity(
    model: &PipelineRuntimeModel,
    product: ProductId,
    meanings: &Meanings,
    namespace: Option<String>,
) -> Result<PipelineRuntime, Diagnostics> {
    let pipelines = model.pipelines.iter().map(|(name, pipeline)| {
        let pipeline = Pipeline {
            label: pipeline.label.clone(),
            path: pipeline.path.clone(),
        };
        (name.clone(), pipeline)
    });
    let mut event_sources = BTreeMap::new();
    for (name, source) in &model.event_sources {
        event_sources.insert(name.clone(), event_source(source, meanings)?);
    }
    let mut triggers = Vec::new();
    for (index, trigger) in model.pipeline_triggers.iter().enumerate() {
        let path = Path::to("pipeline_triggers").index(index);
        triggers.push(pipeline_trigger(trigger, &path)?);
    }
    let additional = model.additional_resources.as_ref();
    let additional = additional.map(|resources| {
        let code_repo = resources.code_repo.as_deref();
        Ok::<_, Diagnostics>(AdditionalResources {
            code_repo: code_repo.map(|text| meanings.get(text)).transpose()?,
            path: resources.path.clone(),
            revision: resources.revision.clone(),
            url: resources.url.clone(),
        })
    });
    let hooks = model.hooks.as_ref();
    let side = |hooks: Option<&Option<Vec<HookModel>>>| {
        let hooks = hooks.into_iter().flatten().flatten();
        hooks.map(hook).collect()
    };
    Ok(PipelineRuntime {
        product,
        name: entity_name("name", &model.name)?,
        project: resolve_name(product, "project", &model.project)?,
        pipeline_source: meanings.get(&model.pipeline_source)?,
        pipelines: pipelines.collect(),
        event_sources,
        pipeline_triggers: triggers,
        destination: PipelineDestination {
            environment: runtime_environment::resolve(product, &model.destination.environment)?,
            namespace,
        },
        isolation: match model.isolation.as_str() {
            "exclusive" => Isolation::Exclusive,
            _ => Isolation::Shared,
        },
        account: model.account.clone(),
        additional_resources: additional.transpose()?,
        hooks: Hooks {
            pre: side(hooks.map(|hooks| &hooks.pre)),
            post: side(hooks.map(|hooks| &hooks.post)),
        },
    })
}

fn event_source(
    source: &EventSourceModel,
    meanings: &Meanings,
) -> Result<EventSource, Diagnostics> {
    let gitlab = source.gitlab.as_ref().map(|gitlab| {
        Ok::<_, Diagnostics>(GitlabEvents {
            events: gitlab.events.clone(),
            code_repo: meanings.get(&gitlab.code_repo)?,
            revision: gitlab.pattern(),
        })
    });
    let calendar = source.calendar.as_ref().map(|calendar| Calendar {
        exclusion_dates: calendar.exclusion_dates.clone().unwrap_or_default(),
        interval: calendar.interval.clone(),
        schedule: calendar.schedule.clone(),
        timezone: calendar.timezone.clone(),
    });
    Ok(EventSource {
        gitlab: gitlab.transpose()?,
        calendar,
    })
}

fn pipeline_trigger(trigger: &TriggerModel, path: &Path) -> Result<PipelineTrigger, Diagnostics> {
    let mut inputs = Vec::new();
    for (index, input) in trigger.inputs.iter().flatten().enumerate() {
        let source = match (&input.built_in_var, &input.from_event) {
            (Some(name), None) => InputSource::BuiltInVar(name.clone()),
            (None, Some(name)) => InputSource::FromEvent(name.clone()),
            (None, None) | (Some(_), Some(_)) => {
                let detail = "Set either from_event or built_in_var.".to_owned();
                let path = path.attribute("inputs").index(index);
                return Err(moved(invalid_value("inputs", detail), &path));
            }
        };
        inputs.push(TriggerInput {
            source,
            kustomization_path: input.kustomization_path.clone(),
        });
    }
    Ok(PipelineTrigger {
        event_source: trigger.event_source.clone(),
        pipeline: trigger.pipeline.clone(),
        revision: trigger.revision.clone(),
        inputs,
    })
}

fn hook(hook: &HookModel) -> Hook {
    Hook {
        name: hook.name.clone(),
        alias: hook.alias.clone(),
        vars: hook.vars.clone().unwrap_or_default(),
    }
}

/// Takes over the fields of a manifest, in the form that the user wrote where that means the same.
pub(super) fn update_from(
    model: &mut PipelineRuntimeModel,
    found: &PipelineRuntime,
    meanings: &mut Meanings,
) {
    let mut text = |kept: Option<&str>, id: RepositoryId| match kept {
        Some(kept) if meanings.get(kept).is_ok_and(|meant| meant == id) => kept.to_owned(),
        _ => {
            let text = id.to_string();
            meanings.insert(&text, id);
            text
        }
    };
    model.pipeline_source = text(Some(&model.pipeline_source), found.pipeline_source);
    if name_in(&model.project) != found.project.as_str() {
        model.project = found.project.to_string();
    }
    let mut sources = BTreeMap::new();
    for (name, source) in &found.event_sources {
        let kept = model.event_sources.get(name);
        let gitlab = source.gitlab.as_ref().map(|gitlab| {
            let kept = kept.and_then(|kept| kept.gitlab.as_ref());
            let code_repo = text(kept.map(|kept| kept.code_repo.as_str()), gitlab.code_repo);
            gitlab_model(gitlab, code_repo, kept)
        });
        let calendar = source.calendar.as_ref();
        let calendar = calendar
            .map(|calendar| calendar_model(calendar, kept.and_then(|kept| kept.calendar.as_ref())));
        sources.insert(name.clone(), EventSourceModel { gitlab, calendar });
    }
    model.event_sources = sources;
    model.pipelines = pipeline_models(found);
    model.pipeline_triggers = trigger_models(found, &model.pipeline_triggers);
    let additional = found.additional_resources.as_ref();
    model.additional_resources = additional.map(|resources| {
        let kept = model.additional_resources.as_ref();
        let kept = kept.and_then(|kept| kept.code_repo.as_deref());
        AdditionalResourcesModel {
            code_repo: resources.code_repo.map(|id| text(kept, id)),
            url: resources.url.clone(),
            revision: resources.revision.clone(),
            path: resources.path.clone(),
        }
    });
    let destination = &found.destination;
    if name_in(&model.destination.environment) != destination.environment.as_str() {
        model.destination.environment = destination.environment.to_string();
    }
    let namespace = destination
        .namespace
        .as_ref()
        .filter(|text| !text.is_empty());
    if model.runtime_namespace.known() != namespace && namespace.is_some() {
        model.destination.namespace = namespace.cloned();
    }
    found.isolation.as_str().clone_into(&mut model.isolation);
    let account = found
        .account
        .as_deref()
        .filter(|account| !account.is_empty());
    if model.account.as_deref() != account {
        model.account = account.map(str::to_owned);
    }
    let hooks = [&found.hooks.pre, &found.hooks.post];
    if model.hooks.is_some() || hooks.iter().any(|side| !side.is_empty()) {
        let kept = model.hooks.take();
        let kept = kept.as_ref();
        model.hooks = Some(HooksModel {
            pre: hook_models(&found.hooks.pre, kept.and_then(|kept| kept.pre.as_ref())),
            post: hook_models(&found.hooks.post, kept.and_then(|kept| kept.post.as_ref())),
        });
    }
}

fn gitlab_model(
    found: &GitlabEvents,
    code_repo: String,
    kept: Option<&GitLabModel>,
) -> GitLabModel {
    let revision = found.revision.as_deref().filter(|text| !text.is_empty());
    let mut model = GitLabModel {
        code_repo,
        events: found.events.clone(),
        branch: None,
        tag: None,
        revision: None,
        enable_ssl_verification: kept.and_then(|kept| kept.enable_ssl_verification),
    };
    match kept {
        Some(kept) if kept.pattern().as_deref() == revision => {
            model.branch.clone_from(&kept.branch);
            model.tag.clone_from(&kept.tag);
            model.revision.clone_from(&kept.revision);
        }
        _ => match revision.map(Revision::from_pattern) {
            Some(Revision::Branch(branch)) => model.branch = Some(branch),
            Some(Revision::Tag(tag)) => model.tag = Some(tag),
            Some(Revision::Pattern(pattern)) => model.revision = Some(pattern),
            None => {}
        },
    }
    model
}

fn calendar_model(found: &Calendar, kept: Option<&CalendarModel>) -> CalendarModel {
    let dates = kept.and_then(|kept| kept.exclusion_dates.clone());
    let is_same = dates.clone().unwrap_or_default() == found.exclusion_dates;
    CalendarModel {
        schedule: found.schedule.clone(),
        interval: found.interval.clone(),
        exclusion_dates: if is_same {
            dates
        } else {
            Some(found.exclusion_dates.clone())
        },
        timezone: found.timezone.clone(),
    }
}

fn pipeline_models(found: &PipelineRuntime) -> BTreeMap<String, PipelineModel> {
    let pipelines = found.pipelines.iter().map(|(name, pipeline)| {
        let model = PipelineModel {
            path: pipeline.path.clone(),
            label: pipeline.label.clone(),
        };
        (name.clone(), model)
    });
    pipelines.collect()
}

fn trigger_models(found: &PipelineRuntime, kept: &[TriggerModel]) -> Vec<TriggerModel> {
    let triggers = found.pipeline_triggers.iter().enumerate();
    triggers
        .map(|(index, trigger)| {
            let inputs = trigger.inputs.iter().map(|input| {
                let (from_event, built_in_var) = match &input.source {
                    InputSource::FromEvent(name) => (Some(name.clone()), None),
                    InputSource::BuiltInVar(name) => (None, Some(name.clone())),
                };
                InputModel {
                    from_event,
                    built_in_var,
                    kustomization_path: input.kustomization_path.clone(),
                }
            });
            let inputs: Vec<InputModel> = inputs.collect();
            // An empty list and none mean the same.
            let kept = kept.get(index).and_then(|kept| kept.inputs.clone());
            let is_same = kept.clone().unwrap_or_default() == inputs;
            TriggerModel {
                event_source: trigger.event_source.clone(),
                pipeline: trigger.pipeline.clone(),
                revision: trigger.revision.clone(),
                inputs: if is_same { kept } else { Some(inputs) },
            }
        })
        .collect()
}

fn hook_models(found: &[Hook], kept: Option<&Vec<HookModel>>) -> Option<Vec<HookModel>> {
    if found.is_empty() && kept.is_none() {
        return None;
    }
    let hooks = found.iter().map(|hook| {
        let same = kept
            .into_iter()
            .flatten()
            .find(|kept| kept.name == hook.name);
        let vars = same.and_then(|kept| kept.vars.clone());
        let is_same = vars.clone().unwrap_or_default() == hook.vars;
        HookModel {
            name: hook.name.clone(),
            alias: hook.alias.clone(),
            vars: if is_same {
                vars
            } else {
                Some(hook.vars.clone())
            },
            task: same.and_then(|kept| kept.task.clone()),
        }
    });
    Some(hooks.collect())
}

/// Returns the attributes of a manifest, with the defaults of those that it does not have.
pub(super) fn from_entity(
    common: CommonAttributes,
    found: &PipelineRuntime,
    meanings: &mut Meanings,
) -> PipelineRuntimeModel {
    let mut model = PipelineRuntimeModel {
        name: found.name.to_string(),
        project: found.project.to_string(),
        pipeline_source: String::new(),
        account: None,
        isolation: String::new(),
        destination: DestinationModel {
            environment: found.destination.environment.to_string(),
            namespace: None,
        },
        event_sources: BTreeMap::new(),
        pipelines: BTreeMap::new(),
        pipeline_triggers: Vec::new(),
        credentials: None,
        additional_resources: None,
        report_status: false,
        history: None,
        hooks: None,
        common,
        runtime_namespace: Tf::Null,
        runtime_account: Tf::Null,
        cluster: Tf::Null,
        webhooks: Tf::Null,
        credential_secrets: Tf::Null,
        vault_role: Tf::Null,
        vault_auth_mount: Tf::Null,
        tekton_url: Tf::Null,
    };
    update_from(&mut model, found, meanings);
    model
}
