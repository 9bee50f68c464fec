//! The objects of a component while they are customised.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use kubernetes_apply::object::{Object, parse_yaml_like_kubectl};
use serde_json::{Map, Value};

use super::catalogue::Component;
use super::digest::Sha256;
use super::error::ComponentError;

/// The objects of manifests that were parsed, by the digests of their texts. Several clusters have the same ones.
static PARSED: LazyLock<Mutex<HashMap<Sha256, Parsed>>> = LazyLock::new(Mutex::default);

/// The objects of one manifest; empty until it was parsed.
type Parsed = Arc<Mutex<Vec<Value>>>;

/// The objects of a component as JSON.
///
/// All of them have `apiVersion`, `kind` and `metadata.name`.
pub(super) struct Manifest {
    pub(super) component: Component,
    pub(super) objects: Vec<Value>,
}

impl Manifest {
    /// Reads a manifest, as its project expects it to be read. The same text is parsed once in a process.
    pub(super) fn parse(component: Component, text: &str) -> Result<Self, ComponentError> {
        let parsed = {
            let mut all = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(Sha256::compute(text.as_bytes())).or_default())
        };
        // Others that need this text wait, and those that need another one do not.
        let mut parsed = parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if parsed.is_empty() {
            let objects = parse_yaml_like_kubectl(text)
                .map_err(|source| ComponentError::Manifest { component, source })?;
            *parsed = objects.into_iter().map(Object::into_json).collect();
        }
        let objects = parsed.clone();
        Ok(Self { component, objects })
    }

    /// Returns an object without which the component cannot work.
    pub(super) fn require(
        &mut self,
        kind: &'static str,
        name: &'static str,
    ) -> Result<&mut Value, ComponentError> {
        let component = self.component;
        self.find(kind, name).ok_or(ComponentError::MissingObject {
            component,
            kind,
            name,
        })
    }

    /// Returns an object that may be there.
    pub(super) fn find(&mut self, kind: &str, object_name: &str) -> Option<&mut Value> {
        let mut objects = self.objects.iter_mut();
        objects.find(|object| is_kind(object, kind) && name(object) == object_name)
    }

    /// Adds entries to the data of a `ConfigMap` without which the component cannot work.
    pub(super) fn set_data<const N: usize>(
        &mut self,
        config_map: &'static str,
        entries: [(&str, String); N],
    ) -> Result<(), ComponentError> {
        let config_map = self.require("ConfigMap", config_map)?;
        set_entries(config_map, "data", entries);
        Ok(())
    }

    /// Removes the objects of which a condition holds.
    pub(super) fn remove(&mut self, condition: impl Fn(&Value) -> bool) {
        self.objects.retain(|object| !condition(object));
    }

    /// Returns the specifications of all pods that the workloads make.
    pub(super) fn pod_specs(&mut self) -> impl Iterator<Item = &mut Map<String, Value>> {
        let workloads = self.objects.iter_mut().filter_map(|object| {
            let pointer = match text(object, "/kind")? {
                "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
                    "/spec/template/spec"
                }
                "CronJob" => "/spec/jobTemplate/spec/template/spec",
                _ => return None,
            };
            object.pointer_mut(pointer)
        });
        workloads.filter_map(Value::as_object_mut)
    }

    /// Returns the objects as the cluster is to have them.
    pub(super) fn into_objects(self) -> Result<Vec<Object>, ComponentError> {
        let component = self.component;
        let objects = self.objects.into_iter();
        objects
            .map(|object| {
                Object::new(object).map_err(|source| ComponentError::Build {
                    component,
                    source: Some(source),
                })
            })
            .collect()
    }
}

/// Sets entries of a map of texts in an object, such as `data`.
pub(super) fn set_entries<const N: usize>(
    object: &mut Value,
    field: &str,
    entries: [(&str, String); N],
) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    let map = object.entry(field).or_insert_with(|| Map::new().into());
    if map.is_null() {
        *map = Map::new().into();
    }
    if let Some(map) = map.as_object_mut() {
        map.extend(entries.map(|(key, value)| (key.to_owned(), value.into())));
    }
}

/// Sets a field of the map at a JSON pointer, which is empty for the object itself.
pub(super) fn insert(object: &mut Value, pointer: &str, key: &str, value: impl Into<Value>) {
    let map = object.pointer_mut(pointer).and_then(Value::as_object_mut);
    if let Some(map) = map {
        map.insert(key.to_owned(), value.into());
    }
}

/// Sets a label or annotation of an object.
pub(super) fn set_metadata(object: &mut Value, field: &str, key: &str, value: &str) {
    if let Some(metadata) = object.get_mut("metadata") {
        set_entries(metadata, field, [(key, value.to_owned())]);
    }
}

/// Returns the text at a JSON pointer.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str()
}

/// Returns the name of an object.
pub(super) fn name(object: &Value) -> &str {
    text(object, "/metadata/name").unwrap_or_default()
}

/// Returns the value of a label.
pub(super) fn label<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}

/// Returns whether an object is of a kind.
pub(super) fn is_kind(object: &Value, kind: &str) -> bool {
    text(object, "/kind") == Some(kind)
}
