//! The `spec` of a pipeline runtime's manifest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    AdditionalResources, Calendar, EventSource, GitlabEvents, Hooks, InputSource, Isolation,
    Pipeline, PipelineDestination, PipelineRuntime, PipelineTrigger, TriggerInput,
};
use crate::entity::{EntityError, go_zero};
use crate::entity_name::EntityName;
use crate::id::{ProductId, RepositoryId};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::entity) struct PipelineRuntimeSpec {
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    account: Option<String>,
    #[serde(default, deserialize_with = "go_zero::null_as_default")]
    additional_resources: AdditionalResourcesSpec,
    destination: PipelineDestination,
    #[serde(deserialize_with = "go_zero::null_as_default")]
    event_sources: Vec<EventSourceSpec>,
    #[serde(default, deserialize_with = "go_zero::null_as_default")]
    hooks: Hooks,
    isolation: Isolation,
    pipeline_source: RepositoryId,
    #[serde(deserialize_with = "go_zero::null_as_default")]
    pipeline_triggers: Vec<TriggerSpec>,
    #[serde(deserialize_with = "go_zero::null_as_default")]
    pipelines: Vec<PipelineSpec>,
    project: EntityName,
}

#[derive(Default, Serialize, Deserialize)]
struct AdditionalResourcesSpec {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    git: Option<AdditionalResources>,
}

#[derive(Serialize, Deserialize)]
struct EventSourceSpec {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calendar: Option<Calendar>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gitlab: Option<GitlabEvents>,
}

#[derive(Serialize, Deserialize)]
struct PipelineSpec {
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    label: Option<String>,
    name: String,
    path: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TriggerSpec {
    event_source: String,
    #[serde(
        default,
        deserialize_with = "go_zero::null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    inputs: Vec<InputSpec>,
    pipeline: String,
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    revision: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InputSpec {
    source: SourceSpec,
    transmission_method: TransmissionSpec,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourceSpec {
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    built_in_var: Option<String>,
    #[serde(default, with = "go_zero", skip_serializing_if = "go_zero::is_zero")]
    from_event: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct TransmissionSpec {
    kustomization: KustomizationSpec,
}

#[derive(Serialize, Deserialize)]
struct KustomizationSpec {
    path: String,
}

impl From<&PipelineRuntime> for PipelineRuntimeSpec {
    fn from(runtime: &PipelineRuntime) -> Self {
        Self {
            account: runtime.account.clone(),
            additional_resources: AdditionalResourcesSpec {
                git: runtime.additional_resources.clone(),
            },
            destination: runtime.destination.clone(),
            event_sources: runtime
                .event_sources
                .iter()
                .map(EventSourceSpec::new)
                .collect(),
            hooks: runtime.hooks.clone(),
            isolation: runtime.isolation,
            pipeline_source: runtime.pipeline_source,
            pipeline_triggers: runtime
                .pipeline_triggers
                .iter()
                .map(TriggerSpec::from)
                .collect(),
            pipelines: runtime.pipelines.iter().map(PipelineSpec::new).collect(),
            project: runtime.project.clone(),
        }
    }
}

impl PipelineRuntimeSpec {
    pub(in crate::entity) fn into_entity(
        self,
        product: ProductId,
        name: EntityName,
    ) -> Result<PipelineRuntime, EntityError> {
        Ok(PipelineRuntime {
            product,
            name,
            project: self.project,
            pipeline_source: self.pipeline_source,
            pipelines: by_name(
                "pipelines",
                self.pipelines.into_iter().map(PipelineSpec::into_entry),
            )?,
            event_sources: by_name(
                "eventSources",
                self.event_sources
                    .into_iter()
                    .map(EventSourceSpec::into_entry),
            )?,
            pipeline_triggers: self
                .pipeline_triggers
                .into_iter()
                .map(PipelineTrigger::try_from)
                .collect::<Result<_, _>>()?,
            destination: self.destination,
            isolation: self.isolation,
            account: self.account,
            additional_resources: self.additional_resources.git,
            hooks: self.hooks,
        })
    }
}

/// Collects a list of named items into a map.
fn by_name<T>(
    list: &'static str,
    items: impl Iterator<Item = (String, T)>,
) -> Result<BTreeMap<String, T>, EntityError> {
    let mut map = BTreeMap::new();
    for (name, item) in items {
        if map.insert(name.clone(), item).is_some() {
            return Err(EntityError::DuplicateName { list, name });
        }
    }
    Ok(map)
}

impl EventSourceSpec {
    fn new((name, source): (&String, &EventSource)) -> Self {
        Self {
            name: name.clone(),
            calendar: source.calendar.clone(),
            gitlab: source.gitlab.clone(),
        }
    }

    fn into_entry(self) -> (String, EventSource) {
        (
            self.name,
            EventSource {
                gitlab: self.gitlab,
                calendar: self.calendar,
            },
        )
    }
}

impl PipelineSpec {
    fn new((name, pipeline): (&String, &Pipeline)) -> Self {
        Self {
            label: pipeline.label.clone(),
            name: name.clone(),
            path: pipeline.path.clone(),
        }
    }

    fn into_entry(self) -> (String, Pipeline) {
        (
            self.name,
            Pipeline {
                label: self.label,
                path: self.path,
            },
        )
    }
}

impl From<&PipelineTrigger> for TriggerSpec {
    fn from(trigger: &PipelineTrigger) -> Self {
        Self {
            event_source: trigger.event_source.clone(),
            inputs: trigger.inputs.iter().map(InputSpec::from).collect(),
            pipeline: trigger.pipeline.clone(),
            revision: trigger.revision.clone(),
        }
    }
}

impl TryFrom<TriggerSpec> for PipelineTrigger {
    type Error = EntityError;

    fn try_from(spec: TriggerSpec) -> Result<Self, EntityError> {
        Ok(Self {
            event_source: spec.event_source,
            pipeline: spec.pipeline,
            revision: spec.revision,
            inputs: spec
                .inputs
                .into_iter()
                .map(TriggerInput::try_from)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl From<&TriggerInput> for InputSpec {
    fn from(input: &TriggerInput) -> Self {
        let source = match &input.source {
            InputSource::BuiltInVar(name) => SourceSpec {
                built_in_var: Some(name.clone()),
                ..SourceSpec::default()
            },
            InputSource::FromEvent(name) => SourceSpec {
                from_event: Some(name.clone()),
                ..SourceSpec::default()
            },
        };
        let kustomization = KustomizationSpec {
            path: input.kustomization_path.clone(),
        };
        Self {
            source,
            transmission_method: TransmissionSpec { kustomization },
        }
    }
}

impl TryFrom<InputSpec> for TriggerInput {
    type Error = EntityError;

    fn try_from(spec: InputSpec) -> Result<Self, EntityError> {
        let source = match (spec.source.built_in_var, spec.source.from_event) {
            (Some(name), None) => InputSource::BuiltInVar(name),
            (None, Some(name)) => InputSource::FromEvent(name),
            (None, None) | (Some(_), Some(_)) => return Err(EntityError::InputSource),
        };
        Ok(Self {
            source,
            kustomization_path: spec.transmission_method.kustomization.path,
        })
    }
}
