//! Objects, how they are named, and how they are read from YAML.

mod manifest;
mod name;

pub use self::manifest::{ManifestError, parse_yaml, parse_yaml_like_kubectl};
pub use self::name::{ApiVersion, GroupKind, Kind, ObjectRef};

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// A Kubernetes object as JSON.
///
/// It has `apiVersion`, `kind` and `metadata.name`. It shows only its name in `Debug`, because it may be a
/// Secret.
#[derive(Clone, PartialEq)]
pub struct Object {
    reference: ObjectRef,
    api_version: ApiVersion,
    json: Value,
}

/// A JSON value that is not a Kubernetes object.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ObjectError {
    /// It is not a JSON object.
    #[error("it is not an object")]
    NotAnObject,
    /// A field is missing, empty or not a string.
    #[error("the field {field} is missing, empty or not a string")]
    Field {
        /// The field, such as `metadata.name`.
        field: &'static str,
    },
}

/// Fields of `metadata` that the server sets.
const SERVER_METADATA: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

impl Object {
    /// Reads an object from JSON.
    pub fn new(json: Value) -> Result<Self, ObjectError> {
        if !json.is_object() {
            return Err(ObjectError::NotAnObject);
        }
        let text = |pointer: &str, field| match json.pointer(pointer).and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(ObjectError::Field { field }),
        };
        let api_version = ApiVersion::parse(text("/apiVersion", "apiVersion")?);
        let namespace = json
            .pointer("/metadata/namespace")
            .and_then(Value::as_str)
            .filter(|namespace| !namespace.is_empty());
        let reference = ObjectRef {
            kind: api_version.kind(text("/kind", "kind")?).group_kind(),
            namespace: namespace.map(str::to_owned),
            name: text("/metadata/name", "metadata.name")?.to_owned(),
        };
        Ok(Self {
            reference,
            api_version,
            json,
        })
    }

    /// Returns the kind, namespace and name.
    pub fn reference(&self) -> &ObjectRef {
        &self.reference
    }

    /// Returns the kind with group and version.
    pub fn kind(&self) -> Kind {
        self.api_version.kind(&self.reference.kind.kind)
    }

    /// Returns the object as JSON.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Returns the object as JSON.
    pub fn into_json(self) -> Value {
        self.json
    }

    /// Returns the value at a JSON pointer, such as `/spec/replicas`.
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        self.json.pointer(pointer)
    }

    /// Returns the text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.get(pointer)?.as_str()
    }

    /// Returns the number at a JSON pointer.
    pub fn number(&self, pointer: &str) -> Option<i64> {
        self.get(pointer)?.as_i64()
    }

    /// Returns the elements of the list at a JSON pointer.
    pub fn list(&self, pointer: &str) -> &[Value] {
        let list = self.get(pointer).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// Returns the value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.get("/metadata/labels")?.get(key)?.as_str()
    }

    /// Returns the value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.get("/metadata/annotations")?.get(key)?.as_str()
    }

    /// Returns the UID, which an object that comes from a server has.
    pub fn uid(&self) -> Option<&str> {
        self.text("/metadata/uid")
    }

    /// Returns the resource version, which an object that comes from a server has.
    pub fn resource_version(&self) -> Option<&str> {
        self.text("/metadata/resourceVersion")
    }

    /// Returns whether the object is being deleted.
    pub fn is_terminating(&self) -> bool {
        self.get("/metadata/deletionTimestamp").is_some()
    }

    /// Sets a label.
    pub fn set_label(&mut self, key: &str, value: &str) {
        self.set_metadata_entry("labels", key, value);
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        self.set_metadata_entry("annotations", key, value);
    }

    /// Puts the object into a namespace, or with `None` into none.
    pub fn set_namespace(&mut self, namespace: Option<&str>) {
        self.reference.namespace = namespace.map(str::to_owned);
        if let Some(metadata) = self.metadata() {
            match namespace {
                Some(namespace) => metadata.insert("namespace".to_owned(), namespace.into()),
                None => metadata.remove("namespace"),
            };
        }
    }

    /// Removes what only the server writes, and turns `stringData` of a Secret into `data`, as the server
    /// stores it.
    pub(crate) fn normalize(&mut self) {
        if let Some(object) = self.json.as_object_mut() {
            object.remove("status");
        }
        if let Some(metadata) = self.metadata() {
            for field in SERVER_METADATA {
                metadata.remove(field);
            }
        }
        if self.reference.kind.is("", "Secret") {
            self.encode_string_data();
        }
    }

    /// Sets the UID that the object must have on the server for an apply to succeed.
    pub(crate) fn require_uid(&mut self, uid: &str) {
        if let Some(metadata) = self.metadata() {
            metadata.insert("uid".to_owned(), uid.into());
        }
    }

    /// Returns the JSON, to be changed below `apiVersion`, `kind` and `metadata`.
    pub(crate) fn json_mut(&mut self) -> &mut Value {
        &mut self.json
    }

    fn metadata(&mut self) -> Option<&mut Map<String, Value>> {
        self.json.get_mut("metadata")?.as_object_mut()
    }

    fn set_metadata_entry(&mut self, field: &str, key: &str, value: &str) {
        let Some(metadata) = self.metadata() else {
            return;
        };
        let entries = metadata.entry(field).or_insert_with(|| Map::new().into());
        if !entries.is_object() {
            *entries = Map::new().into();
        }
        if let Some(entries) = entries.as_object_mut() {
            entries.insert(key.to_owned(), value.into());
        }
    }

    fn encode_string_data(&mut self) {
        let Some(object) = self.json.as_object_mut() else {
            return;
        };
        let Some(Value::Object(texts)) = object.remove("stringData") else {
            return;
        };
        let data = object.entry("data").or_insert_with(|| Map::new().into());
        if data.is_null() {
            *data = Map::new().into();
        }
        let Some(data) = data.as_object_mut() else {
            return;
        };
        for (key, text) in texts {
            let encoded = STANDARD.encode(text.as_str().unwrap_or_default());
            data.insert(key, encoded.into());
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({})", self.reference)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_needs_a_version_a_kind_and_a_name() {
        for (json, field) in [
            (
                json!({"kind": "Pod", "metadata": {"name": "a"}}),
                "apiVersion",
            ),
            (
                json!({"apiVersion": "v1", "metadata": {"name": "a"}}),
                "kind",
            ),
            (
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "a-"}}),
                "metadata.name",
            ),
        ] {
            assert_eq!(Object::new(json), Err(ObjectError::Field { field }));
        }
        assert_eq!(Object::new(json!([])), Err(ObjectError::NotAnObject));
    }

    #[test]
    fn normalizing_keeps_what_an_author_writes_and_removes_what_the_server_writes() {
        let mut object = Object::new(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "a", "namespace": "b", "creationTimestamp": null, "uid": "1",
                         "labels": {"c": "d"}},
            "data": {"kept": "eA=="},
            "stringData": {"password": "s3cr3t"},
            "status": {}
        }))
        .unwrap();
        object.normalize();
        assert_eq!(
            object.json(),
            &json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "a", "namespace": "b", "labels": {"c": "d"}},
                "data": {"kept": "eA==", "password": "czNjcjN0"}
            })
        );
    }

    #[test]
    fn debug_shows_the_name_and_no_content() {
        let object = Object::new(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "b"},
            "data": {"password": "czNjcjN0"}
        }));
        assert_eq!(format!("{:?}", object.unwrap()), "Object(Secret b/a)");
    }

    #[test]
    fn a_label_is_set_where_there_was_none() {
        for labels in [json!(null), json!({"a": "b"})] {
            let mut object = Object::new(json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": labels}
            }))
            .unwrap();
            object.set_label("c", "d");
            assert_eq!(object.label("c"), Some("d"));
        }
    }
}
