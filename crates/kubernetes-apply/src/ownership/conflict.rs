//! What to do when other field managers own fields of an apply.

use std::fmt;

use serde_json::Value;

use crate::object::Object;

/// A field that another manager owns.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Conflict {
    /// The field, as the server names it: `.spec.replicas`.
    pub field: String,
    /// The manager that owns it; empty if the server does not say.
    pub manager: String,
    /// The sub-resource through which it was written, such as `scale`; empty for the object itself.
    pub subresource: String,
}

/// How an apply goes on after a conflict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Resolution {
    /// Apply again, and take the fields over.
    Force,
    /// Leave these fields to the controllers that own them, and apply the rest again.
    Yield(Vec<Conflict>),
}

/// Reads the conflicts from the answer to an apply, a `Status`.
pub(crate) fn conflicts(status: &Value) -> Vec<Conflict> {
    let causes = status.pointer("/details/causes").and_then(Value::as_array);
    let causes = causes.map_or(&[][..], Vec::as_slice);
    let text = |cause: &Value, field| {
        let text = cause.get(field).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    causes
        .iter()
        .filter(|cause| text(cause, "reason") == "FieldManagerConflict")
        .map(|cause| {
            // conflict with "kubectl" with subresource "scale" using apps/v1
            let message = text(cause, "message");
            let quoted_after = |phrase: &str| {
                let (_, rest) = message.split_once(phrase)?;
                Some(rest.split('"').next().unwrap_or_default().to_owned())
            };
            Conflict {
                field: text(cause, "field"),
                manager: quoted_after("conflict with \"").unwrap_or_default(),
                subresource: quoted_after("subresource \"").unwrap_or_default(),
            }
        })
        .collect()
}

/// Decides how an apply goes on whose object may be changed.
///
/// Two kinds of fields are left to the controllers that fill them: the `caBundle` of webhooks, and replicas
/// that an autoscaler sets. Everything else is taken over.
pub(crate) fn resolve(conflicts: &[Conflict]) -> Resolution {
    let yielded: Vec<Conflict> = conflicts
        .iter()
        .filter(|it| it.is_yielded())
        .cloned()
        .collect();
    if yielded.is_empty() {
        Resolution::Force
    } else {
        Resolution::Yield(yielded)
    }
}

impl Conflict {
    /// Whether the field is left to the controller that owns it.
    fn is_yielded(&self) -> bool {
        let is_ca = self.field.ends_with(".clientConfig.caBundle");
        // The autoscaler is part of that controller. People who scale by hand write as other managers.
        let by_autoscaler =
            self.manager == "kube-controller-manager" && self.subresource == "scale";
        is_ca || (by_autoscaler && self.field == ".spec.replicas")
    }

    /// Removes the field from an object that is to be applied.
    pub(crate) fn remove_from(&self, object: &mut Object) {
        let remove = |parent: Option<&mut Value>, field: &str| {
            if let Some(parent) = parent.and_then(Value::as_object_mut) {
                parent.remove(field);
            }
        };
        let json = object.json_mut();
        if self.field == ".spec.replicas" {
            remove(json.get_mut("spec"), "replicas");
            return;
        }
        remove(
            json.pointer_mut("/spec/conversion/webhook/clientConfig"),
            "caBundle",
        );
        let webhooks = json.get_mut("webhooks").and_then(Value::as_array_mut);
        for webhook in webhooks.into_iter().flatten() {
            let name = webhook
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if self.field.contains(&format!("name={name:?}")) {
                remove(webhook.get_mut("clientConfig"), "caBundle");
            }
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manager = match self.manager.as_str() {
            "" => "another manager",
            manager => manager,
        };
        write!(f, "{} of {manager}", self.field)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn conflict(field: &str, manager: &str, subresource: &str) -> Conflict {
        Conflict {
            field: field.to_owned(),
            manager: manager.to_owned(),
            subresource: subresource.to_owned(),
        }
    }

    #[test]
    fn conflicts_name_field_manager_and_sub_resource() {
        let status = json!({"kind": "Status", "reason": "Conflict", "details": {"causes": [
            {"reason": "FieldManagerConflict", "field": ".spec.replicas",
             "message": "conflict with \"kube-controller-manager\" with subresource \"scale\" using apps/v1"},
            {"reason": "FieldManagerConflict", "field": ".data.a",
             "message": "conflict with \"kubectl-edit\" using v1"},
            {"reason": "FieldValueInvalid", "field": "x", "message": "y"}
        ]}});
        assert_eq!(
            conflicts(&status),
            [
                conflict(".spec.replicas", "kube-controller-manager", "scale"),
                conflict(".data.a", "kubectl-edit", ""),
            ]
        );
    }

    #[test]
    fn what_controllers_fill_in_is_left_to_them_and_the_rest_is_taken_over() {
        let ca = conflict(
            r#".webhooks[name="a"].clientConfig.caBundle"#,
            "cainjector",
            "",
        );
        let scaled = conflict(".spec.replicas", "kube-controller-manager", "scale");
        let by_hand = conflict(".spec.replicas", "kubectl", "scale");
        let data = conflict(".data.a", "kubectl-edit", "");
        let resolve = |conflicts: &[&Conflict]| {
            let conflicts: Vec<Conflict> = conflicts.iter().copied().cloned().collect();
            super::resolve(&conflicts)
        };
        assert_eq!(resolve(&[&data, &by_hand]), Resolution::Force);
        assert_eq!(
            resolve(&[&ca, &scaled, &data]),
            Resolution::Yield(vec![ca.clone(), scaled.clone()])
        );
    }

    #[test]
    fn a_field_that_is_left_to_others_is_removed_and_no_other() {
        let mut webhooks = Object::new(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "a"},
            "webhooks": [{"name": "a", "clientConfig": {"caBundle": "eA==", "service": {}}},
                         {"name": "b", "clientConfig": {"caBundle": "eQ=="}}]
        }))
        .unwrap();
        let ca = conflict(
            r#".webhooks[name="a"].clientConfig.caBundle"#,
            "cainjector",
            "",
        );
        ca.remove_from(&mut webhooks);
        assert_eq!(
            webhooks.get("/webhooks/0/clientConfig"),
            Some(&json!({"service": {}}))
        );
        assert_eq!(
            webhooks.get("/webhooks/1/clientConfig/caBundle"),
            Some(&json!("eQ=="))
        );

        let mut deployment = Object::new(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
            "spec": {"replicas": 1, "paused": false}
        }))
        .unwrap();
        conflict(".spec.replicas", "kube-controller-manager", "scale").remove_from(&mut deployment);
        assert_eq!(deployment.get("/spec"), Some(&json!({"paused": false})));
    }
}
