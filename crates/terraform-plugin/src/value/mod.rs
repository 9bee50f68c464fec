//! Terraform values: one dynamic tree that the codec, the plan pipeline and the typed models share.
//!
//! A [`Value`] carries no schema; functions that need the shape take a [`Type`] or a schema beside it.

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

/// A Terraform value: null, unknown, or known, at any depth.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Absent.
    Null,
    /// Not known before apply.
    Unknown,
    /// A truth value.
    Bool(bool),
    /// A number of any size and precision.
    Number(Number),
    /// Text in Unicode normalisation form C, as Terraform compares it.
    String(String),
    /// The elements of a list or a tuple.
    List(Vec<Value>),
    /// The elements of a set, sorted; build it with [`Value::set`].
    Set(Vec<Value>),
    /// The elements of a map.
    Map(BTreeMap<String, Value>),
    /// The attributes of an object, every one of its type present.
    Object(BTreeMap<String, Value>),
    /// A known value of an attribute whose type is dynamic, with the type it has.
    Dynamic(Box<(Type, Value)>),
}

impl Value {
    /// Returns text as a value, normalised as Terraform does it.
    pub fn string(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::String(if is_nfc(&text) {
            text
        } else {
            text.nfc().collect()
        })
    }

    /// Returns a set of the elements: sorted, and without duplicates among those wholly known.
    pub fn set(elements: impl IntoIterator<Item = Value>) -> Self {
        let mut elements: Vec<Value> = elements.into_iter().collect();
        elements.sort();
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
        Self::Set(elements)
    }

    /// Returns an object of the attributes.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self::Object(
            attributes
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    /// Tells whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Tells whether the value itself is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Tells whether nothing in the value, at any depth, is unknown.
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

    /// Returns an attribute of an object; null for any other value and for an absent attribute.
    pub fn attribute(&self, name: &str) -> &Value {
        match self {
            Self::Object(attributes) => attributes.get(name).unwrap_or(&Self::Null),
            _ => &Self::Null,
        }
    }

    /// Returns the text of a known string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Value {
    /// Shows the shape and never the content, so that no log can carry a sensitive value.
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
