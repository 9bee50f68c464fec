//! Waiting until objects that are being deleted are gone.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::Pauses;
use crate::cluster::{ApiError, Cluster, Detail, Resource};
use crate::object::{Object, ObjectRef};
use crate::readiness::{Condition, conditions};

/// Objects that do not go away.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not everything that is deleted is gone after {} s:{}", .waited.as_secs(), list(.objects))]
pub struct NotGoneError {
    /// How long they were waited for.
    pub waited: Duration,
    /// The objects.
    pub objects: Vec<NotGone>,
}

/// An object that does not go away, and what holds it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotGone {
    /// The object.
    pub object: ObjectRef,
    /// Its finalizers: whoever added one must remove it.
    pub finalizers: Vec<String>,
    /// What the cluster says about a namespace that does not go.
    pub conditions: Vec<Condition>,
}

fn list(objects: &[NotGone]) -> String {
    let lines = objects.iter().map(|object| format!("\n{object}"));
    lines.collect::<Vec<_>>().concat()
}

impl Cluster {
    /// Waits until objects are gone that are being deleted. One of the same name with another UID is another
    /// object.
    pub(crate) async fn wait_until_gone(
        &self,
        objects: &[(Resource, ObjectRef, String)],
        timeout: Duration,
    ) -> Result<Result<(), NotGoneError>, ApiError> {
        let started = Instant::now();
        let mut pauses = Pauses::until(started + timeout);
        let mut left: Vec<&(Resource, ObjectRef, String)> = objects.iter().collect();
        loop {
            let mut still_there = Vec::new();
            let mut remaining = Vec::new();
            for entry in left {
                let (resource, object, uid) = entry;
                let namespace = object.namespace.as_deref();
                let found = self
                    .find_in(resource, namespace, &object.name, Detail::Full)
                    .await?;
                if let Some(live) = found.filter(|live| live.uid() == Some(uid)) {
                    still_there.push(live);
                    remaining.push(entry);
                }
            }
            left = remaining;
            if still_there.is_empty() {
                return Ok(Ok(()));
            }
            if !pauses.pause().await {
                return Ok(Err(NotGoneError {
                    waited: started.elapsed(),
                    objects: still_there.iter().map(NotGone::new).collect(),
                }));
            }
        }
    }
}

impl NotGone {
    fn new(live: &Object) -> Self {
        let metadata = live.list("/metadata/finalizers").iter();
        // Namespaces have theirs in the specification.
        let spec = live.list("/spec/finalizers").iter();
        let finalizers = metadata
            .chain(spec)
            .filter_map(|finalizer| finalizer.as_str());
        let mut conditions = conditions(live);
        if live.reference().kind.is("", "Namespace") {
            conditions.retain(Condition::is_true);
        }
        Self {
            object: live.reference().clone(),
            finalizers: finalizers.map(str::to_owned).collect(),
            conditions,
        }
    }
}

impl fmt::Display for NotGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.object)?;
        if !self.finalizers.is_empty() {
            let finalizers = self.finalizers.join(", ");
            write!(f, ": its finalizers wait for their owners: {finalizers}")?;
        }
        for condition in &self.conditions {
            write!(f, "\n  condition {condition}")?;
            if let Some(hint) = hint(&condition.name) {
                write!(f, "; {hint}")?;
            }
        }
        Ok(())
    }
}

/// Returns what to do about a condition of a namespace.
fn hint(condition: &str) -> Option<&'static str> {
    match condition {
        "NamespaceContentRemaining" => Some("these objects are deleted first"),
        "NamespaceFinalizersRemaining" => {
            Some("the controllers that added these finalizers must run to remove them")
        }
        "NamespaceDeletionDiscoveryFailure" | "NamespaceDeletionGroupVersionParsingFailure" => {
            Some(
                "an aggregated API does not answer, so the cluster cannot know what is in the namespace: its owner \
             must mend the APIService or remove it",
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_namespace_that_does_not_go_says_what_holds_it() {
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Terminating", "conditions": [
                {"type": "NamespaceDeletionDiscoveryFailure", "status": "True", "reason": "DiscoveryFailed",
                 "message": "metrics.k8s.io/v1beta1: stale GroupVersion discovery"},
                {"type": "NamespaceContentRemaining", "status": "False", "reason": "ContentRemoved"}
            ]}
        });
        let shown = NotGone::new(&Object::new(namespace).unwrap()).to_string();
        assert_eq!(
            shown,
            "Namespace shop: its finalizers wait for their owners: kubernetes\n  \
             condition NamespaceDeletionDiscoveryFailure=True (DiscoveryFailed: metrics.k8s.io/v1beta1: stale \
             GroupVersion discovery); an aggregated API does not answer, so the cluster cannot know what is in \
             the namespace: its owner must mend the APIService or remove it"
        );
    }
}
