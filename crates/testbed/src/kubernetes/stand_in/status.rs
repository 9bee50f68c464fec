//! The status of custom resources.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

/// The finalizer for which Argo CD deletes what an Application has deployed.
const CASCADE: &str = "resources-finalizer.argocd.argoproj.io";

/// A kind whose status the stand-in writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ControlledKind {
    /// `SecretStore` of External Secrets.
    SecretStore,
    /// `ExternalSecret` of External Secrets. A ready one has its Secret.
    ExternalSecret,
    /// `EventBus` of Argo Events.
    EventBus,
    /// `EventSource` of Argo Events.
    EventSource,
    /// `Sensor` of Argo Events.
    Sensor,
    /// `Application` of Argo CD. One that is being deleted loses its finalizer.
    Application,
}

/// Whether an object is ready.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Readiness {
    /// It is ready.
    #[default]
    Ready,
    /// It is not ready, and its status has this message.
    NotReady(String),
    /// Its status is not written.
    Unattended,
}

impl ControlledKind {
    /// Returns the kind with an API group and a name.
    pub(super) fn find(group: &str, name: &str) -> Option<Self> {
        Some(match (group, name) {
            ("external-secrets.io", "SecretStore") => Self::SecretStore,
            ("external-secrets.io", "ExternalSecret") => Self::ExternalSecret,
            ("argoproj.io", "EventBus") => Self::EventBus,
            ("argoproj.io", "EventSource") => Self::EventSource,
            ("argoproj.io", "Sensor") => Self::Sensor,
            ("argoproj.io", "Application") => Self::Application,
            _ => return None,
        })
    }

    /// Returns the condition types that make an object ready, and the reason of a ready one.
    fn conditions(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::SecretStore => (&["Ready"], "Valid"),
            Self::ExternalSecret => (&["Ready"], "SecretSynced"),
            Self::EventBus => (&["Configured", "Deployed"], "Deployed"),
            Self::EventSource => (&["SourcesProvided", "Deployed"], "Deployed"),
            Self::Sensor => (
                &["DependenciesProvided", "TriggersProvided", "Deployed"],
                "Deployed",
            ),
            Self::Application => (&[], ""),
        }
    }

    /// Returns the status of an object at a time in RFC 3339 format; `None` if it is not written.
    pub(super) fn status(self, readiness: &Readiness, object: &Value, now: &str) -> Option<Value> {
        let message = match readiness {
            Readiness::Ready => None,
            Readiness::NotReady(message) => Some(message.as_str()),
            Readiness::Unattended => return None,
        };
        if self == Self::Application {
            return Some(application_status(message, object, now));
        }
        let (types, reason) = self.conditions();
        let conditions = types.iter().map(|condition| {
            json!({
                "type": condition,
                "status": if message.is_none() { "True" } else { "False" },
                "reason": if message.is_none() { reason } else { "Failed" },
                "message": message.unwrap_or_default(),
                "lastTransitionTime": now,
            })
        });
        let conditions: Vec<_> = conditions.collect();
        Some(if self == Self::ExternalSecret && message.is_none() {
            json!({
                "conditions": conditions,
                "refreshTime": now,
                "syncedResourceVersion": synced_version(object),
                "binding": { "name": secret_name(object) },
            })
        } else {
            json!({ "conditions": conditions })
        })
    }
}

/// The state of an Application, which has no conditions when it is healthy.
fn application_status(message: Option<&str>, object: &Value, now: &str) -> Value {
    let revision = object.pointer("/spec/source/targetRevision");
    let revision = revision.and_then(Value::as_str).unwrap_or("HEAD");
    let (sync, health, phase) = match message {
        None => ("Synced", "Healthy", "Succeeded"),
        Some(_) => ("OutOfSync", "Degraded", "Failed"),
    };
    json!({
        "sync": {
            "status": sync,
            "revision": revision,
            "comparedTo": {
                "source": object.pointer("/spec/source"),
                "destination": object.pointer("/spec/destination"),
            },
        },
        "health": { "status": health },
        "reconciledAt": now,
        "operationState": {
            "phase": phase,
            "message": message.unwrap_or("successfully synced"),
            "operation": {},
            "startedAt": now,
            "finishedAt": now,
        },
    })
}

/// Returns the finalizers of an Application that is being deleted without the one for which Argo CD deletes what it has
/// deployed, which is nothing here; `None` if it does not have that.
pub(super) fn finalizers_after_cascade(object: &Value) -> Option<Vec<&Value>> {
    object.pointer("/metadata/deletionTimestamp")?;
    let finalizers = object.pointer("/metadata/finalizers")?.as_array()?;
    let is_cascade = |finalizer: &&Value| **finalizer == json!(CASCADE);
    finalizers.iter().find(is_cascade)?;
    Some(finalizers.iter().filter(|it| !is_cascade(it)).collect())
}

/// Identifies what an `ExternalSecret` was synchronised from. A change of its specification or of
/// its annotations is a reason to synchronise it again.
fn synced_version(object: &Value) -> String {
    let generation = object.pointer("/metadata/generation");
    let annotations = object.pointer("/metadata/annotations");
    let mut hasher = DefaultHasher::new();
    (generation, annotations).hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

/// Returns the name of the Secret of an `ExternalSecret`.
pub(super) fn secret_name(object: &Value) -> &str {
    ["/spec/target/name", "/metadata/name"]
        .iter()
        .find_map(|pointer| object.pointer(pointer)?.as_str())
        .unwrap_or_default()
}

/// Returns the content of the Secret of an `ExternalSecret`: each key that it lists, with its own
/// name as the value.
pub(super) fn secret_data(object: &Value) -> BTreeMap<&str, &str> {
    let data = object.pointer("/spec/data").and_then(Value::as_array);
    let keys = data.into_iter().flatten();
    keys.filter_map(|entry| entry.get("secretKey")?.as_str())
        .map(|key| (key, key))
        .collect()
}

/// Returns whether `actual` contains all of `wanted`, apart from times.
pub(super) fn contains(actual: &Value, wanted: &Value) -> bool {
    match (actual, wanted) {
        (Value::Object(actual), Value::Object(wanted)) => wanted.iter().all(|(key, value)| {
            let is_time = key.ends_with("Time") || key.ends_with("At");
            is_time
                || actual
                    .get(key)
                    .is_some_and(|actual| contains(actual, value))
        }),
        (Value::Array(actual), Value::Array(wanted)) => {
            actual.len() == wanted.len() && actual.iter().zip(wanted).all(|(a, w)| contains(a, w))
        }
        _ => actual == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_written_again_only_after_a_change() {
        let object = json!({ "metadata": { "name": "a", "generation": 1 } });
        let status = |object: &Value, readiness: &Readiness, now: &str| {
            ControlledKind::ExternalSecret
                .status(readiness, object, now)
                .unwrap()
        };
        let first = status(&object, &Readiness::Ready, "2026-01-01T00:00:00Z");
        let later = status(&object, &Readiness::Ready, "2026-01-01T00:00:01Z");
        assert!(contains(&first, &later));
        assert_eq!(first["conditions"][0]["reason"], "SecretSynced");
        assert_eq!(first["binding"]["name"], "a");

        let failed = Readiness::NotReady("no".to_owned());
        assert!(!contains(&first, &status(&object, &failed, "")));
        let annotations = json!({ "force-sync": "2" });
        let forced = json!({ "metadata": {
            "name": "a", "generation": 1, "annotations": annotations,
        } });
        assert!(!contains(&first, &status(&forced, &Readiness::Ready, "")));
    }

    #[test]
    fn every_kind_has_a_status_unless_it_is_unattended() {
        for (group, name) in [
            ("external-secrets.io", "SecretStore"),
            ("argoproj.io", "EventBus"),
            ("argoproj.io", "EventSource"),
            ("argoproj.io", "Sensor"),
            ("argoproj.io", "Application"),
        ] {
            let kind = ControlledKind::find(group, name).unwrap();
            let ready = kind.status(&Readiness::Ready, &json!({}), "").unwrap();
            let failed = Readiness::NotReady("no".to_owned());
            let failed = kind.status(&failed, &json!({}), "").unwrap();
            assert!(!ready.to_string().contains("False"), "{ready}");
            assert!(failed.to_string().contains("\"no\""), "{failed}");
            assert_eq!(kind.status(&Readiness::Unattended, &json!({}), ""), None);
        }
        assert_eq!(ControlledKind::find("apps", "Sensor"), None);
    }
}
