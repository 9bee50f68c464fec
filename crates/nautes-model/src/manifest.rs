//! Manifests: the YAML form of entities.
//!
//! [`render`] writes a new manifest byte for byte as Nautes v0.4.2 does
//! (`app/api-server/internal/biz/resource.go`, `WriteResource`).
//!
//! Reading is tolerant: `status`, `creationTimestamp` and the order of keys mean nothing, and keys
//! that the model does not know are kept. [`Manifest::updated`] keeps them too: what the old
//! entity and the new one agree on stays as it was written, with everything unknown inside it; what
//! they do not agree on is written anew, lists as a whole. Comments and quoting are not kept.

use serde_json::{Map, Value, json};

use crate::entity::{Cluster, Entity, EntityError};
use crate::entity_name::{EntityName, EntityNameError};
use crate::id::ProductId;
use crate::kind::{EntityKey, Kind};
use crate::yaml;

/// The API group and version of all kinds.
pub const API_VERSION: &str = "nautes.resource.nautes.io/v1alpha1";

/// A file does not hold the manifest of an entity.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file is not one YAML document.
    #[error("the file is not one YAML document")]
    NotYaml(#[from] yaml::ReadError),
    /// The file is no Kubernetes manifest.
    #[error("the file is no Kubernetes manifest: it lacks `{missing}`")]
    NotAManifest {
        /// The missing key.
        missing: &'static str,
    },
    /// The name is not one that Kubernetes takes.
    #[error("the manifest has no valid name")]
    Name(#[from] EntityNameError),
    /// The manifest is of a kind that the model does not know.
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

/// A manifest that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    entity: Entity,
    document: Value,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// `product` is that of the repository, for pipeline runtimes that have no namespace.
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

    /// Returns what the manifest describes.
    pub fn entity(&self) -> &Entity {
        &self.entity
    }

    /// Returns what tells the entity from others.
    pub fn key(&self) -> EntityKey {
        self.entity.key()
    }

    /// Renders the manifest with another entity in it, keeping what the model does not know.
    pub fn updated(&self, entity: &Entity) -> String {
        let merged = merge(&document(&self.entity), &self.document, &document(entity));
        yaml::write(&merged)
    }

    /// Lists the fields in which the manifest differs from an entity: `spec.cluster`.
    ///
    /// The order of keys, and of the items of sets, makes no difference, and neither does a value
    /// that is left out where Nautes writes an empty one.
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

/// Returns the manifest as a document.
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

/// Applies what changed between `old` and `new` to `written`, which was read as `old`.
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
