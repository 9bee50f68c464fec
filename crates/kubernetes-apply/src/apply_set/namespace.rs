//! What a namespace holds that would be lost with it.

use super::delete::EXAMPLES;
use crate::cluster::{ApiError, Cluster, Detail, DiscoveryError, Resource};
use crate::concurrently::concurrently;
use crate::object::{Object, ObjectRef};

/// What a namespace holds that would be lost with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// Nothing that anybody would miss.
    Nothing,
    /// Objects.
    Objects {
        /// How many there are.
        count: usize,
        /// The first of them.
        examples: Vec<ObjectRef>,
    },
    /// APIs do not answer, so there may be objects of theirs.
    Unknown {
        /// The APIs.
        apis: Vec<String>,
    },
}

/// Kinds whose objects come and go by themselves.
const PASSING: [(&str, &str); 6] = [
    ("", "Event"),
    ("events.k8s.io", "Event"),
    ("", "Endpoints"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("coordination.k8s.io", "Lease"),
    ("metrics.k8s.io", "PodMetrics"),
];

/// Objects that Kubernetes puts into every namespace.
const DEFAULTS: [(&str, &str); 2] = [
    ("ServiceAccount", "default"),
    ("ConfigMap", "kube-root-ca.crt"),
];

/// Looks for objects of all kinds in a namespace that would be lost with it.
///
/// Left out are those that Kubernetes puts into every namespace, those that come and go by themselves, those that
/// another object owns, and those that `is_expendable` names.
pub async fn namespace_content(
    cluster: &Cluster,
    namespace: &str,
    is_expendable: impl Fn(&Object) -> bool,
) -> Result<Content, ApiError> {
    let (resources, unavailable) = cluster.namespaced_resources().await?;
    let is_counted =
        |kind: &crate::object::GroupKind| !PASSING.iter().any(|(group, name)| kind.is(group, name));
    let counted: Vec<&Resource> = resources
        .iter()
        .filter(|resource| is_counted(&resource.kind.group_kind()))
        .collect();
    let lists = counted
        .iter()
        .map(|resource| cluster.list_in(resource, Some(namespace), "", Detail::Metadata));
    let lists = concurrently(lists.collect()).await;
    let mut count = 0;
    let mut examples = Vec::new();
    for (resource, list) in counted.into_iter().zip(lists) {
        let list = match list {
            Err(_) if is_served_no_more(cluster, resource).await => continue,
            list => list?,
        };
        for object in list
            .iter()
            .filter(|object| would_be_missed(object) && !is_expendable(object))
        {
            count += 1;
            if examples.len() < EXAMPLES {
                examples.push(object.reference().clone());
            }
        }
    }
    Ok(match (count, unavailable) {
        (0, unavailable) if unavailable.is_empty() => Content::Nothing,
        (0, apis) => Content::Unknown { apis },
        (count, _) => Content::Objects { count, examples },
    })
}

/// Whether the definition of a kind was deleted since the kinds were listed, so that there are no objects
/// of it.
async fn is_served_no_more(cluster: &Cluster, resource: &Resource) -> bool {
    cluster.forget_kinds();
    let found = cluster.resource(&resource.kind).await;
    matches!(found, Err(DiscoveryError::NotServed { .. }))
}

/// Whether somebody would miss an object. What another object owns goes with that one.
fn would_be_missed(object: &Object) -> bool {
    let reference = object.reference();
    let is_default = DEFAULTS
        .iter()
        .any(|(kind, name)| reference.kind.is("", kind) && reference.name == *name);
    let is_owned = !object.list("/metadata/ownerReferences").is_empty();
    !is_default && !is_owned && !object.is_terminating()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(kind: &str, name: &str, mut metadata: Value) -> Object {
        metadata["name"] = name.into();
        metadata["namespace"] = "shop".into();
        Object::new(json!({"apiVersion": "v1", "kind": kind, "metadata": metadata})).unwrap()
    }

    #[test]
    fn only_what_nobody_else_brings_back_would_be_missed() {
        let missed = would_be_missed;
        assert!(missed(&object("PersistentVolumeClaim", "data", json!({}))));
        assert!(missed(&object("ServiceAccount", "builder", json!({}))));
        assert!(!missed(&object("ServiceAccount", "default", json!({}))));
        assert!(!missed(&object("ConfigMap", "kube-root-ca.crt", json!({}))));
        let owned = json!({"ownerReferences": [{"kind": "ReplicaSet"}]});
        assert!(!missed(&object("Pod", "web-1", owned)));
        let going = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        assert!(!missed(&object("Pod", "web-1", going)));
    }
}
