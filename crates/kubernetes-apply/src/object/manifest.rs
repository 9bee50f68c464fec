//! Reading objects from YAML.

use serde_json::Value;
use serde_saphyr::DuplicateKeyPolicy;

use super::{Object, ObjectError};

/// Text that holds no Kubernetes objects.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The text is not YAML.
    #[error("the manifest is not YAML")]
    Syntax(#[source] Box<serde_saphyr::Error>),
    /// A document is not a Kubernetes object.
    #[error("object {number} of the manifest is not a Kubernetes object")]
    Object {
        /// Which one, counted from 1; the items of a `List` count one by one.
        number: usize,
        /// Why.
        source: ObjectError,
    },
}

/// Parses the objects of all documents of a text, which may be YAML or JSON.
///
/// Empty documents are skipped, and a `List` becomes its items. A key that a mapping has twice is an error.
/// Unquoted scalars are resolved by the rules of YAML 1.2: `yes` is a string. The limits allow for a manifest
/// of 20 MB.
pub fn parse_yaml(text: &str) -> Result<Vec<Object>, ManifestError> {
    parse(text, DuplicateKeyPolicy::Error)
}

/// Parses a text as kubectl does: of a key that a mapping has twice, the last value counts.
///
/// Manifests that projects publish need it: where the line break before a `---` is missing, two documents
/// run into one, which kubectl takes for the second.
pub fn parse_yaml_like_kubectl(text: &str) -> Result<Vec<Object>, ManifestError> {
    parse(text, DuplicateKeyPolicy::LastWins)
}

fn parse(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Vec<Object>, ManifestError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 256,
            max_events: 8_000_000,
            max_nodes: 4_000_000,
        },
        duplicate_keys: duplicate_keys,
        emit_comments: false,
        strict_booleans: true,
        with_snippet: false,
    };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| ManifestError::Syntax(Box::new(error)))?;
    let mut objects = Vec::new();
    for document in documents {
        match list_items(document) {
            Ok(items) => objects.extend(items),
            Err(object) => objects.push(object),
        }
    }
    let numbered = objects.into_iter().enumerate();
    numbered
        .map(|(index, json)| {
            Object::new(json).map_err(|source| ManifestError::Object {
                number: index + 1,
                source,
            })
        })
        .collect()
}

/// Returns the items of a `List`, or the document itself if it is none.
fn list_items(mut document: Value) -> Result<Vec<Value>, Value> {
    let is_list = document.get("kind").and_then(Value::as_str) == Some("List");
    match document.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if is_list => Ok(items),
        Some(items) => {
            if let Some(document) = document.as_object_mut() {
                document.insert("items".to_owned(), items);
            }
            Err(document)
        }
        None => Err(document),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let objects = parse_yaml(text).unwrap();
        let names = objects.iter().map(|object| object.reference().to_string());
        names.collect()
    }

    #[test]
    fn empty_documents_are_skipped_and_lists_become_their_items() {
        let text = "
# a comment
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: shop}}
";
        assert_eq!(
            names(text),
            ["Namespace shop", "ConfigMap shop/a", "ConfigMap shop/b"]
        );
    }

    #[test]
    fn a_document_that_is_no_object_is_named_by_its_number() {
        let text = "{apiVersion: v1, kind: Pod, metadata: {name: a}}\n---\nkind: Pod\n";
        let error = parse_yaml(text).unwrap_err();
        assert!(
            matches!(error, ManifestError::Object { number: 2, .. }),
            "{error:?}"
        );
        assert!(matches!(parse_yaml("a: ["), Err(ManifestError::Syntax(_))));
    }

    #[test]
    fn documents_that_run_into_each_other_are_taken_for_the_last_where_that_is_wanted() {
        let text = "
apiVersion: v1
kind: ServiceAccount
metadata:
  name: a---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
";
        assert!(matches!(parse_yaml(text), Err(ManifestError::Syntax(_))));
        let objects = parse_yaml_like_kubectl(text).unwrap();
        let [object] = objects.as_slice() else {
            panic!("{objects:?}")
        };
        assert_eq!(object.reference().to_string(), "ConfigMap b");
    }

    #[test]
    fn other_fields_called_items_stay() {
        let text = "{apiVersion: e.com/v1, kind: Shelf, metadata: {name: a}, items: [1]}";
        let objects = parse_yaml(text).unwrap();
        assert_eq!(objects[0].list("/items").len(), 1);
    }
}
