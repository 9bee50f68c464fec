//! The one Sensor of a runtime: a dependency for each event source, and a trigger for each entry of `pipeline_triggers`.

use kubernetes_apply::object::{Object, ObjectError};
use nautes_model::entity::EventSource;
use serde_json::{Value, json};

use super::event_source::calendar_event;
use super::filter::{TRANSFORM, filters};
use super::inputs::PipelineInputs;
use super::names::{PipelineNames, dependency};
use super::trigger::trigger;
use crate::clusters::PRODUCT_LABEL;
use crate::components::Component;

/// Returns the Sensor.
pub(crate) fn sensor(inputs: &PipelineInputs<'_>) -> Result<Object, ObjectError> {
    let names = inputs.names();
    let sources = inputs.runtime.event_sources.iter();
    let dependencies: Vec<Value> = sources
        .filter_map(|(name, source)| on_event_source(&names, name, source))
        .collect();
    let triggers = inputs.runtime.pipeline_triggers.iter();
    let triggers: Vec<Value> = triggers
        .filter_map(|entry| trigger(inputs, entry))
        .collect();
    Object::new(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Sensor",
        "metadata": {
            "name": names.uid(),
            "namespace": Component::ArgoEvents.namespace(),
            "labels": {
                PRODUCT_LABEL: inputs.product(),
                "nautes.argoevents.consumer": names.uid(),
            },
        },
        "spec": {
            "eventBusName": "default",
            "template": { "serviceAccountName": names.uid() },
            "dependencies": dependencies,
            "triggers": triggers,
        },
    }))
}

fn on_event_source(names: &PipelineNames, name: &str, source: &EventSource) -> Option<Value> {
    if let Some(gitlab) = &source.gitlab {
        return Some(json!({
            "name": dependency(name),
            "eventSourceName": names.gitlab(),
            "eventName": gitlab.code_repo.to_string(),
            "transform": { "jq": TRANSFORM },
            "filters": filters(gitlab),
        }));
    }
    source.calendar.as_ref()?;
    Some(json!({
        "name": dependency(name),
        "eventSourceName": names.calendar(),
        "eventName": calendar_event(name),
    }))
}
