//! Manifests: the YAML of entities.
//!
//! [`render`] writes a new manifest, byte for byte like Nautes v0.4.2
//! (`app/api-server/internal/biz/resource.go`, `WriteResource`).
//!
//! Parsing is tolerant: it ignores `status`, `creationTimestamp` and key order, and keeps unknown
//! keys. [`Manifest::render_with`] keeps them too: where the old and the new entity agree, the
//! document stays as it was, including unknown keys; where they differ, it is replaced, lists as a
//! whole. Comments and quoting are lost.

use serde_json::{Map, Value, json};

use crate::entity::{Cluster, Entity, EntityError};
use crate::entity_name::{EntityName, EntityNameError};
use crate::id::ProductId;
use crate::kind::{EntityKey, Kind};
use crate::yaml;

/// The API group and version of all kinds.
pub const API_VERSION: &str = "nautes.resource.nautes.io/v1alpha1";

/// The file does not hold the manifest of an entity.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file is not one YAML document.
    #[error("the file is not one YAML document")]
    NotYaml(#[from] yaml::ReadError),
    /// The file is not a Kubernetes manifest.
    #[error("the file is not a Kubernetes manifest: it has no `{missing}`")]
    NotAManifest {
        /// The missing key.
        missing: &'static str,
    },
    /// The name is not valid in Kubernetes.
    #[error("the manifest has no valid name")]
    Name(#[from] EntityNameError),
    /// The kind of the manifest is not part of the model.
    #[error("the kind `{kind}` of `{api_version}` is unknown")]
    UnknownKind {
        /// The `apiVersion`.
        api_version: String,
        /// The `kind`.
        kind: String,
    },
    /// The manifest does not describe an entity.
    #[error("the manifest does not describe a {kind}")]
    NotAnEntity {
        /// The kind.
        kind: Kind,
        /// What is wrong.
        #[source]
        source: EntityError,
    },
}

/// A parsed manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    entity: Entity,
    document: Value,
}

impl Manifest {
    /// Parses a manifest.
    ///
    /// `product` is the owner of the repository, for pipeline runtimes without a namespace.
    pub fn parse(text: &str, product: Option<ProductId>) -> Result<Self, ManifestError> {
        let document = yaml::read(text)?;
        let api_version = text_at(&document, "/apiVersion", "apiVersion")?;
        let kubernetes_kind = text_at(&document, "/kind", "kind")?;
        let kind = Kind::from_kubernetes_kind(kubernetes_kind)
            .filter(|_| api_version == API_VERSION)
            .ok_or_else(|| ManifestError::UnknownKind {
                api_version: api_version.to_owned(),
                kind: kubernetes_kind.to_owned(),
            })?;
        let name = text_at(&document, "/metadata/name", "metadata.name")?;
        let name = EntityName::new(name)?;
        let namespace = document
            .pointer("/metadata/namespace")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let spec = document.get("spec").unwrap_or(&Value::Null);
        let entity = Entity::from_parts(kind, name, namespace, spec, product)
            .map_err(|source| ManifestError::NotAnEntity { kind, source })?;
        Ok(Self { entity, document })
    }

    /// Returns the entity.
    pub fn entity(&self) -> &Entity {
        &self.entity
    }

    /// Returns the key of the entity.
    pub fn key(&self) -> EntityKey {
        self.entity.key()
    }

    /// Renders the manifest with new content, and keeps unknown keys.
    pub fn render_with(&self, entity: &Entity) -> String {
        let merged = merge(&document(&self.entity), &self.document, &document(entity));
        yaml::write(&merged)
    }

    /// Returns the fields in which the manifest differs from an entity, such as `spec.cluster`.
    ///
    /// Ignores the order of keys and of set items, and treats a missing value like the empty one
    /// that Nautes writes.
    pub fn differences(&self, entity: &Entity) -> Vec<String> {
        let mut fields = Vec::new();
        compare(
            &document(&self.entity),
            &document(entity),
            String::new(),
            &mut fields,
        );
        fields
    }
}

/// Renders a new manifest.
pub fn render(entity: &Entity) -> String {
    yaml::write(&document(entity))
}

/// Returns the document of a new manifest.
fn document(entity: &Entity) -> Value {
    let mut metadata = json!({ "creationTimestamp": null, "name": entity.name() });
    if let (Some(namespace), Some(metadata)) = (entity.namespace(), metadata.as_object_mut()) {
        metadata.insert("namespace".to_owned(), Value::String(namespace));
    }
    let mut document = json!({
        "apiVersion": API_VERSION,
        "kind": entity.kind().kubernetes_kind(),
        "metadata": metadata,
        "spec": entity.spec(),
    });
    if let (Entity::Cluster(_), Some(document)) = (entity, document.as_object_mut()) {
        document.insert("status".to_owned(), Cluster::empty_status());
    }
    document
}

/// Applies the changes from `old` to `new` to `written`, the document that `old` was parsed from.
fn merge(old: &Value, written: &Value, new: &Value) -> Value {
    if old == new {
        return written.clone();
    }
    match (old, written, new) {
        (Value::Object(old), Value::Object(written), Value::Object(new)) => {
            let unknown = written
                .iter()
                .filter(|(key, _)| !old.contains_key(*key) && !new.contains_key(*key));
            let known = new.iter().map(|(key, value)| {
                let merged = match (old.get(key), written.get(key)) {
                    (Some(old), Some(written)) => merge(old, written, value),
                    _ => value.clone(),
                };
                (key.clone(), merged)
            });
            let unknown = unknown.map(|(key, value)| (key.clone(), value.clone()));
            Value::Object(known.chain(unknown).collect::<Map<_, _>>())
        }
        _ => new.clone(),
    }
}

/// Collects the paths at which two documents differ.
fn compare(left: &Value, right: &Value, path: String, fields: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let mut keys: Vec<&String> = left.keys().chain(right.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                compare(
                    left.get(key).unwrap_or(&Value::Null),
                    right.get(key).unwrap_or(&Value::Null),
                    path,
                    fields,
                );
            }
        }
        _ if left == right => {}
        _ => fields.push(path),
    }
}

fn text_at<'a>(
    document: &'a Value,
    pointer: &str,
    missing: &'static str,
) -> Result<&'a str, ManifestError> {
    document
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or(ManifestError::NotAManifest { missing })
}
