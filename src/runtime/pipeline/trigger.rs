//! A trigger of a Sensor: what an event makes of the init run.

use nautes_model::entity::{EventSource, GitlabEvents, InputSource, PipelineTrigger};
use serde_json::{Value, json};

use super::event::WebhookEvent;
use super::filter::{COMMIT, REF};
use super::init_run::{InitRun, Parameter, RunInput, init_run};
use super::inputs::PipelineInputs;
use super::names::{self, dependency};

/// The field of the user's pipeline that gets the revision of the event if a trigger names no inputs.
const DEFAULT_INPUT: &str = "/spec/params/0/value";

/// Returns a trigger; `None` if its event source or pipeline does not exist.
///
/// It waits for its own dependency alone: without conditions it would wait for all of them together.
pub(super) fn trigger(inputs: &PipelineInputs<'_>, entry: &PipelineTrigger) -> Option<Value> {
    let source = inputs.runtime.event_sources.get(&entry.event_source)?;
    let pipeline = inputs.runtime.pipelines.get(&entry.pipeline)?;
    let revision = entry.revision.as_deref().filter(|text| !text.is_empty());
    let mut run = InitRun {
        entry,
        pipeline,
        parameters: parameters(source, revision, &pipeline.path),
        inputs: Vec::new(),
        status_repository: None,
    };
    if let (true, Some(gitlab)) = (inputs.report_status, &source.gitlab) {
        run.status_repository = Some(gitlab.code_repo);
        run.parameters.push(Parameter::from_event("Commit", COMMIT));
    }
    add_inputs(&mut run, inputs, source);
    let dependency = dependency(&entry.event_source);
    let from_event: Vec<Value> = run
        .parameters
        .iter()
        .enumerate()
        .filter_map(|(index, parameter)| {
            let key = parameter.data_key?;
            Some(json!({
                // A key that is missing makes the trigger fail where there is no default.
                "src": { "dependencyName": dependency, "dataKey": key, "value": "" },
                "dest": format!("spec.params.{index}.value"),
            }))
        })
        .collect();
    let mut k8s = json!({
        "operation": "create",
        "source": { "resource": init_run(inputs, &run) },
    });
    if let (false, Some(k8s)) = (from_event.is_empty(), k8s.as_object_mut()) {
        k8s.insert("parameters".to_owned(), from_event.into());
    }
    Some(json!({
        "template": {
            "name": names::trigger(&entry.event_source, &entry.pipeline, revision),
            "conditions": dependency,
            "k8s": k8s,
        },
        // Without it a failure is not repeated. The price is a run that is rarely made twice.
        "atLeastOnce": true,
        "retryStrategy": { "steps": 5, "duration": "2s", "factor": 2 },
    }))
}

fn parameters(source: &EventSource, revision: Option<&str>, path: &str) -> Vec<Parameter> {
    let of_event = |name| match &source.gitlab {
        Some(_) => Parameter::from_event(name, REF),
        None => Parameter::constant(name, ""),
    };
    vec![
        of_event("Revision"),
        match revision {
            Some(revision) => Parameter::constant("PipelineRevision", revision),
            None => of_event("PipelineRevision"),
        },
        Parameter::constant("PipelineFile", path),
    ]
}

fn add_inputs(run: &mut InitRun<'_>, inputs: &PipelineInputs<'_>, source: &EventSource) {
    if run.entry.inputs.is_empty() && source.gitlab.is_some() {
        run.inputs.push(RunInput {
            parameter: "Revision".to_owned(),
            pointer: DEFAULT_INPUT.to_owned(),
        });
    }
    for (index, input) in run.entry.inputs.iter().enumerate() {
        let name = format!("UserRequest_{index}");
        let parameter = match &input.source {
            InputSource::BuiltInVar(variable) => {
                let value = built_in(inputs, run, source, variable);
                Parameter::constant(&name, value.unwrap_or_default())
            }
            InputSource::FromEvent(variable) => {
                let key = source.gitlab.as_ref();
                match key.and_then(|gitlab| data_key(gitlab, variable)) {
                    Some(key) => Parameter::from_event(&name, key),
                    None => Parameter::constant(&name, ""),
                }
            }
        };
        run.parameters.push(parameter);
        run.inputs.push(RunInput {
            parameter: name,
            pointer: input.kustomization_path.clone(),
        });
    }
}

/// Returns where a variable is in all events of a source; `None` if one of them does not have it.
pub(super) fn data_key(gitlab: &GitlabEvents, variable: &str) -> Option<&'static str> {
    let events = gitlab.events.iter();
    let mut keys = events.map(|name| WebhookEvent::find(name)?.data_key(variable));
    let first = keys.next()??;
    keys.all(|key| key == Some(first)).then_some(first)
}

/// The variables that a trigger may pass to its pipeline (Nautes' `app/runtime-operator/pkg/component/pipeline.go`).
pub(super) const BUILT_IN: [&str; 12] = [
    "CodeRepoProviderURL",
    "EventSourceCodeRepoName",
    "EventSourceCodeRepoURL",
    "Namespace",
    "PipelineCodeRepoName",
    "PipelineCodeRepoURL",
    "PipelineDashBoardURL",
    "PipelineFilePath",
    "PipelineLabel",
    "PipelineRevision",
    "ProviderType",
    "ServiceAccount",
];

/// Returns the value of a variable of [`BUILT_IN`]; `None` where it has none.
fn built_in(
    inputs: &PipelineInputs<'_>,
    run: &InitRun<'_>,
    source: &EventSource,
    variable: &str,
) -> Option<String> {
    let runtime = inputs.runtime;
    let of_source = || {
        let repository = source.gitlab.as_ref()?.code_repo;
        inputs.repositories.get(&repository)
    };
    let of_pipelines = || inputs.repositories.get(&runtime.pipeline_source);
    match variable {
        "CodeRepoProviderURL" => Some(inputs.gitlab.url.clone()),
        "EventSourceCodeRepoName" => Some(of_source()?.name.clone()),
        "EventSourceCodeRepoURL" => Some(of_source()?.ssh_url.clone()),
        "Namespace" => Some(runtime.effective_namespace().to_owned()),
        "PipelineCodeRepoName" => Some(of_pipelines()?.name.clone()),
        "PipelineCodeRepoURL" => Some(of_pipelines()?.ssh_url.clone()),
        "PipelineDashBoardURL" => inputs.components.tekton_url.clone(),
        "PipelineFilePath" => Some(run.pipeline.path.clone()),
        "PipelineLabel" => run.pipeline.label.clone(),
        "PipelineRevision" => run.entry.revision.clone(),
        "ProviderType" => Some("gitlab".to_owned()),
        "ServiceAccount" => Some(runtime.effective_account().to_owned()),
        _ => None,
    }
}
