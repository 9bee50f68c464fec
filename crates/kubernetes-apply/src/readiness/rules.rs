//! The rules of each kind.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::conditions::{conditions, find, require, require_observed};
use super::{Readiness, pods, workloads};
use crate::object::{GroupKind, Object};

/// How the readiness of a kind is judged.
pub type Rule = Arc<dyn Fn(&Object) -> Readiness + Send + Sync>;

/// The rules of all kinds: built-in ones, and those that a caller adds.
#[derive(Clone, Default)]
pub struct Rules {
    added: HashMap<GroupKind, Rule>,
}

impl Rules {
    /// Adds the rule of a kind, in place of the built-in one.
    #[must_use]
    pub fn with(
        mut self,
        kind: GroupKind,
        rule: impl Fn(&Object) -> Readiness + Send + Sync + 'static,
    ) -> Self {
        self.added.insert(kind, Arc::new(rule));
        self
    }

    /// Judges an object by its status.
    pub fn assess(&self, object: &Object) -> Readiness {
        if object.is_terminating() {
            return Readiness::in_progress("it is being deleted");
        }
        match self.added.get(&object.reference().kind) {
            Some(rule) => rule(object),
            None => assess_built_in(object),
        }
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.added.keys()).finish()
    }
}

/// Makes a rule that requires conditions, of the object's latest change where it says which it has seen.
pub fn require_conditions(
    names: &'static [&'static str],
) -> impl Fn(&Object) -> Readiness + Send + Sync + 'static {
    move |object| {
        Readiness::first_unready([
            require_observed(object),
            require(&conditions(object), names),
        ])
    }
}

fn assess_built_in(object: &Object) -> Readiness {
    let kind = &object.reference().kind;
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => require_phase(object, "Active"),
        ("", "Pod") => pods::assess(object),
        ("", "PersistentVolumeClaim") => assess_volume_claim(object),
        ("apps", "Deployment") => workloads::assess_deployment(object),
        ("apps", "StatefulSet") => workloads::assess_stateful_set(object),
        ("apps", "DaemonSet") => workloads::assess_daemon_set(object),
        ("apps", "ReplicaSet") => workloads::assess_replica_set(object),
        ("batch", "Job") => workloads::assess_job(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => assess_definition(object),
        ("apiregistration.k8s.io", "APIService") => require(&conditions(object), &["Available"]),
        ("admissionregistration.k8s.io", _) => assess_webhooks(object),
        _ if kind.is_built_in() => Readiness::Ready,
        _ => assess_custom_resource(object),
    }
}

fn require_phase(object: &Object, wanted: &str) -> Readiness {
    match object.text("/status/phase") {
        Some(phase) if phase == wanted => Readiness::Ready,
        Some(phase) => Readiness::in_progress(format!("its phase is {phase}")),
        None => Readiness::in_progress("it has no status yet"),
    }
}

/// A claim may stay unbound until a pod uses it, so only its loss counts. A pod that waits for it is not
/// ready.
fn assess_volume_claim(object: &Object) -> Readiness {
    match object.text("/status/phase") {
        Some("Lost") => Readiness::failed("the volume that it was bound to is gone"),
        _ => Readiness::Ready,
    }
}

fn assess_definition(object: &Object) -> Readiness {
    let conditions = conditions(object);
    match find(&conditions, "NamesAccepted") {
        Some(condition) if condition.is_false() => Readiness::failed(condition.to_string()),
        _ => require(&conditions, &["NamesAccepted", "Established"]),
    }
}

/// A webhook behind a Service needs a CA, which a controller often fills in.
fn assess_webhooks(object: &Object) -> Readiness {
    Readiness::first_unready(object.list("/webhooks").iter().map(|webhook| {
        let client = webhook.get("clientConfig");
        let text = |field| {
            client
                .and_then(|client| client.get(field))
                .and_then(Value::as_str)
        };
        let has_ca = text("caBundle").is_some_and(|bundle| !bundle.is_empty());
        if has_ca || text("url").is_some() {
            return Readiness::Ready;
        }
        let name = webhook
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Readiness::in_progress(format!("the webhook {name} has no caBundle yet"))
    }))
}

/// The conventions for conditions of custom resources: `Ready`, and `Reconciling` and `Stalled`.
fn assess_custom_resource(object: &Object) -> Readiness {
    let conditions = conditions(object);
    if let unseen @ Readiness::InProgress { .. } = require_observed(object) {
        return unseen;
    }
    if let Some(stalled) = find(&conditions, "Stalled").filter(|condition| condition.is_true()) {
        return Readiness::failed(stalled.to_string());
    }
    if let Some(busy) = find(&conditions, "Reconciling").filter(|condition| condition.is_true()) {
        return Readiness::in_progress(busy.to_string());
    }
    match find(&conditions, "Ready") {
        Some(ready) if !ready.is_true() => Readiness::in_progress(ready.to_string()),
        _ => Readiness::Ready,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn assess(api_version: &str, kind: &str, mut rest: Value) -> Readiness {
        let metadata = rest.get("metadata").cloned().unwrap_or(json!({}));
        rest["metadata"] = metadata;
        rest["metadata"]["name"] = "a".into();
        rest["apiVersion"] = api_version.into();
        rest["kind"] = kind.into();
        Rules::default().assess(&Object::new(rest).unwrap())
    }

    fn in_progress(reason: &str) -> Readiness {
        Readiness::in_progress(reason)
    }

    #[test]
    fn a_namespace_is_ready_when_it_is_active() {
        let namespace = |status| assess("v1", "Namespace", json!({"status": status}));
        assert_eq!(namespace(json!({"phase": "Active"})), Readiness::Ready);
        assert_eq!(
            namespace(json!({"phase": "Terminating"})),
            in_progress("its phase is Terminating")
        );
    }

    #[test]
    fn an_object_that_is_being_deleted_is_not_ready() {
        let secret = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert_eq!(
            assess("v1", "Secret", secret),
            in_progress("it is being deleted")
        );
    }

    #[test]
    fn a_definition_is_ready_when_its_names_are_accepted_and_it_is_served() {
        let definition = |conditions| {
            let status = json!({"status": {"conditions": conditions}});
            assess(
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                status,
            )
        };
        assert_eq!(
            definition(json!([
                {"type": "NamesAccepted", "status": "True"},
                {"type": "Established", "status": "True"}
            ])),
            Readiness::Ready
        );
        assert_eq!(
            definition(json!([{"type": "NamesAccepted", "status": "True"}])),
            in_progress("it has no condition Established yet")
        );
        assert_eq!(
            definition(
                json!([{"type": "NamesAccepted", "status": "False", "reason": "ListKindConflict",
                               "message": "taken"}])
            ),
            Readiness::failed("NamesAccepted=False (ListKindConflict: taken)")
        );
    }

    #[test]
    fn a_webhook_behind_a_service_needs_a_ca() {
        let webhooks = |client: Value| {
            let webhooks = json!({"webhooks": [{"name": "w.example.com", "clientConfig": client}]});
            assess(
                "admissionregistration.k8s.io/v1",
                "MutatingWebhookConfiguration",
                webhooks,
            )
        };
        assert_eq!(
            webhooks(json!({"service": {}, "caBundle": "eA=="})),
            Readiness::Ready
        );
        assert_eq!(
            webhooks(json!({"url": "https://example.com"})),
            Readiness::Ready
        );
        assert_eq!(
            webhooks(json!({"service": {}, "caBundle": ""})),
            in_progress("the webhook w.example.com has no caBundle yet")
        );
    }

    #[test]
    fn custom_resources_follow_the_conventions_for_conditions() {
        let custom = |generation, status| {
            let object = json!({"metadata": {"generation": generation}, "status": status});
            assess("example.com/v1", "Widget", object)
        };
        assert_eq!(custom(1, json!(null)), Readiness::Ready);
        let ready = json!([{"type": "Ready", "status": "True"}]);
        assert_eq!(custom(1, json!({"conditions": ready})), Readiness::Ready);
        assert_eq!(
            custom(2, json!({"observedGeneration": 1, "conditions": ready})),
            in_progress("its controller has not seen the latest change yet")
        );
        let unready = json!([{"type": "Ready", "status": "False", "reason": "NoStore"}]);
        assert_eq!(
            custom(1, json!({"conditions": unready})),
            in_progress("Ready=False (NoStore)")
        );
        let stalled = json!([{"type": "Stalled", "status": "True", "message": "no access"}]);
        assert_eq!(
            custom(1, json!({"conditions": stalled})),
            Readiness::failed("Stalled=True (no access)")
        );
    }

    #[test]
    fn an_added_rule_replaces_the_built_in_one() {
        let kind = GroupKind::new("example.com", "Widget");
        let rules = Rules::default().with(kind, require_conditions(&["Deployed", "Configured"]));
        let object = |conditions: Value| {
            Object::new(json!({
                "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"},
                "status": {"conditions": conditions}
            }))
            .unwrap()
        };
        let deployed = json!({"type": "Deployed", "status": "True"});
        let configured = json!({"type": "Configured", "status": "True"});
        assert_eq!(
            rules.assess(&object(json!([deployed]))),
            in_progress("it has no condition Configured yet")
        );
        assert_eq!(
            rules.assess(&object(json!([deployed, configured]))),
            Readiness::Ready
        );
    }
}
