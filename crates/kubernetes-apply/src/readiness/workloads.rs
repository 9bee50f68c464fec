//! Kinds that make pods.

use super::Readiness;
use super::conditions::{conditions, find, require_observed};
use crate::object::Object;

/// Requires that a count has reached the wanted one: `2 of 3 replicas are updated`.
fn require_count(have: i64, want: i64, what: &str) -> Readiness {
    if have >= want {
        Readiness::Ready
    } else {
        Readiness::in_progress(format!("{have} of {want} {what}"))
    }
}

fn count(object: &Object, pointer: &str) -> i64 {
    object.number(pointer).unwrap_or(0)
}

/// Requires that the controller has seen the latest change. Workloads always say so, so a missing
/// `observedGeneration` is a controller that has not looked yet.
fn require_seen(object: &Object) -> Readiness {
    if object.number("/status/observedGeneration").is_none() {
        return Readiness::in_progress("its controller has not seen it yet");
    }
    require_observed(object)
}

pub(super) fn assess_deployment(object: &Object) -> Readiness {
    if let unseen @ Readiness::InProgress { .. } = require_seen(object) {
        return unseen;
    }
    let conditions = conditions(object);
    let progressing = find(&conditions, "Progressing");
    if let Some(late) = progressing.filter(|it| it.reason == "ProgressDeadlineExceeded") {
        return Readiness::failed(late.to_string());
    }
    let want = object.number("/spec/replicas").unwrap_or(1);
    let updated = count(object, "/status/updatedReplicas");
    let all = count(object, "/status/replicas");
    let available = count(object, "/status/availableReplicas");
    let progress = Readiness::first_unready([
        require_count(updated, want, "replicas are updated"),
        require_count(available, want, "replicas are available"),
    ]);
    match progress {
        Readiness::Ready if all > updated => {
            let old = all - updated;
            Readiness::in_progress(format!("{old} replicas of the old version are left"))
        }
        // The reason why pods are not even made: a quota, a missing service account.
        Readiness::InProgress { reason } => match find(&conditions, "ReplicaFailure") {
            Some(failure) if failure.is_true() => {
                Readiness::in_progress(format!("{reason}; {failure}"))
            }
            _ => Readiness::InProgress { reason },
        },
        other => other,
    }
}

pub(super) fn assess_stateful_set(object: &Object) -> Readiness {
    let want = object.number("/spec/replicas").unwrap_or(1);
    let partition = count(object, "/spec/updateStrategy/rollingUpdate/partition");
    let on_delete = object.text("/spec/updateStrategy/type") == Some("OnDelete");
    let is_updated = on_delete
        || object.text("/status/currentRevision") == object.text("/status/updateRevision");
    let updated = count(object, "/status/updatedReplicas");
    let to_update = if is_updated { 0 } else { want - partition };
    Readiness::first_unready([
        require_seen(object),
        require_count(
            count(object, "/status/readyReplicas"),
            want,
            "replicas are ready",
        ),
        require_count(updated, to_update, "replicas are updated"),
    ])
}

pub(super) fn assess_daemon_set(object: &Object) -> Readiness {
    let want = count(object, "/status/desiredNumberScheduled");
    let on_delete = object.text("/spec/updateStrategy/type") == Some("OnDelete");
    let updated = count(object, "/status/updatedNumberScheduled");
    let to_update = if on_delete { 0 } else { want };
    let available = count(object, "/status/numberAvailable");
    Readiness::first_unready([
        require_seen(object),
        require_count(updated, to_update, "pods are updated"),
        require_count(available, want, "pods are available"),
    ])
}

pub(super) fn assess_replica_set(object: &Object) -> Readiness {
    let want = object.number("/spec/replicas").unwrap_or(1);
    let available = count(object, "/status/availableReplicas");
    Readiness::first_unready([
        require_seen(object),
        require_count(available, want, "replicas are available"),
    ])
}

pub(super) fn assess_job(object: &Object) -> Readiness {
    let conditions = conditions(object);
    let holds = |name| find(&conditions, name).filter(|condition| condition.is_true());
    if let Some(failed) = holds("Failed") {
        return Readiness::failed(failed.to_string());
    }
    if holds("Complete").is_some() {
        return Readiness::Ready;
    }
    if let Some(suspended) = holds("Suspended") {
        return Readiness::in_progress(suspended.to_string());
    }
    let succeeded = count(object, "/status/succeeded");
    let failed = count(object, "/status/failed");
    Readiness::in_progress(format!(
        "{succeeded} of its pods succeeded, {failed} failed"
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn object(kind: &str, spec: &Value, status: &Value) -> Object {
        Object::new(json!({
            "apiVersion": "apps/v1", "kind": kind,
            "metadata": {"name": "a", "namespace": "b", "generation": 2},
            "spec": spec, "status": status
        }))
        .unwrap()
    }

    fn in_progress(reason: &str) -> Readiness {
        Readiness::in_progress(reason)
    }

    fn deployment(status: &Value) -> Readiness {
        assess_deployment(&object("Deployment", &json!({"replicas": 3}), status))
    }

    #[test]
    fn a_deployment_is_ready_when_all_replicas_are_new_and_available() {
        assert_eq!(
            deployment(
                &json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3,
                              "availableReplicas": 3})
            ),
            Readiness::Ready
        );
        for (status, reason) in [
            (json!({}), "its controller has not seen it yet"),
            (
                json!({"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3,
                       "availableReplicas": 3}),
                "its controller has not seen the latest change yet",
            ),
            (
                json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2,
                       "availableReplicas": 3}),
                "2 of 3 replicas are updated",
            ),
            (
                json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3,
                       "availableReplicas": 1}),
                "1 of 3 replicas are available",
            ),
            (
                json!({"observedGeneration": 2, "replicas": 4, "updatedReplicas": 3,
                       "availableReplicas": 3}),
                "1 replicas of the old version are left",
            ),
            (
                json!({"observedGeneration": 2, "conditions": [
                    {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                     "message": "exceeded quota"}]}),
                "0 of 3 replicas are updated; ReplicaFailure=True (FailedCreate: exceeded quota)",
            ),
        ] {
            assert_eq!(deployment(&status), in_progress(reason));
        }
    }

    #[test]
    fn a_deployment_that_exceeds_its_deadline_has_failed() {
        let status = json!({"observedGeneration": 2, "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]});
        assert_eq!(
            deployment(&status),
            Readiness::failed("Progressing=False (ProgressDeadlineExceeded)")
        );
    }

    #[test]
    fn a_stateful_set_respects_its_update_strategy() {
        let assess = |spec: &Value, status: &Value| {
            assess_stateful_set(&object("StatefulSet", spec, status))
        };
        let rolling = json!({"replicas": 3});
        let updating = json!({"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 1,
                              "currentRevision": "a", "updateRevision": "b"});
        assert_eq!(
            assess(&rolling, &updating),
            in_progress("1 of 3 replicas are updated")
        );
        let done = json!({"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 3,
                          "currentRevision": "b", "updateRevision": "b"});
        assert_eq!(assess(&rolling, &done), Readiness::Ready);
        let partition =
            json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}});
        assert_eq!(assess(&partition, &updating), Readiness::Ready);
        let on_delete = json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}});
        assert_eq!(assess(&on_delete, &updating), Readiness::Ready);
    }

    #[test]
    fn a_daemon_set_needs_an_updated_and_available_pod_on_every_node() {
        let assess = |status: &Value| assess_daemon_set(&object("DaemonSet", &json!({}), status));
        assert_eq!(
            assess(
                &json!({"observedGeneration": 2, "desiredNumberScheduled": 2,
                          "updatedNumberScheduled": 2, "numberAvailable": 1})
            ),
            in_progress("1 of 2 pods are available")
        );
        assert_eq!(
            assess(&json!({"observedGeneration": 2, "desiredNumberScheduled": 0})),
            Readiness::Ready
        );
    }

    #[test]
    fn a_job_is_ready_when_it_is_complete() {
        let assess = |status: &Value| assess_job(&object("Job", &json!({}), status));
        assert_eq!(
            assess(&json!({"conditions": [{"type": "Complete", "status": "True"}]})),
            Readiness::Ready
        );
        assert_eq!(
            assess(&json!({"conditions": [
                {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]})),
            Readiness::failed("Failed=True (BackoffLimitExceeded)")
        );
        assert_eq!(
            assess(&json!({"failed": 1})),
            in_progress("0 of its pods succeeded, 1 failed")
        );
    }

    proptest! {
        #[test]
        fn a_ready_deployment_has_all_its_replicas(
            want in 0i64..5, all in 0i64..6, updated in 0i64..6, available in 0i64..6,
            generation in 1i64..3,
        ) {
            let status = json!({"observedGeneration": generation, "replicas": all,
                                "updatedReplicas": updated, "availableReplicas": available});
            let object = object("Deployment", &json!({"replicas": want}), &status);
            let ready = assess_deployment(&object) == Readiness::Ready;
            prop_assert_eq!(
                ready,
                generation == 2 && updated >= want && available >= want && all <= updated
            );
        }
    }
}
