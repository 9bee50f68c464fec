//! The init run: a `PipelineRun` that clones the repository of the pipelines and creates the run of the user.
//!
//! It is one task with two steps on one empty volume, so one pod. What varies reaches the steps as environment
//! variables and is never part of a script: whoever may open a merge request chooses its title.

use nautes_model::RepositoryId;
use nautes_model::entity::{Pipeline, PipelineTrigger};
use serde_json::{Map, Value, json};

use super::inputs::{HookTask, PipelineInputs};
use crate::clusters::PRODUCT_LABEL;

/// The label of all runs of a runtime; the steps find by it what to delete.
pub(super) const RUNTIME_LABEL: &str = "nautes.terraform/runtime";

/// The label of init runs.
const INIT_RUN_LABEL: &str = "nautes.terraform/init-run";

/// The step that clones, and its image. The image has git and ssh.
const GIT_CLONE: (&str, &str) = ("git-clone", "ghcr.io/tektoncd-catalog/git-clone:v1.7.0");

/// The step that creates the user's run, and its image. The image has kubectl, jq and curl.
const PIPELINE_RUN: (&str, &str) = ("pipeline-run", "docker.io/alpine/k8s:1.34.1");

/// The user of both steps, which the image for cloning knows by name: ssh refuses to run as an unknown one.
const USER: u32 = 65532;

/// The name of the init task.
pub(super) const TASK: &str = "init";

/// An init run, as a trigger wants it.
pub(super) struct InitRun<'a> {
    pub(super) entry: &'a PipelineTrigger,
    pub(super) pipeline: &'a Pipeline,
    /// Its parameters, in the order in which the trigger counts them.
    pub(super) parameters: Vec<Parameter>,
    /// The values that the user's run gets.
    pub(super) inputs: Vec<RunInput>,
    /// The repository whose commits get a status.
    pub(super) status_repository: Option<RepositoryId>,
}

/// A parameter of an init run.
pub(super) struct Parameter {
    name: String,
    value: String,
    /// Where its value is in the event; `None` if it is a constant.
    pub(super) data_key: Option<&'static str>,
}

/// A value that the user's run gets.
pub(super) struct RunInput {
    /// The parameter of the init run.
    pub(super) parameter: String,
    /// The field of the user's run, as a JSON pointer.
    pub(super) pointer: String,
}

impl Parameter {
    pub(super) fn constant(name: &str, value: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.into(),
            data_key: None,
        }
    }

    pub(super) fn from_event(name: &str, data_key: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            value: String::new(),
            data_key: Some(data_key),
        }
    }
}

/// Returns the run.
pub(super) fn init_run(inputs: &PipelineInputs<'_>, run: &InitRun<'_>) -> Value {
    let parameters = run.parameters.iter();
    let values: Vec<Value> = parameters
        .map(|parameter| json!({ "name": parameter.name, "value": parameter.value }))
        .collect();
    let names = inputs.names();
    let mut labels = json!({
        RUNTIME_LABEL: names.uid(),
        PRODUCT_LABEL: inputs.product(),
    });
    insert(&mut labels, INIT_RUN_LABEL, "true");
    let mut spec = json!({
        "params": values,
        "pipelineSpec": { "params": declarations(run), "tasks": tasks(inputs, run) },
        "taskRunTemplate": { "serviceAccountName": inputs.runtime.effective_account() },
    });
    if run.status_repository.is_some() {
        // It waits for the user's run, which has a limit of its own.
        insert(&mut spec, "timeouts", json!({ "pipeline": "0" }));
    }
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "generateName": "hooks-",
            "namespace": inputs.runtime.effective_namespace(),
            "labels": labels,
        },
        "spec": spec,
    })
}

fn declarations(run: &InitRun<'_>) -> Vec<Value> {
    let parameters = run.parameters.iter();
    parameters
        .map(|parameter| json!({ "name": parameter.name, "type": "string" }))
        .collect()
}

/// Returns the tasks, one after the other.
fn tasks(inputs: &PipelineInputs<'_>, run: &InitRun<'_>) -> Vec<Value> {
    let passed: Vec<Value> = run
        .parameters
        .iter()
        .map(|parameter| {
            json!({ "name": parameter.name, "value": format!("$(params.{})", parameter.name) })
        })
        .collect();
    let init = json!({
        "name": TASK,
        "taskSpec": task_spec(inputs, run),
        "params": passed,
    });
    let pre = inputs.pre_hooks.iter().map(hook_task);
    let post = inputs.post_hooks.iter().map(hook_task);
    let mut tasks: Vec<Value> = pre.chain([init]).chain(post).collect();
    let mut previous: Option<Value> = None;
    for task in &mut tasks {
        let name = task.get("name").cloned();
        if let Some(previous) = previous {
            insert(task, "runAfter", json!([previous]));
        }
        previous = name;
    }
    tasks
}

fn hook_task(hook: &HookTask) -> Value {
    let params = hook.params.iter();
    let params: Vec<Value> = params
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    json!({ "name": hook.name, "taskSpec": hook.spec, "params": params })
}

fn task_spec(inputs: &PipelineInputs<'_>, run: &InitRun<'_>) -> Value {
    let image = |(name, default): (&str, &str)| {
        let chosen = inputs.components.step_images.get(name);
        chosen.map_or(default, String::as_str).to_owned()
    };
    let source_secret = inputs.names().credential("source");
    let mut volumes = vec![
        json!({ "name": "nautes-source", "emptyDir": {} }),
        json!({ "name": "nautes-home", "emptyDir": {} }),
        json!({ "name": "nautes-ssh", "secret": { "secretName": source_secret } }),
    ];
    let mut mounts = vec![
        json!({ "name": "nautes-source", "mountPath": "/nautes/source" }),
        json!({ "name": "nautes-home", "mountPath": "/nautes/home" }),
    ];
    let clone_mounts = [
        mounts.clone(),
        vec![json!({ "name": "nautes-ssh", "mountPath": "/nautes/ssh", "readOnly": true })],
    ]
    .concat();
    if let Some(repository) = run.status_repository {
        let secret = inputs.names().credential(&report_entry(repository));
        volumes.push(json!({ "name": "nautes-report", "secret": { "secretName": secret } }));
        mounts.push(
            json!({ "name": "nautes-report", "mountPath": "/nautes/report", "readOnly": true }),
        );
    }
    json!({
        "params": declarations(run),
        "volumes": volumes,
        "steps": [
            {
                "name": GIT_CLONE.0,
                "image": image(GIT_CLONE),
                "env": env(&clone_env(inputs)),
                "script": include_str!("git-clone.sh"),
                "securityContext": security_context(),
                "volumeMounts": clone_mounts,
            },
            {
                "name": PIPELINE_RUN.0,
                "image": image(PIPELINE_RUN),
                "env": env(&create_env(inputs, run)),
                "script": include_str!("pipeline-run.sh"),
                "securityContext": security_context(),
                "volumeMounts": mounts,
            },
        ],
    })
}

/// Tekton's own option covers only the containers that Tekton adds.
fn security_context() -> Value {
    json!({
        "runAsNonRoot": true,
        "runAsUser": USER,
        "runAsGroup": USER,
        "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
        "seccompProfile": { "type": "RuntimeDefault" },
    })
}

fn clone_env(inputs: &PipelineInputs<'_>) -> Vec<(String, String)> {
    let repository = inputs.repositories.get(&inputs.runtime.pipeline_source);
    let url = repository.map_or("", |repository| repository.ssh_url.as_str());
    vec![
        pair("PIPELINE_URL", literal(url)),
        pair("PIPELINE_REVISION", "$(params.PipelineRevision)"),
    ]
}

fn create_env(inputs: &PipelineInputs<'_>, run: &InitRun<'_>) -> Vec<(String, String)> {
    let names = inputs.names();
    let mut labels = Map::new();
    labels.insert(RUNTIME_LABEL.to_owned(), names.uid().into());
    if let Some(label) = run
        .pipeline
        .label
        .as_deref()
        .filter(|text| !text.is_empty())
    {
        labels.insert("branch".to_owned(), label.into());
    }
    // What comes from events is first: Kubernetes replaces `$(NAME)` in a value by a variable before it.
    let of_run = run.inputs.iter().enumerate();
    let mut variables: Vec<_> = of_run
        .clone()
        .map(|(index, input)| {
            pair(
                &input_variable(index),
                format!("$(params.{})", input.parameter),
            )
        })
        .collect();
    if run.status_repository.is_some() {
        variables.push(pair("COMMIT", "$(params.Commit)"));
    }
    let described: Vec<Value> = of_run
        .map(
            |(index, input)| json!({ "pointer": input.pointer, "variable": input_variable(index) }),
        )
        .collect();
    variables.extend([
        pair("INPUTS", literal(&Value::Array(described).to_string())),
        pair("NAMESPACE", inputs.runtime.effective_namespace()),
        pair("ACCOUNT", inputs.runtime.effective_account()),
        pair("RUNTIME", names.uid()),
        pair("PIPELINE_FILE", "$(params.PipelineFile)"),
        pair("LABELS", literal(&Value::Object(labels).to_string())),
        pair("RUN_ENV", literal(&run_env().to_string())),
        pair("KEEP_RUNS", inputs.history.runs.to_string()),
        pair("KEEP_SECONDS", inputs.history.max_age.as_secs().to_string()),
        pair("CHANGE_PROGRAM", literal(include_str!("change.jq"))),
        pair("PRUNE_PROGRAM", literal(include_str!("prune.jq"))),
    ]);
    if let Some(repository) = run.status_repository {
        variables.extend(report_env(inputs, run, repository));
    }
    variables
}

fn input_variable(index: usize) -> String {
    format!("INPUT_{index}")
}

fn report_env(
    inputs: &PipelineInputs<'_>,
    run: &InitRun<'_>,
    repository: RepositoryId,
) -> Vec<(String, String)> {
    let gitlab = inputs.gitlab.url.trim_end_matches('/');
    let project = repository.number();
    let name = format!("{}/{}", inputs.runtime.name, run.entry.pipeline);
    let mut variables = vec![
        pair(
            "STATUS_URL",
            literal(&format!("{gitlab}/api/v4/projects/{project}/statuses")),
        ),
        pair("STATUS_NAME", literal(&name)),
        pair("STATE_PROGRAM", literal(include_str!("state.jq"))),
    ];
    if let Some(url) = &inputs.components.tekton_url {
        variables.push(pair("DASHBOARD_URL", literal(url.trim_end_matches('/'))));
    }
    if let Some(ca_pem) = &inputs.gitlab.ca_pem {
        variables.push(pair("GITLAB_CA", literal(ca_pem)));
    }
    variables
}

/// The entry of `credentials` with the access token that reports statuses of commits of a repository.
pub(super) fn report_entry(repository: RepositoryId) -> String {
    format!("report-{repository}")
}

/// What all steps of the user's run get: ssh looks for its files in the home folder of the password file, and Tekton
/// puts them into `$HOME`. git gives the text to a shell.
fn run_env() -> Value {
    json!([{
        "name": "GIT_SSH_COMMAND",
        "value": "ssh -F $HOME/.ssh/config -o UserKnownHostsFile=$HOME/.ssh/known_hosts",
    }])
}

fn pair(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// Escapes what Kubernetes would replace in the value of an environment variable.
fn literal(text: &str) -> String {
    text.replace("$(", "$$(")
}

fn env(variables: &[(String, String)]) -> Vec<Value> {
    let variables = variables.iter();
    variables
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

fn insert(value: &mut Value, key: &str, entry: impl Into<Value>) {
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), entry.into());
    }
}
