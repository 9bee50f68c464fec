//! What the objects say, and how they change.

use std::collections::BTreeMap;

use nautes_model::entity::{InputSource, PipelineTrigger};
use serde_json::json;

use super::{SOURCE, Sample, WEBHOOK_HOST, WEBHOOKS, calendar, gitlab, input, trigger};
use crate::runtime::pipeline::{
    calendar_event_source, check, gitlab_event_source, hook_events, hook_token_secret, hook_url,
    ingress, sensor, sensor_access, token_hash,
};
use crate::secret::Secret;

#[test]
fn the_event_source_checks_the_token_and_makes_no_hook() {
    let sample = Sample::new();
    let token = Secret::from("t0ken".to_owned());
    let hashes = BTreeMap::from([(SOURCE, token_hash(&token))]);
    let source = gitlab_event_source(&sample.inputs(), WEBHOOKS, &hashes);
    let source = source.unwrap().unwrap();
    let entry = &source.json()["spec"]["gitlab"]["repo-7"];
    let secret = json!({ "name": "product-42-pr-dev-repo-7-secret-token", "key": "token" });
    assert_eq!(entry["secretToken"], secret);
    // Without these two the token is not checked; with `projects` Argo Events makes a hook.
    assert_eq!(entry["accessToken"], secret);
    assert_eq!(entry["webhook"]["url"], WEBHOOKS);
    assert_eq!(entry.get("projects"), None);
    assert_eq!(
        entry["events"],
        json!(["MergeRequestsEvents", "PushEvents", "TagPushEvents"])
    );
    let secret = hook_token_secret(&sample.inputs(), SOURCE, &token).unwrap();
    assert_eq!(
        secret.reference().name,
        "product-42-pr-dev-repo-7-secret-token"
    );
    assert!(!source.json().to_string().contains("t0ken"));
}

#[test]
fn another_token_makes_another_pod() {
    let sample = Sample::new();
    let annotation = |token: &str| {
        let hash = token_hash(&Secret::from(token.to_owned()));
        let hashes = BTreeMap::from([(SOURCE, hash)]);
        let source = gitlab_event_source(&sample.inputs(), WEBHOOKS, &hashes);
        let source = source.unwrap().unwrap();
        source.json()["spec"]["template"]["metadata"]["annotations"].clone()
    };
    assert_ne!(annotation("a"), annotation("b"));
    assert_eq!(annotation("a"), annotation("a"));
}

#[test]
fn the_hook_is_called_for_the_events_of_all_event_sources() {
    let sample = Sample::new();
    let events = hook_events(&sample.runtime, SOURCE);
    let events: Vec<_> = events.into_iter().collect();
    assert_eq!(
        events,
        ["merge_requests_events", "push_events", "tag_push_events"]
    );
    assert_eq!(
        hook_url(&sample.inputs().names(), WEBHOOKS, SOURCE),
        format!("{WEBHOOKS}/product-42-pr-dev/repo-7")
    );
}

#[test]
fn the_ingress_takes_the_path_of_the_hook_and_no_other() {
    let sample = Sample::new();
    let ingress = ingress(&sample.inputs(), WEBHOOK_HOST).unwrap().unwrap();
    let rule = &ingress.json()["spec"]["rules"][0];
    assert_eq!(rule["host"], WEBHOOK_HOST);
    assert_eq!(
        rule["http"]["paths"],
        json!([{
            "path": "/product-42-pr-dev/repo-7",
            "pathType": "Exact",
            "backend": { "service": {
                "name": "product-42-pr-dev-gitlab-eventsource-svc", "port": { "number": 12000 },
            } },
        }])
    );
}

#[test]
fn a_runtime_without_repositories_has_no_event_source_for_gitlab_and_no_ingress() {
    let mut sample = Sample::new();
    let nightly = ("nightly".to_owned(), calendar("0 3 * * *"));
    sample.runtime.event_sources = [nightly].into();
    let inputs = sample.inputs();
    assert!(
        gitlab_event_source(&inputs, WEBHOOKS, &BTreeMap::new())
            .unwrap()
            .is_none()
    );
    assert!(ingress(&inputs, WEBHOOK_HOST).unwrap().is_none());
    let source = calendar_event_source(&inputs).unwrap().unwrap();
    assert_eq!(
        source.json()["spec"]["calendar"],
        json!({ "nightly-calendar": {
            "schedule": "0 3 * * *", "timezone": "Asia/Shanghai",
            "exclusionDates": ["EXDATE:20261225T000000Z"],
        } })
    );
}

#[test]
fn the_account_of_the_sensor_may_create_pipeline_runs_and_nothing_else() {
    let sample = Sample::new();
    let objects = sensor_access(&sample.inputs()).unwrap();
    let role = objects
        .iter()
        .find(|one| one.reference().kind.kind == "Role");
    let role = role.unwrap();
    assert_eq!(role.reference().namespace.as_deref(), Some("shop-ci"));
    assert_eq!(
        role.json()["rules"],
        json!([{ "apiGroups": ["tekton.dev"], "resources": ["pipelineruns"], "verbs": ["create"] }])
    );
}

#[test]
fn triggers_that_do_not_change_are_written_unchanged() {
    let mut sample = Sample::new();
    let before = sensor(&sample.inputs()).unwrap().into_json();
    sample.runtime.pipeline_triggers.remove(0);
    let after = sensor(&sample.inputs()).unwrap().into_json();
    let triggers =
        |sensor: &serde_json::Value| sensor["spec"]["triggers"].as_array().unwrap().clone();
    assert_eq!(triggers(&before)[1..], triggers(&after)[..]);
    let dependencies = |sensor: &serde_json::Value| sensor["spec"]["dependencies"].clone();
    assert_eq!(dependencies(&before), dependencies(&after));
}

#[test]
fn every_trigger_waits_for_its_own_dependency_and_is_repeated_when_it_fails() {
    let sample = Sample::new();
    let sensor = sensor(&sample.inputs()).unwrap();
    for trigger in sensor.json()["spec"]["triggers"].as_array().unwrap() {
        let condition = trigger["template"]["conditions"].as_str().unwrap();
        assert!(
            condition.starts_with("es-") && !condition.contains("&&"),
            "{condition}"
        );
        assert_eq!(trigger["atLeastOnce"], true);
        // In quotation marks it would break the decoding of the object.
        assert!(trigger["retryStrategy"]["factor"].is_number());
        let parameters = trigger["template"]["k8s"]["parameters"].as_array();
        for parameter in parameters.into_iter().flatten() {
            assert_eq!(parameter["src"]["dependencyName"], condition);
            assert_eq!(parameter["src"]["value"], "");
        }
    }
}

#[test]
fn mistakes_are_named_where_they_are() {
    let mut sample = Sample::new();
    assert_eq!(check(&sample.runtime), []);
    let runtime = &mut sample.runtime;
    let sources = [
        ("empty", gitlab(&[], None)),
        ("mixed", gitlab(&["push_events", "note_events"], None)),
    ];
    for (name, source) in sources {
        runtime.event_sources.insert(name.to_owned(), source);
    }
    let title = InputSource::FromEvent("title".to_owned());
    let no_pointer = nautes_model::entity::TriggerInput {
        source: InputSource::BuiltInVar("Namespaces".to_owned()),
        kustomization_path: "spec.params".to_owned(),
    };
    runtime.pipeline_triggers = vec![
        trigger("nightly", "build", None),
        PipelineTrigger {
            inputs: vec![input(title.clone(), 0)],
            ..trigger("nightly", "build", Some("main"))
        },
        PipelineTrigger {
            inputs: vec![input(title, 0), no_pointer],
            ..trigger("mixed", "build", None)
        },
    ];
    let found = check(runtime);
    let paths: Vec<String> = found.iter().map(|one| one.path.to_string()).collect();
    assert_eq!(
        paths,
        [
            "event_sources[\"empty\"].gitlab.events",
            "pipeline_triggers[0].revision",
            "pipeline_triggers[1].inputs[0].from_event",
            "pipeline_triggers[2].revision",
            "pipeline_triggers[2].inputs[0].from_event",
            "pipeline_triggers[2].inputs[1].kustomization_path",
            "pipeline_triggers[2].inputs[1].built_in_var",
        ]
    );
    assert!(
        found[3].detail.contains("note_events names no branch"),
        "{}",
        found[3].detail
    );
}
