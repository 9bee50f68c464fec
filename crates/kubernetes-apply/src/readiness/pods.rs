//! Pods, and why their containers do not run.

use std::fmt;

use serde_json::Value;

use super::Readiness;
use super::conditions::{Condition, conditions, find};
use crate::object::Object;

/// Why a container does not run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContainerTrouble {
    /// The container.
    pub container: String,
    /// The reason in one word: `ImagePullBackOff`, `CrashLoopBackOff`, `OOMKilled`.
    pub reason: String,
    /// The text for people; empty if there is none.
    pub message: String,
    /// How often it was restarted.
    pub restarts: i64,
}

impl fmt::Display for ContainerTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "container {}: {}", self.container, self.reason)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim())?;
        }
        match self.restarts {
            0 => Ok(()),
            restarts => write!(f, " ({restarts} restarts)"),
        }
    }
}

/// Reasons of a waiting container that are part of every start.
const STARTING: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// Returns why containers of a pod do not run. Containers that run, have ended well or are just starting
/// are left out.
pub fn container_troubles(pod: &Object) -> Vec<ContainerTrouble> {
    let init = pod.list("/status/initContainerStatuses");
    let main = pod.list("/status/containerStatuses");
    init.iter().chain(main).filter_map(trouble).collect()
}

fn trouble(status: &Value) -> Option<ContainerTrouble> {
    let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str);
    let waiting = text("/state/waiting/reason").filter(|reason| !STARTING.contains(reason));
    let ended = ["/state/terminated", "/lastState/terminated"]
        .into_iter()
        .find_map(|state| status.pointer(state).filter(|it| !has_succeeded(it)));
    let ended_text = |field| ended.and_then(|it| it.get(field)).and_then(Value::as_str);
    let runs = status.pointer("/state/running").is_some();
    let reason = match (waiting, ended_text("reason")) {
        (Some(waiting), Some(ended)) => format!("{waiting} after {ended}"),
        (Some(waiting), None) => waiting.to_owned(),
        (None, Some(ended)) if !runs => ended.to_owned(),
        _ => return None,
    };
    let message = ended_text("message").or_else(|| text("/state/waiting/message"));
    Some(ContainerTrouble {
        container: text("/name").unwrap_or_default().to_owned(),
        reason,
        message: message.unwrap_or_default().to_owned(),
        restarts: status
            .get("restartCount")
            .and_then(Value::as_i64)
            .unwrap_or(0),
    })
}

fn has_succeeded(terminated: &Value) -> bool {
    terminated.get("exitCode").and_then(Value::as_i64) == Some(0)
}

pub(super) fn assess(pod: &Object) -> Readiness {
    let conditions = conditions(pod);
    let troubles = || {
        let troubles = container_troubles(pod);
        let troubles: Vec<String> = troubles.iter().map(ToString::to_string).collect();
        troubles.join("; ")
    };
    match pod.text("/status/phase") {
        Some("Succeeded") => Readiness::Ready,
        Some("Failed") => Readiness::failed(match pod.text("/status/reason") {
            Some(reason) => format!("the pod failed: {reason}"),
            None => format!("the pod failed: {}", troubles()),
        }),
        Some("Running") if find(&conditions, "Ready").is_some_and(Condition::is_true) => {
            Readiness::Ready
        }
        _ => {
            let troubles = troubles();
            let scheduled = find(&conditions, "PodScheduled").filter(|it| it.is_false());
            Readiness::in_progress(match scheduled {
                Some(unscheduled) => unscheduled.to_string(),
                None if troubles.is_empty() => "its containers are not ready yet".to_owned(),
                None => troubles,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: &Value) -> Object {
        let pod =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": status});
        Object::new(pod).unwrap()
    }

    #[test]
    fn a_container_in_trouble_says_why_it_waits_and_how_it_ended() {
        let pod = pod(&json!({"phase": "Running", "containerStatuses": [
            {"name": "web", "restartCount": 3,
             "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
             "lastState": {"terminated": {"reason": "Error", "exitCode": 1,
                                          "message": "too many open files\n"}}},
            {"name": "fine", "restartCount": 1, "state": {"running": {}},
             "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}},
            {"name": "starting", "state": {"waiting": {"reason": "ContainerCreating"}}}
        ]}));
        let shown: Vec<String> = container_troubles(&pod)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            shown,
            ["container web: CrashLoopBackOff after Error: too many open files (3 restarts)"]
        );
        assert_eq!(assess(&pod), Readiness::in_progress(shown[0].clone()));
    }

    #[test]
    fn a_pod_that_cannot_be_scheduled_says_so() {
        let pod = pod(&json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
             "message": "0/1 nodes are available"}]}));
        assert_eq!(
            assess(&pod),
            Readiness::in_progress("PodScheduled=False (Unschedulable: 0/1 nodes are available)")
        );
    }

    #[test]
    fn a_pod_is_ready_when_it_runs_and_is_ready_or_has_succeeded() {
        let running =
            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        assert_eq!(assess(&pod(&running)), Readiness::Ready);
        assert_eq!(
            assess(&pod(&json!({"phase": "Succeeded"}))),
            Readiness::Ready
        );
        assert_eq!(
            assess(&pod(&json!({"phase": "Failed", "reason": "Evicted"}))),
            Readiness::failed("the pod failed: Evicted")
        );
    }
}
