//! Why an object is not ready: its conditions, its last events, and why its containers do not run.

use std::fmt;

use serde_json::Value;

use crate::cluster::{Cluster, Detail};
use crate::object::{Kind, Object, ObjectRef};
use crate::readiness::{Condition, ContainerTrouble, conditions, container_troubles};

/// An object that is not ready, and all that the cluster says about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unready {
    /// The object.
    pub object: ObjectRef,
    /// What is missing.
    pub reason: String,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// The last events about it and its pods, the newest last.
    pub events: Vec<Event>,
    /// Why containers of its pods do not run.
    pub containers: Vec<PodTrouble>,
}

/// An event of a cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// The object that it is about, such as `Pod web-7d4b9`.
    pub object: String,
    /// The reason in one word.
    pub reason: String,
    /// The text for people.
    pub message: String,
    /// When it happened last, as the cluster writes it.
    pub time: String,
}

/// A container of a pod that does not run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PodTrouble {
    /// The pod.
    pub pod: String,
    /// Why the container does not run.
    pub container: ContainerTrouble,
}

/// How many events are shown of one object.
const EVENTS: usize = 5;

impl Unready {
    /// Reads what the cluster says about an object. What cannot be read is left out: the report must not
    /// hide the failure.
    pub(crate) async fn read(cluster: &Cluster, live: &Object, reason: String) -> Self {
        let namespace = live.reference().namespace.as_deref();
        let pods = match (namespace, selector(live)) {
            (Some(namespace), Some(selector)) => {
                let kind = Kind::new("v1", "Pod");
                let pods = cluster
                    .list(&kind, Some(namespace), &selector, Detail::Full)
                    .await;
                pods.unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let mut events = read_events(cluster, live).await;
        let mut containers = Vec::new();
        for pod in &pods {
            let troubles = container_troubles(pod)
                .into_iter()
                .map(|container| PodTrouble {
                    pod: pod.reference().name.clone(),
                    container,
                });
            containers.extend(troubles);
            events.extend(read_events(cluster, pod).await);
        }
        events.sort_by(|a, b| a.time.cmp(&b.time));
        let older = events.len().saturating_sub(EVENTS);
        events.drain(..older);
        Self {
            object: live.reference().clone(),
            reason,
            conditions: conditions(live),
            events,
            containers,
        }
    }

    /// Describes an object that is not there.
    pub(crate) fn missing(object: &ObjectRef) -> Self {
        Self {
            object: object.clone(),
            reason: "it does not exist".to_owned(),
            conditions: Vec::new(),
            events: Vec::new(),
            containers: Vec::new(),
        }
    }
}

/// Returns the selector of a workload's pods.
fn selector(live: &Object) -> Option<String> {
    let labels = live.get("/spec/selector/matchLabels")?.as_object()?;
    let pairs = labels
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let pairs: Vec<String> = pairs.collect();
    (!pairs.is_empty()).then(|| pairs.join(","))
}

async fn read_events(cluster: &Cluster, live: &Object) -> Vec<Event> {
    let Ok(resource) = cluster.resource(&Kind::new("v1", "Event")).await else {
        return Vec::new();
    };
    let Some(uid) = live.uid() else {
        return Vec::new();
    };
    // Events about objects of the cluster are in the namespace default.
    let namespace = live.reference().namespace.as_deref().unwrap_or("default");
    let query = format!("&fieldSelector=involvedObject.uid%3D{uid}");
    let events = cluster
        .list_query(&resource, Some(namespace), &query, Detail::Full)
        .await;
    let events = events.unwrap_or_default();
    let mut events: Vec<Event> = events.iter().map(parse_event).collect();
    events.sort_by(|a, b| a.time.cmp(&b.time));
    events
}

fn parse_event(event: &Object) -> Event {
    let text = |pointer| event.text(pointer).unwrap_or_default();
    let times = [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/eventTime",
        "/metadata/creationTimestamp",
    ];
    let time = times
        .iter()
        .find_map(|time| event.get(time).and_then(Value::as_str));
    Event {
        object: format!(
            "{} {}",
            text("/involvedObject/kind"),
            text("/involvedObject/name")
        ),
        reason: text("/reason").to_owned(),
        message: text("/message").trim().to_owned(),
        time: time.unwrap_or_default().to_owned(),
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.object, self.reason, self.message)
    }
}

impl fmt::Display for PodTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pod {}, {}", self.pod, self.container)
    }
}

impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.reason)?;
        for condition in self.conditions.iter().filter(|it| !it.message.is_empty()) {
            write!(f, "\n  condition {condition}")?;
        }
        for container in &self.containers {
            write!(f, "\n  {container}")?;
        }
        for event in &self.events {
            write!(f, "\n  event: {event}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_shows_conditions_containers_and_events() {
        let unready = Unready {
            object: ObjectRef::namespaced("apps", "Deployment", "shop", "web"),
            reason: "0 of 1 replicas are available".to_owned(),
            conditions: vec![
                Condition {
                    name: "Available".to_owned(),
                    status: "False".to_owned(),
                    reason: "MinimumReplicasUnavailable".to_owned(),
                    message: "too few".to_owned(),
                },
                Condition {
                    name: "Silent".to_owned(),
                    status: "True".to_owned(),
                    reason: String::new(),
                    message: String::new(),
                },
            ],
            events: vec![Event {
                object: "Pod web-1".to_owned(),
                reason: "Failed".to_owned(),
                message: "no such image".to_owned(),
                time: String::new(),
            }],
            containers: vec![PodTrouble {
                pod: "web-1".to_owned(),
                container: ContainerTrouble {
                    container: "main".to_owned(),
                    reason: "ErrImagePull".to_owned(),
                    message: String::new(),
                    restarts: 0,
                },
            }],
        };
        assert_eq!(
            unready.to_string(),
            "Deployment shop/web: 0 of 1 replicas are available\n  \
             condition Available=False (MinimumReplicasUnavailable: too few)\n  \
             pod web-1, container main: ErrImagePull\n  \
             event: Pod web-1: Failed: no such image"
        );
    }

    #[test]
    fn the_pods_of_a_workload_are_selected_by_its_labels() {
        let workload = |selector| {
            let json = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
                              "spec": {"selector": selector}});
            super::selector(&Object::new(json).unwrap())
        };
        assert_eq!(
            workload(json!({"matchLabels": {"a": "b", "c": "d"}})).as_deref(),
            Some("a=b,c=d")
        );
        assert_eq!(workload(json!({})), None);
        assert_eq!(workload(json!({"matchLabels": {}})), None);
    }
}
