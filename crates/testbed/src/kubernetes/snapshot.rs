//! All objects of a cluster, to compare before and after.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::ControlPlane;
use crate::Error;

/// Kinds that the cluster itself changes all the time.
const MOVING: [&str; 6] = [
    "componentstatuses",
    "endpoints",
    "endpointslices",
    "events",
    "leases",
    "ipaddresses",
];

/// Parts of an object that change without anybody's intention.
const MOVING_METADATA: [&str; 3] = ["generation", "managedFields", "resourceVersion"];

impl ControlPlane {
    /// Returns all objects of all kinds by their paths, without status, versions and field managers.
    ///
    /// It leaves out events, leases and endpoints, and the certificate authority that the cluster puts
    /// into every namespace.
    pub fn snapshot(&self) -> Result<BTreeMap<String, Value>, Error> {
        let mut objects = BTreeMap::new();
        for group in self.groups()? {
            let resources = self.api(Method::GET, &group, None)?;
            for resource in items(&resources, "/resources") {
                let name = text(resource, "/name");
                let verbs = items(resource, "/verbs");
                let is_listed = verbs.iter().any(|verb| verb == "list");
                if !is_listed || MOVING.contains(&name) {
                    continue;
                }
                let listed = self.api(Method::GET, &format!("{group}/{name}"), None)?;
                for object in items(&listed, "/items") {
                    let path = format!(
                        "{group}/{name} {}/{}",
                        text(object, "/metadata/namespace"),
                        text(object, "/metadata/name")
                    );
                    if !path.ends_with("/kube-root-ca.crt") {
                        objects.insert(path, without_moving_parts(object.clone()));
                    }
                }
            }
        }
        Ok(objects)
    }

    /// The paths of the preferred versions of all groups.
    fn groups(&self) -> Result<Vec<String>, Error> {
        let groups = self.api(Method::GET, "/apis", None)?;
        let named = items(&groups, "/groups");
        let named = named.iter().map(|group| {
            let version = text(group, "/preferredVersion/groupVersion");
            format!("/apis/{version}")
        });
        Ok(std::iter::once("/api/v1".to_owned()).chain(named).collect())
    }
}

fn items<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

fn without_moving_parts(mut object: Value) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    if let Some(metadata) = metadata {
        metadata.retain(|field, _| !MOVING_METADATA.contains(&field.as_str()));
    }
    object
}
