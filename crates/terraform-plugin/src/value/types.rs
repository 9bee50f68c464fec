//! The types of values, and their JSON format on the wire (go-cty `cty/json.go`).

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// A boolean.
    Bool,
    /// A number of any size.
    Number,
    /// A string.
    String,
    /// Any type. Each known value has its own.
    Dynamic,
    /// An ordered collection of elements of one type.
    List(Box<Type>),
    /// An unordered collection of distinct elements of one type.
    Set(Box<Type>),
    /// A collection of elements of one type, by key.
    Map(Box<Type>),
    /// An ordered collection of elements, each with its own type.
    Tuple(Vec<Type>),
    /// Named attributes, each with its own type.
    Object(BTreeMap<String, Type>),
}

/// JSON does not describe a type.
#[derive(Debug, thiserror::Error)]
#[error("{text} does not describe a type")]
pub struct TypeError {
    /// The JSON.
    pub text: String,
}

impl Type {
    /// Returns the JSON format that Terraform reads: `"string"`, `["list","string"]`, `["object",{…}]`.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bool => json!("bool"),
            Self::Number => json!("number"),
            Self::String => json!("string"),
            Self::Dynamic => json!("dynamic"),
            Self::List(element) => json!(["list", element.to_json()]),
            Self::Set(element) => json!(["set", element.to_json()]),
            Self::Map(element) => json!(["map", element.to_json()]),
            Self::Tuple(elements) => {
                json!([
                    "tuple",
                    elements.iter().map(Self::to_json).collect::<Vec<_>>()
                ])
            }
            Self::Object(attributes) => {
                let attributes: serde_json::Map<String, Json> = attributes
                    .iter()
                    .map(|(name, kind)| (name.clone(), kind.to_json()))
                    .collect();
                json!(["object", attributes])
            }
        }
    }

    /// Parses the JSON format. The optional attributes of objects, which occur in dynamic values, are ignored.
    pub fn from_json(json: &Json) -> Result<Self, TypeError> {
        let error = || TypeError {
            text: json.to_string(),
        };
        if let Some(name) = json.as_str() {
            return match name {
                "bool" => Ok(Self::Bool),
                "number" => Ok(Self::Number),
                "string" => Ok(Self::String),
                "dynamic" => Ok(Self::Dynamic),
                _ => Err(error()),
            };
        }
        let parts = json.as_array().ok_or_else(error)?;
        let constructor = parts.first().and_then(Json::as_str).ok_or_else(error)?;
        let argument = parts.get(1).ok_or_else(error)?;
        let element = || Self::from_json(argument).map(Box::new);
        match constructor {
            "list" => element().map(Self::List),
            "set" => element().map(Self::Set),
            "map" => element().map(Self::Map),
            "tuple" => argument
                .as_array()
                .ok_or_else(error)?
                .iter()
                .map(Self::from_json)
                .collect::<Result<_, _>>()
                .map(Self::Tuple),
            "object" => argument
                .as_object()
                .ok_or_else(error)?
                .iter()
                .map(|(name, kind)| Ok((name.clone(), Self::from_json(kind)?)))
                .collect::<Result<_, _>>()
                .map(Self::Object),
            _ => Err(error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_constructor_round_trips_through_json() {
        let kind = Type::Object(BTreeMap::from([
            (
                "a".to_owned(),
                Type::List(Box::new(Type::Set(Box::new(Type::Number)))),
            ),
            (
                "b".to_owned(),
                Type::Map(Box::new(Type::Tuple(vec![Type::Bool, Type::Dynamic]))),
            ),
            ("c".to_owned(), Type::String),
        ]));
        assert_eq!(Type::from_json(&kind.to_json()).unwrap(), kind);
    }

    #[test]
    fn optional_attributes_of_an_object_are_ignored() {
        let parsed = Type::from_json(&json!(["object", {"a": "string"}, ["a"]])).unwrap();
        assert_eq!(
            parsed,
            Type::Object(BTreeMap::from([("a".to_owned(), Type::String)]))
        );
    }

    #[test]
    fn malformed_types_are_errors() {
        for json in [
            json!("text"),
            json!([]),
            json!(["list"]),
            json!({"a": 1}),
            json!(null),
        ] {
            assert!(Type::from_json(&json).is_err(), "{json}");
        }
    }
}
