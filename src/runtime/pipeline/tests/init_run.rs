//! What the init run makes of a pipeline file: its programs run in a jq.

use nautes_model::entity::InputSource;
use serde_json::{Map, Value, json};

use super::{Sample, hook_task, input, jq};
use crate::runtime::pipeline::sensor::sensor;

/// Returns the init run of a trigger.
fn run_of(sample: &Sample, trigger: usize) -> Value {
    let sensor = sensor(&sample.inputs()).unwrap().into_json();
    sensor["spec"]["triggers"][trigger]["template"]["k8s"]["source"]["resource"].clone()
}

fn init_task(run: &Value) -> &Value {
    let tasks = run["spec"]["pipelineSpec"]["tasks"].as_array().unwrap();
    let init = tasks.iter().find(|task| task["name"] == "init");
    &init.unwrap()["taskSpec"]
}

/// The variables of the second step, as Tekton and Kubernetes fill them in.
fn variables(run: &Value) -> Value {
    let step = &init_task(run)["steps"][1];
    let parameters = run["spec"]["params"].as_array().unwrap();
    let variables = step["env"].as_array().unwrap().iter().map(|variable| {
        let mut value = variable["value"].as_str().unwrap().to_owned();
        for parameter in parameters {
            let pattern = format!("$(params.{})", parameter["name"].as_str().unwrap());
            value = value.replace(&pattern, parameter["value"].as_str().unwrap());
        }
        let name = variable["name"].as_str().unwrap().to_owned();
        (name, Value::from(value.replace("$$(", "$(")))
    });
    Value::Object(variables.collect::<Map<_, _>>())
}

/// Returns what becomes of a pipeline file; `values` are those that the Sensor writes.
fn changed(sample: &Sample, trigger: usize, values: &[(usize, &str)], file: &Value) -> Vec<Value> {
    let mut run = run_of(sample, trigger);
    for (index, value) in values {
        run["spec"]["params"][index]["value"] = json!(value);
    }
    let env = variables(&run);
    let program = env["CHANGE_PROGRAM"].as_str().unwrap();
    jq::run(program, &env, file).unwrap()
}

fn pipeline_file() -> Value {
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": { "name": "build", "namespace": "elsewhere" },
        "spec": {
            "params": [{ "name": "a", "value": "" }, { "name": "b", "value": "" }],
            "taskRunTemplate": { "podTemplate": { "env": [{ "name": "MINE", "value": "1" }] } },
        },
    })
}

#[test]
fn the_run_of_the_user_gets_its_values_a_name_of_its_own_and_the_account() {
    let sample = Sample::new();
    let title = "$(rm -rf /) `id` \" '; ${HOME}";
    let changed = changed(&sample, 2, &[(3, title)], &pipeline_file());
    assert_eq!(changed.len(), 1);
    let run = &changed[0];
    assert_eq!(run["spec"]["params"][0]["value"], title);
    assert_eq!(run["spec"]["params"][1]["value"], "shop-ci");
    assert_eq!(run["metadata"]["generateName"], "build-");
    assert_eq!(run["metadata"].get("name"), None);
    assert_eq!(run["metadata"]["namespace"], "shop-ci");
    assert_eq!(
        run["metadata"]["labels"],
        json!({ "branch": "shop", "nautes.terraform/runtime": "product-42-pr-dev" })
    );
    let template = &run["spec"]["taskRunTemplate"];
    assert_eq!(template["serviceAccountName"], "ci");
    let names: Vec<&str> = template["podTemplate"]["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["GIT_SSH_COMMAND", "MINE"]);
}

#[test]
fn the_revision_of_the_event_is_the_first_value_where_a_trigger_names_none() {
    let sample = Sample::new();
    let changed = changed(&sample, 0, &[(0, "refs/heads/main")], &pipeline_file());
    assert_eq!(changed[0]["spec"]["params"][0]["value"], "refs/heads/main");
}

#[test]
fn files_of_several_objects_and_of_older_versions_are_taken() {
    let sample = Sample::new();
    let file = json!({ "kind": "List", "items": [
        { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } },
        {
            "apiVersion": "tekton.dev/v1beta1",
            "kind": "PipelineRun",
            "metadata": { "generateName": "old-" },
            "spec": { "params": [{ "name": "a" , "value": "" }], "serviceAccountName": "mine" },
        },
    ] });
    let changed = changed(&sample, 0, &[], &file);
    assert_eq!(
        changed[0]["metadata"],
        json!({ "name": "a", "namespace": "shop-ci" })
    );
    assert_eq!(changed[1]["metadata"]["generateName"], "old-");
    assert_eq!(changed[1]["spec"]["serviceAccountName"], "mine");
    assert_eq!(
        changed[1]["spec"]["podTemplate"]["env"][0]["name"],
        "GIT_SSH_COMMAND"
    );
}

#[test]
fn a_value_that_the_pipeline_does_not_have_is_an_error_that_names_it() {
    let mut sample = Sample::new();
    let revision = InputSource::FromEvent("commitID".to_owned());
    sample.runtime.pipeline_triggers[0].inputs = vec![input(revision, 5)];
    let run = run_of(&sample, 0);
    let env = variables(&run);
    let program = env["CHANGE_PROGRAM"].as_str().unwrap();
    let error = jq::run(program, &env, &pipeline_file()).unwrap_err();
    assert!(error.contains("nothing at /spec/params/5/value"), "{error}");
}

#[test]
fn no_script_depends_on_an_event() {
    let mut sample = Sample::new();
    sample.report_status = true;
    let run = run_of(&sample, 2);
    for step in init_task(&run)["steps"].as_array().unwrap() {
        let script = step["script"].as_str().unwrap();
        assert!(
            !script.contains("$(params.") && !script.contains("$(tasks."),
            "{script}"
        );
        let context = &step["securityContext"];
        assert_eq!(context["runAsNonRoot"], true);
        assert_eq!(context["allowPrivilegeEscalation"], false);
    }
    // Kubernetes replaces `$(NAME)` in a value by a variable that was defined before.
    let env = init_task(&run)["steps"][1]["env"].as_array().unwrap();
    let names: Vec<&str> = env
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names[..3], ["INPUT_0", "INPUT_1", "COMMIT"]);
}

#[test]
fn hooks_run_one_after_the_other_around_the_init_task() {
    let mut sample = Sample::new();
    sample.pre_hooks = vec![hook_task("lint"), hook_task("scan")];
    let run = run_of(&sample, 0);
    let tasks = run["spec"]["pipelineSpec"]["tasks"].as_array().unwrap();
    let order: Vec<_> = tasks
        .iter()
        .map(|task| {
            (
                task["name"].as_str().unwrap(),
                task.get("runAfter").cloned(),
            )
        })
        .collect();
    assert_eq!(
        order,
        [
            ("lint", None),
            ("scan", Some(json!(["lint"]))),
            ("init", Some(json!(["scan"]))),
        ]
    );
    assert_eq!(
        tasks[0]["params"],
        json!([{ "name": "level", "value": "high" }])
    );
}

#[test]
fn finished_runs_go_by_number_and_by_age() {
    let env = json!({ "KEEP_RUNS": "2", "KEEP_SECONDS": "3153600000" });
    let run = |name: &str, completed: Option<&str>, labels: Value| {
        json!({
            "metadata": { "name": name, "labels": labels },
            "status": { "completionTime": completed },
        })
    };
    let init = json!({ "nautes.terraform/init-run": "true" });
    let runs = json!({ "items": [
        run("ancient", Some("1900-01-01T00:00:00Z"), json!({})),
        run("c", Some("2026-01-03T00:00:00Z"), json!({})),
        run("a", Some("2026-01-01T00:00:00Z"), json!({})),
        run("b", Some("2026-01-02T00:00:00Z"), json!({})),
        run("running", None, json!({})),
        run("init", Some("2026-01-01T00:00:00Z"), init),
    ] });
    let program = include_str!("../init_run/prune.jq");
    assert_eq!(jq::run(program, &env, &runs).unwrap(), ["a", "ancient"]);
    let env = json!({ "KEEP_RUNS": "9", "KEEP_SECONDS": "1" });
    let old = jq::run(program, &env, &runs).unwrap();
    assert_eq!(old, ["c", "b", "a", "ancient", "init"]);
}

#[test]
fn the_state_of_a_run_is_one_of_gitlab() {
    let program = include_str!("../init_run/state.jq");
    for (status, reason, expected) in [
        ("True", "Succeeded", "success"),
        ("False", "Failed", "failed"),
        ("False", "CancelledRunningFinally", "canceled"),
        ("Unknown", "Running", "running"),
    ] {
        let condition = json!({ "type": "Succeeded", "status": status, "reason": reason });
        let run = json!({ "status": { "conditions": [condition] } });
        assert_eq!(jq::run(program, &json!({}), &run).unwrap(), [expected]);
    }
    assert_eq!(
        jq::run(program, &json!({}), &json!({})).unwrap(),
        ["running"]
    );
}
