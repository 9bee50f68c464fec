//! The objects in the real programs of Argo Events: which webhooks and schedules make which runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nautes_model::entity::Calendar;
use reqwest::blocking::Client;
use serde_json::Value;
use testbed::{ArgoEvents, ControlPlane, ControlPlaneOptions, Method, RunningSensor};

use super::api_server::objects;
use super::events::{deleted_branch, merge_request, note, push, tag};
use super::{SOURCE, Sample};
use crate::runtime::pipeline::names;

const NAMESPACE: &str = "argo-events";
const RUNS: &str = "/apis/tekton.dev/v1/namespaces/shop-ci/pipelineruns";
const LIMIT: Duration = Duration::from_secs(60);

/// A title that a shell would run, and a template engine would expand.
const TITLE: &str = "Fix $(touch /tmp/run) `id` {{ .Input }} \"quoted\"";

/// Returns the created runs by the names of their triggers.
fn runs(control_plane: &ControlPlane) -> BTreeMap<String, Vec<Value>> {
    let listed = control_plane.api(Method::GET, RUNS, None).unwrap();
    let mut runs: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for run in listed["items"].as_array().unwrap() {
        let trigger = &run["metadata"]["labels"]["events.argoproj.io/trigger"];
        let trigger = trigger.as_str().unwrap().to_owned();
        runs.entry(trigger).or_default().push(run.clone());
    }
    runs
}

fn wait_for(control_plane: &ControlPlane, sensor: &RunningSensor, triggers: &[&str]) {
    let begun = Instant::now();
    loop {
        let runs = runs(control_plane);
        if triggers.iter().all(|trigger| runs.contains_key(*trigger)) {
            return;
        }
        let log = || sensor.log().unwrap();
        assert!(begun.elapsed() < LIMIT, "{:?}\n{}", runs.keys(), log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn param<'a>(run: &'a Value, name: &str) -> &'a Value {
    let params = run["spec"]["params"].as_array().unwrap();
    let param = params.iter().find(|param| param["name"] == name);
    &param.unwrap()["value"]
}

fn start(folder: &std::path::Path) -> ControlPlane {
    let options = ControlPlaneOptions::default();
    let control_plane = ControlPlane::start(&folder.join("kubernetes"), &options).unwrap();
    let components = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/components");
    for file in ["argo-events-v1.9.11.yaml", "tekton-pipelines-v1.15.0.yaml"] {
        let text = std::fs::read_to_string(components.join(file)).unwrap();
        let definitions = text
            .split("\n---")
            .filter(|part| part.contains("kind: CustomResourceDefinition"));
        let definitions: Vec<&str> = definitions.collect();
        control_plane.apply(&definitions.join("\n---")).unwrap();
    }
    for namespace in [NAMESPACE, "shop-ci"] {
        let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {namespace} }}\n");
        control_plane.apply(&text).unwrap();
    }
    control_plane
}

#[test]
fn webhooks_and_schedules_make_the_runs_that_the_runtime_describes_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let control_plane = start(folder.path());
    let mut sample = Sample::new();
    let nightly = sample.runtime.event_sources.get_mut("nightly").unwrap();
    nightly.calendar = Some(Calendar {
        interval: Some("2s".to_owned()),
        ..Calendar::default()
    });
    let events = ArgoEvents::start(&control_plane, &folder.path().join("events")).unwrap();
    for object in objects(&sample) {
        if matches!(
            object.reference().kind.kind.as_str(),
            "EventSource" | "Sensor"
        ) {
            events.check(object.json()).unwrap();
        }
        control_plane.apply(&object.json().to_string()).unwrap();
    }
    let names = sample.inputs().names();
    let sensor = events.run_sensor(NAMESPACE, names.uid()).unwrap();
    let gitlab = events.run_event_source(NAMESPACE, &names.gitlab()).unwrap();
    let _calendar = events
        .run_event_source(NAMESPACE, &names.calendar())
        .unwrap();

    let client = Client::builder().no_proxy().build().unwrap();
    let send = |event: &Value, token: &str| {
        let url = format!("{}{}", gitlab.url(), names.hook_path(SOURCE));
        let header = event["headers"]["X-Gitlab-Event"][0].as_str().unwrap();
        let request = client.post(url).header("X-Gitlab-Event", header);
        let request = request.header("X-Gitlab-Token", token);
        request.json(&event["body"]).send().unwrap().status()
    };
    let main = push("refs/heads/main");
    assert_eq!(send(&main, "another"), 400);
    // A trigger handles its events in order, so those that must fire nothing come before those that do.
    for event in [
        push("refs/heads/maintenance"),
        push("refs/heads/feature/refs/heads/main"),
        deleted_branch("refs/heads/main"),
        tag("main"),
        tag("nightly"),
        note(),
        main,
        tag("v1.0"),
        merge_request(TITLE),
    ] {
        assert_eq!(send(&event, "token"), 200, "{event}");
    }
    let on_request = names::trigger("on-request", "build", Some("main"));
    let nightly = names::trigger("nightly", "build", Some("main"));
    let expected = ["on-push-build", "on-release-publish", &on_request, &nightly];
    wait_for(&control_plane, &sensor, &expected);

    let runs = runs(&control_plane);
    let fired: BTreeSet<&str> = runs.keys().map(String::as_str).collect();
    assert_eq!(fired, BTreeSet::from(expected));
    let only = |trigger: &str| {
        assert_eq!(runs[trigger].len(), 1, "{trigger}");
        &runs[trigger][0]
    };
    let pushed = only("on-push-build");
    assert_eq!(param(pushed, "Revision"), "refs/heads/main");
    assert_eq!(param(pushed, "PipelineFile"), "pipelines/build.yaml");
    let released = only("on-release-publish");
    assert_eq!(param(released, "Revision"), "refs/tags/v1.0");
    assert_eq!(param(only(&on_request), "UserRequest_0"), TITLE);
    assert_eq!(param(&runs[&nightly][0], "PipelineRevision"), "main");
}
