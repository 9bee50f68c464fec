//! Which events start which pipelines. The bodies are those of GitLab's documentation of webhooks, without what no
//! filter looks at; the transformation runs in a jq, and the scripts in a Lua.

use nautes_model::RepositoryId;
use nautes_model::revision::Revision;
use serde_json::{Value, json};

use super::{Sample, gitlab, jq, trigger};
use crate::runtime::pipeline::sensor::sensor;

const ZEROS: &str = "0000000000000000000000000000000000000000";
const COMMIT: &str = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7";

fn event(header: &str, body: &Value) -> Value {
    json!({ "headers": { "X-Gitlab-Event": [header] }, "body": body })
}

pub(super) fn push(reference: &str) -> Value {
    event(
        "Push Hook",
        &json!({
            "object_kind": "push",
            "event_name": "push",
            "before": "95790bf891e76fee5e1747ab589903a6a1f80f22",
            "after": COMMIT,
            "ref": reference,
            "checkout_sha": COMMIT,
            "message": null,
            "project_id": 7,
            "commits": [{ "id": COMMIT, "message": "fixed readme" }],
            "total_commits_count": 1,
        }),
    )
}

pub(super) fn tag(name: &str) -> Value {
    event(
        "Tag Push Hook",
        &json!({
            "object_kind": "tag_push",
            "event_name": "tag_push",
            "before": ZEROS,
            "after": "82b3d5ae55f7080f1e6022629cdb57bfae7cccc7",
            "ref": format!("refs/tags/{name}"),
            "checkout_sha": COMMIT,
            "message": "Tag message",
            "project_id": 7,
            "commits": [],
            "total_commits_count": 0,
        }),
    )
}

pub(super) fn deleted_branch(reference: &str) -> Value {
    event(
        "Push Hook",
        &json!({
            "object_kind": "push",
            "event_name": "push",
            "before": COMMIT,
            "after": ZEROS,
            "ref": reference,
            "checkout_sha": null,
            "project_id": 7,
            "commits": [],
            "total_commits_count": 0,
        }),
    )
}

pub(super) fn merge_request(title: &str) -> Value {
    event(
        "Merge Request Hook",
        &json!({
            "object_kind": "merge_request",
            "event_type": "merge_request",
            "object_attributes": {
                "iid": 1,
                "target_branch": "main",
                "source_branch": "ms-viewport",
                "title": title,
                "state": "opened",
                "state_id": 1,
                "last_commit": { "id": COMMIT, "message": "fixed readme" },
                "labels": [],
                "action": "open",
            },
        }),
    )
}

pub(super) fn note() -> Value {
    event(
        "Note Hook",
        &json!({
            "object_kind": "note",
            "event_type": "note",
            "object_attributes": { "id": 1243, "note": "Great", "noteable_type": "Commit" },
            "commit": { "id": COMMIT },
        }),
    )
}

/// Returns the triggers that an event fires, by their names.
fn fired(sensor: &Value, event: &Value) -> Vec<String> {
    let list = |pointer: &str| sensor.pointer(pointer).unwrap().as_array().unwrap().clone();
    let passed: Vec<Value> = list("/spec/dependencies")
        .into_iter()
        .filter(|dependency| dependency.get("filters").is_some() && passes(dependency, event))
        .map(|dependency| dependency["name"].clone())
        .collect();
    list("/spec/triggers")
        .iter()
        .filter(|trigger| passed.contains(&trigger["template"]["conditions"]))
        .map(|trigger| trigger["template"]["name"].as_str().unwrap().to_owned())
        .collect()
}

fn passes(dependency: &Value, event: &Value) -> bool {
    let transformed = transformed(dependency, event);
    let data = dependency["filters"]["data"].as_array().unwrap();
    let script = dependency["filters"]["script"].as_str();
    data.iter()
        .all(|filter| passes_filter(filter, &transformed))
        && script.is_none_or(|script| passes_script(script, &transformed))
}

fn transformed(dependency: &Value, event: &Value) -> Value {
    let program = dependency["transform"]["jq"].as_str().unwrap();
    let mut outputs = jq::run(program, &json!({}), event).unwrap();
    assert_eq!(outputs.len(), 1);
    outputs.remove(0)
}

/// As `pkg/sensors/dependencies/filter.go` of Argo Events reads a filter.
fn passes_filter(filter: &Value, event: &Value) -> bool {
    let path = filter["path"].as_str().unwrap().replace('.', "/");
    let Some(found) = event.pointer(&format!("/{path}")) else {
        return false;
    };
    let mut wanted = filter["value"].as_array().unwrap().iter();
    wanted.any(|wanted| {
        let wanted = wanted.as_str().unwrap();
        match filter["type"].as_str().unwrap() {
            "string" => {
                let found = found.as_str().unwrap();
                regex::Regex::new(wanted).unwrap().is_match(found)
            }
            "bool" => found.as_bool() == Some(wanted == "true"),
            other => panic!("no test for filters of {other}"),
        }
    })
}

fn passes_script(script: &str, event: &Value) -> bool {
    let lua = mlua::Lua::new();
    let default = lua.create_table().unwrap();
    for (key, value) in event["default"].as_object().unwrap() {
        if let Some(text) = value.as_str() {
            default.set(key.as_str(), text).unwrap();
        }
    }
    let table = lua.create_table().unwrap();
    table.set("default", default).unwrap();
    lua.globals().set("event", table).unwrap();
    lua.load(script).eval().unwrap()
}

/// Returns whether an event source with a revision takes a push to a reference.
fn takes(revision: Option<&str>, event: &Value) -> bool {
    let mut sample = Sample::new();
    let events = ["push_events", "tag_push_events", "job_events"];
    let source = gitlab(&events, revision.map(str::to_owned));
    sample.runtime.event_sources = [("any".to_owned(), source)].into();
    sample.runtime.pipeline_triggers = vec![trigger("any", "build", None)];
    let sensor = sensor(&sample.inputs()).unwrap();
    !fired(sensor.json(), event).is_empty()
}

#[test]
fn each_event_fires_exactly_the_triggers_that_listen_to_it() {
    let sample = Sample::new();
    let sensor = sensor(&sample.inputs()).unwrap();
    let request = super::super::names::trigger("on-request", "build", Some("main"));
    for (event, expected) in [
        (push("refs/heads/main"), vec!["on-push-build"]),
        (push("refs/heads/maintenance"), vec![]),
        (push("refs/heads/feature/refs/heads/main"), vec![]),
        (deleted_branch("refs/heads/main"), vec![]),
        (tag("v1.0"), vec!["on-release-publish"]),
        (tag("main"), vec![]),
        (tag("nightly"), vec![]),
        (merge_request("Fix"), vec![request.as_str()]),
        (note(), vec![]),
    ] {
        assert_eq!(fired(sensor.json(), &event), expected, "{event}");
    }
}

#[test]
fn a_pattern_means_what_it_means_in_nautes() {
    for (revision, reference, expected) in [
        ("main", "refs/heads/main", true),
        ("main", "refs/heads/maintenance", true),
        ("feature-x", "refs/heads/feature-x", false),
        ("feature%-x", "refs/heads/feature-x", true),
        ("^refs/heads/main$", "refs/heads/main", true),
        ("^refs/heads/main$", "refs/heads/main2", false),
        ("*", "refs/heads/main", false),
        (".*", "refs/heads/main", true),
    ] {
        let taken = takes(Some(revision), &push(reference));
        assert_eq!(taken, expected, "{revision} {reference}");
    }
    assert!(takes(None, &push("refs/heads/main")));
}

#[test]
fn an_event_with_a_short_reference_or_none_is_dropped_without_an_error() {
    let job = json!({ "object_kind": "build", "ref": "main", "tag": false, "sha": COMMIT });
    assert!(!takes(Some("^refs/heads/main$"), &event("Job Hook", &job)));
    assert!(!takes(Some("main"), &event("Job Hook", &job)));
    assert!(takes(None, &event("Job Hook", &job)));
}

#[test]
fn a_branch_is_compared_as_a_whole_and_its_characters_mean_nothing() {
    for (branch, reference, expected) in [
        ("feature-x", "refs/heads/feature-x", true),
        ("v1.0", "refs/heads/v1x0", false),
        ("a+b", "refs/heads/a+b", true),
        ("a(b", "refs/heads/a(b", true),
        ("main", "refs/heads/main\nrefs/heads/x", false),
    ] {
        let pattern = Revision::Branch(branch.to_owned()).to_pattern();
        let taken = takes(Some(&pattern), &push(reference));
        assert_eq!(taken, expected, "{branch} {reference}");
    }
}

#[test]
fn the_commit_of_a_tag_is_what_it_points_to() {
    let sample = Sample::new();
    let sensor = sensor(&sample.inputs()).unwrap();
    let dependency = &sensor.json()["spec"]["dependencies"][1];
    for event in [push("refs/heads/main"), tag("v1"), merge_request("Fix")] {
        assert_eq!(transformed(dependency, &event)["default"]["commit"], COMMIT);
    }
    let deleted = transformed(dependency, &deleted_branch("refs/heads/x"));
    assert_eq!(deleted["default"]["deleted"], true);
}

#[test]
fn two_event_sources_of_one_repository_are_one_event_with_two_filters() {
    let sample = Sample::new();
    assert_eq!(sample.inputs().event_repositories(), [RepositoryId::new(7)]);
    let sensor = sensor(&sample.inputs()).unwrap();
    let dependencies = sensor.json()["spec"]["dependencies"].as_array().unwrap();
    let on_repository = dependencies
        .iter()
        .filter(|one| one["eventName"] == "repo-7");
    assert_eq!(on_repository.count(), 3);
}
