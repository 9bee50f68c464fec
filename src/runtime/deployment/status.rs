//! How far Argo CD is with an `Application`.

use kubernetes_apply::object::Object;
use serde_json::Value;

/// What a wait is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Goal {
    /// Argo CD has taken over the specification.
    Observed,
    /// What is in the repository is in the cluster.
    Synced,
    /// And it works.
    Healthy,
}

/// How far Argo CD is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Assessment {
    /// The goal is reached.
    Reached,
    /// Argo CD is at work.
    Waiting(String),
    /// It has failed, and does not try again by itself.
    Failed(String),
}

/// Conditions by which Argo CD says that something is wrong with the Application itself.
const FATAL_CONDITIONS: [&str; 3] = ["InvalidSpecError", "ComparisonError", "SyncError"];

/// Watches an Application after a change.
///
/// What Argo CD said before the change counts no more. A condition counts if two reconciliations after the change have
/// it: the first one may still see the project or the credential as they were.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    goal: Goal,
    /// When Argo CD last looked at it, and when its last operation ended, before the change.
    reconciled_before: Option<String>,
    finished_before: Option<String>,
    /// The reconciliation that first had a condition.
    first_complaint: Option<String>,
}

impl Watch {
    /// Begins to watch; `changed` is the answer to the change, with the status as it was.
    pub(crate) fn new(goal: Goal, changed: &Object) -> Self {
        let text = |pointer| changed.text(pointer).map(str::to_owned);
        Self {
            goal,
            reconciled_before: text("/status/reconciledAt"),
            finished_before: text("/status/operationState/finishedAt"),
            first_complaint: None,
        }
    }

    /// Judges the Application as it is now.
    pub(crate) fn assess(&mut self, application: &Object) -> Assessment {
        if is_observed(application) && self.goal == Goal::Observed {
            return Assessment::Reached;
        }
        let reconciled = application.text("/status/reconciledAt").map(str::to_owned);
        let is_new = reconciled.is_some() && reconciled != self.reconciled_before;
        if let Some(failure) = self.failed_operation(application) {
            return Assessment::Failed(failure);
        }
        if let Some(complaint) = complaint(application).filter(|_| is_new) {
            let first = self
                .first_complaint
                .get_or_insert_with(|| reconciled.clone().unwrap_or_default());
            if Some(&*first) != reconciled.as_ref() {
                return Assessment::Failed(complaint);
            }
            return Assessment::Waiting(complaint);
        }
        if !is_observed(application) {
            return Assessment::Waiting("Argo CD has not looked at it yet".to_owned());
        }
        let sync = sync_status(application).unwrap_or("Unknown");
        let health = health_status(application).unwrap_or("Unknown");
        let is_reached = sync == "Synced" && (self.goal != Goal::Healthy || health == "Healthy");
        if is_reached {
            return Assessment::Reached;
        }
        let mut progress = format!("it is {sync} and {health}");
        let retries = application.number("/status/operationState/retryCount");
        if let Some(retries) = retries.filter(|retries| *retries > 0) {
            let message = application.text("/status/operationState/message");
            progress = format!(
                "{progress}; attempt {} after: {}",
                retries.saturating_add(1),
                message.unwrap_or("no message")
            );
        }
        Assessment::Waiting(progress)
    }

    /// Describes an operation after the change that has failed for good. A failed attempt that is repeated is still
    /// running.
    fn failed_operation(&self, application: &Object) -> Option<String> {
        let phase = application.text("/status/operationState/phase")?;
        let finished = application.text("/status/operationState/finishedAt");
        if !matches!(phase, "Failed" | "Error") || finished == self.finished_before.as_deref() {
            return None;
        }
        let message = application.text("/status/operationState/message");
        let mut text = message.unwrap_or("Argo CD gives no reason").to_owned();
        let resources = application.list("/status/operationState/syncResult/resources");
        for resource in resources {
            let field = |name: &str| resource.get(name).and_then(Value::as_str);
            let is_failed = field("status") == Some("SyncFailed")
                || matches!(field("hookPhase"), Some("Failed" | "Error"));
            if is_failed {
                let (kind, name) = (field("kind"), field("name"));
                let [kind, name, message] =
                    [kind, name, field("message")].map(Option::unwrap_or_default);
                text.extend(["\n", kind, " ", name, ": ", message]);
            }
        }
        Some(text)
    }
}

/// Whether Argo CD has compared the source and the destination that the Application has now.
fn is_observed(application: &Object) -> bool {
    let pairs = [
        (
            "/spec/source/repoURL",
            "/status/sync/comparedTo/source/repoURL",
        ),
        ("/spec/source/path", "/status/sync/comparedTo/source/path"),
        (
            "/spec/source/targetRevision",
            "/status/sync/comparedTo/source/targetRevision",
        ),
        (
            "/spec/destination/namespace",
            "/status/sync/comparedTo/destination/namespace",
        ),
    ];
    let mut pairs = pairs.into_iter();
    pairs.all(|(wanted, seen)| application.text(wanted) == application.text(seen))
}

/// Returns the messages of conditions that say that something is wrong with the Application itself.
fn complaint(application: &Object) -> Option<String> {
    let conditions = application.list("/status/conditions").iter();
    let fatal = conditions.filter_map(|condition| {
        let field = |name: &str| condition.get(name).and_then(Value::as_str);
        let name = field("type").filter(|name| FATAL_CONDITIONS.contains(name))?;
        Some(format!("{name}: {}", field("message").unwrap_or_default()))
    });
    let messages: Vec<String> = fatal.collect();
    (!messages.is_empty()).then(|| messages.join("\n"))
}

/// Returns whether what is in the repository is in the cluster, in Argo CD's words.
pub(crate) fn sync_status(application: &Object) -> Option<&str> {
    application.text("/status/sync/status")
}

/// Returns whether what is deployed works, in Argo CD's words.
pub(crate) fn health_status(application: &Object) -> Option<&str> {
    application.text("/status/health/status")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn application(status: &Value) -> Object {
        Object::new(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": { "name": "a", "namespace": "argocd" },
            "spec": {
                "source": { "repoURL": "ssh://a", "path": "b", "targetRevision": "main" },
                "destination": { "namespace": "shop" },
            },
            "status": status,
        }))
        .unwrap()
    }

    fn compared(revision: &str) -> Value {
        json!({
            "source": { "repoURL": "ssh://a", "path": "b", "targetRevision": revision },
            "destination": { "namespace": "shop" },
        })
    }

    #[test]
    fn what_argo_cd_said_before_a_change_does_not_count() {
        let old = application(&json!({
            "reconciledAt": "1", "health": { "status": "Healthy" },
            "sync": { "status": "Synced", "comparedTo": compared("old") },
            "operationState": { "phase": "Failed", "finishedAt": "1", "message": "old" },
            "conditions": [{ "type": "ComparisonError", "message": "old" }],
        }));
        for goal in [Goal::Observed, Goal::Synced, Goal::Healthy] {
            let assessment = Watch::new(goal, &old).assess(&old);
            assert!(
                matches!(assessment, Assessment::Waiting(_)),
                "{assessment:?}"
            );
        }
        let new = application(&json!({
            "reconciledAt": "2", "health": { "status": "Progressing" },
            "sync": { "status": "Synced", "comparedTo": compared("main") },
        }));
        let assess = |goal| Watch::new(goal, &old).assess(&new);
        assert_eq!(assess(Goal::Observed), Assessment::Reached);
        assert_eq!(assess(Goal::Synced), Assessment::Reached);
        assert_eq!(
            assess(Goal::Healthy),
            Assessment::Waiting("it is Synced and Progressing".to_owned())
        );
    }

    #[test]
    fn an_operation_that_failed_for_good_ends_the_wait_with_what_failed() {
        let fresh = application(&json!({}));
        let failed = |phase: &str| {
            application(&json!({
                "reconciledAt": "2",
                "sync": { "status": "OutOfSync", "comparedTo": compared("main") },
                "operationState": {
                    "phase": phase, "finishedAt": "2", "message": "one or more objects failed",
                    "retryCount": 1,
                    "syncResult": { "resources": [
                        { "kind": "Deployment", "name": "web", "status": "SyncFailed", "message": "denied" },
                        { "kind": "Service", "name": "web", "status": "Synced" },
                    ] },
                },
            }))
        };
        let mut watch = Watch::new(Goal::Synced, &fresh);
        let running = watch.assess(&failed("Running"));
        assert!(
            matches!(&running, Assessment::Waiting(text) if text.contains("attempt 2")),
            "{running:?}"
        );
        assert_eq!(
            watch.assess(&failed("Failed")),
            Assessment::Failed("one or more objects failed\nDeployment web: denied".to_owned())
        );
    }

    #[test]
    fn a_condition_counts_when_a_second_reconciliation_has_it() {
        let complaining = |reconciled: &str| {
            application(&json!({
                "reconciledAt": reconciled,
                "sync": { "status": "Unknown", "comparedTo": compared("main") },
                "conditions": [{ "type": "InvalidSpecError", "message": "not permitted" }],
            }))
        };
        let mut watch = Watch::new(Goal::Healthy, &application(&json!({})));
        let expected = "InvalidSpecError: not permitted".to_owned();
        for _ in 0..2 {
            let assessment = watch.assess(&complaining("1"));
            assert_eq!(assessment, Assessment::Waiting(expected.clone()));
        }
        let assessment = watch.assess(&complaining("2"));
        assert_eq!(assessment, Assessment::Failed(expected));
    }
}
