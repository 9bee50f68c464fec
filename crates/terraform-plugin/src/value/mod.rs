//! Terraform values: a dynamic tree that the codec, the plan pipeline and the typed models share.
//!
//! A [`Value`] does not know its schema. Functions that need it take a [`Type`] or a schema as well.

mod convert;
mod json;
mod msgpack;
mod number;
mod path;
mod tf;
mod types;

use std::collections::BTreeMap;

pub use convert::{AttributeValue, ConversionError, Convert, PlanSet};
pub use json::{JsonError, from_json, to_json};
pub use msgpack::{CodecError, decode, encode};
pub use number::{Number, NumberError};
pub use path::{Path, Step};
pub use tf::{Known, Tf, UnknownValue, WriteOnly};
pub use types::{Type, TypeError};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A Terraform value: null, unknown or known, at any depth.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Absent.
    Null,
    /// Not known before apply.
    Unknown,
    /// A boolean.
    Bool(bool),
    /// A number of any size and precision.
    Number(Number),
    /// A string in Unicode normalisation form C, as Terraform compares it.
    String(String),
    /// The elements of a list or tuple.
    List(Vec<Value>),
    /// The elements of a set, sorted. Use [`Value::set`] to build one.
    Set(Vec<Value>),
    /// The elements of a map.
    Map(BTreeMap<String, Value>),
    /// The attributes of an object, with every attribute of its type present.
    Object(BTreeMap<String, Value>),
    /// A known value of an attribute with a dynamic type, together with its actual type.
    Dynamic(Box<(Type, Value)>),
}

impl Value {
    /// Returns a string value, normalised as Terraform does it.
    pub fn string(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::String(if is_nfc(&text) {
            text
        } else {
            text.nfc().collect()
        })
    }

    /// Returns a set of the elements, sorted and with known duplicates removed.
    pub fn set(elements: impl IntoIterator<Item = Value>) -> Self {
        let mut elements: Vec<Value> = elements.into_iter().collect();
        elements.sort();
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
        Self::Set(elements)
    }

    /// Returns an object with the given attributes.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self::Object(
            attributes
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    /// Returns `true` if the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns `true` if the value itself is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Returns `true` if no part of the value is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
            Self::List(elements) | Self::Set(elements) => {
                elements.iter().all(Self::is_wholly_known)
            }
            Self::Map(elements) | Self::Object(elements) => {
                elements.values().all(Self::is_wholly_known)
            }
            Self::Dynamic(inner) => inner.1.is_wholly_known(),
        }
    }

    /// Returns the path to the first unknown part, or `None` if the value is wholly known.
    pub fn first_unknown(&self) -> Option<Path> {
        self.first_unknown_below(&Path::root())
    }

    fn first_unknown_below(&self, path: &Path) -> Option<Path> {
        match self {
            Self::Unknown => Some(path.clone()),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => None,
            Self::List(elements) => elements
                .iter()
                .enumerate()
                .find_map(|(index, element)| element.first_unknown_below(&path.index(index))),
            Self::Set(elements) => elements
                .iter()
                .find_map(|element| element.first_unknown_below(&path.set_element())),
            Self::Map(elements) => elements
                .iter()
                .find_map(|(key, element)| element.first_unknown_below(&path.key(key))),
            Self::Object(attributes) => attributes
                .iter()
                .find_map(|(name, value)| value.first_unknown_below(&path.attribute(name))),
            Self::Dynamic(inner) => inner.1.first_unknown_below(path),
        }
    }

    /// Returns an attribute of an object, or null if the attribute is absent or the value is not an object.
    pub fn attribute(&self, name: &str) -> &Value {
        match self {
            Self::Object(attributes) => attributes.get(name).unwrap_or(&Self::Null),
            _ => &Self::Null,
        }
    }

    /// Returns the content of a known string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Value {
    /// Shows the structure without the content, so that logs cannot reveal sensitive values.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Unknown => formatter.write_str("unknown"),
            Self::Bool(_) => formatter.write_str("bool"),
            Self::Number(_) => formatter.write_str("number"),
            Self::String(_) => formatter.write_str("string"),
            Self::List(elements) | Self::Set(elements) => {
                formatter.debug_list().entries(elements).finish()
            }
            Self::Map(elements) | Self::Object(elements) => {
                formatter.debug_map().entries(elements).finish()
            }
            Self::Dynamic(inner) => inner.1.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_unknown_part_is_found_at_any_depth() {
        let rules = |port: Value| {
            let rule = Value::object([("name", Value::string("a")), ("port", port)]);
            Value::object([("rules", Value::List(vec![Value::Null, rule]))])
        };
        let path = rules(Value::Unknown).first_unknown().unwrap();
        assert_eq!(path.to_string(), "rules[1].port");
        let map = Value::Map([("x".to_owned(), Value::Unknown)].into());
        let path = rules(map).first_unknown().unwrap();
        assert_eq!(path.to_string(), "rules[1].port[\"x\"]");
        let path = rules(Value::set([Value::Unknown])).first_unknown().unwrap();
        assert_eq!(path.to_string(), "rules[1].port");
        assert_eq!(rules(Value::Bool(true)).first_unknown(), None);
    }
}
