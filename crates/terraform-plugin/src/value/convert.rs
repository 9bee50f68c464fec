//! Conversion between values and the Rust types of models.

use std::collections::{BTreeMap, BTreeSet};

use super::{Number, Path, Tf, Type, Value, WriteOnly};
use crate::schema::{AttributeKind, Presence};

/// A value that does not fit the Rust type that a model gives its attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value is {found} where {expected} is needed")]
pub struct ConversionError {
    /// The attribute.
    pub path: Path,
    /// What the Rust type can hold.
    pub expected: &'static str,
    /// What the value is, without its content.
    pub found: String,
}

impl ConversionError {
    /// Describes a value that does not fit.
    pub fn new(path: &Path, expected: &'static str, found: &Value) -> Self {
        Self {
            path: path.clone(),
            expected,
            found: format!("{found:?}"),
        }
    }
}

/// A Rust type with a form as a Terraform value.
pub trait Convert: Sized + Send + Sync {
    /// Reads the value; `path` is where it stands, for the error.
    fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError>;

    /// Returns the value.
    fn to_value(&self) -> Value;
}

/// A Rust type that can be the type of an attribute.
///
/// The type decides whether users must, may or cannot set the attribute: `T` is required, `Option<T>` optional,
/// [`Tf<T>`] computed, [`WriteOnly<T>`] an argument that is never stored.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of an attribute",
    note = "use `String`, `bool`, `i64`, `u64`, `Number`, a model, or an `Option`, `Tf`, `Vec`, `BTreeSet` or `BTreeMap<String, _>` of these"
)]
pub trait AttributeValue: Convert {
    /// The view of the attribute while parts of it may be unknown.
    type Plan: Convert;

    /// Who sets the attribute.
    const PRESENCE: Presence = Presence::Required;

    /// The shape of the attribute.
    fn kind() -> AttributeKind;
}

macro_rules! scalar {
    ($rust:ty, $kind:expr, $expected:literal, $value:ident => $from:expr, $this:ident => $to:expr) => {
        impl Convert for $rust {
            fn from_value($value: &Value, path: &Path) -> Result<Self, ConversionError> {
                $from.ok_or_else(|| ConversionError::new(path, $expected, $value))
            }

            fn to_value(&self) -> Value {
                let $this = self;
                $to
            }
        }

        impl AttributeValue for $rust {
            type Plan = Self;

            fn kind() -> AttributeKind {
                AttributeKind::Typed($kind)
            }
        }
    };
}

fn number(value: &Value) -> Option<&Number> {
    match value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}

scalar!(String, Type::String, "a string", value => value.as_str().map(str::to_owned), this => Value::string(this.as_str()));
scalar!(bool, Type::Bool, "a bool", value => match value { Value::Bool(truth) => Some(*truth), _ => None }, this => Value::Bool(*this));
scalar!(Number, Type::Number, "a number", value => number(value).cloned(), this => Value::Number(this.clone()));
scalar!(i64, Type::Number, "a whole number", value => number(value).and_then(Number::as_i64), this => Value::Number((*this).into()));
scalar!(u64, Type::Number, "a whole number that is not negative", value => number(value).and_then(Number::as_u64), this => Value::Number((*this).into()));

impl<T: Convert> Convert for Option<T> {
    fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value, path).map(Some),
        }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Convert::to_value)
    }
}

impl<T: AttributeValue> AttributeValue for Option<T> {
    type Plan = T::Plan;
    const PRESENCE: Presence = Presence::Optional;

    fn kind() -> AttributeKind {
        T::kind()
    }
}

impl<T: Convert> Convert for Tf<T> {
    fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError> {
        match value {
            Value::Null => Ok(Self::Null),
            Value::Unknown => Ok(Self::Unknown),
            value => T::from_value(value, path).map(Self::Known),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Unknown => Value::Unknown,
            Self::Known(value) => value.to_value(),
        }
    }
}

impl<T: AttributeValue> AttributeValue for Tf<T> {
    type Plan = T::Plan;
    const PRESENCE: Presence = Presence::Computed;

    fn kind() -> AttributeKind {
        T::kind()
    }
}

impl<T: Convert> Convert for WriteOnly<T> {
    fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError> {
        Option::<T>::from_value(value, path).map(Self::from)
    }

    /// Returns null: the value must not reach plan or state.
    fn to_value(&self) -> Value {
        Value::Null
    }
}

impl<T: AttributeValue> AttributeValue for WriteOnly<T> {
    type Plan = T::Plan;
    const PRESENCE: Presence = Presence::WriteOnly;

    fn kind() -> AttributeKind {
        T::kind()
    }
}

impl<T: Convert> Convert for Vec<T> {
    fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError> {
        let Value::List(elements) = value else {
            return Err(ConversionError::new(path, "a list", value));
        };
        let elements = elements.iter().enumerate();
        elements
            .map(|(index, element)| T::from_value(element, &path.index(index)))
            .collect()
    }

    fn to_value(&self) -> Value {
        Value::List(self.iter().map(Convert::to_value).collect())
    }
}

impl<T: AttributeValue> AttributeValue for Vec<T> {
    type Plan = Vec<Tf<T::Plan>>;

    fn kind() -> AttributeKind {
        T::kind().list()
    }
}

impl<T: Convert> Convert for BTreeMap<String, T> {
    fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError> {
        let Value::Map(elements) = value else {
            return Err(ConversionError::new(path, "a map", value));
        };
        let elements = elements.iter();
        elements
            .map(|(key, element)| Ok((key.clone(), T::from_value(element, &path.key(key))?)))
            .collect()
    }

    fn to_value(&self) -> Value {
        let elements = self.iter();
        Value::Map(
            elements
                .map(|(key, element)| (key.clone(), element.to_value()))
                .collect(),
        )
    }
}

impl<T: AttributeValue> AttributeValue for BTreeMap<String, T> {
    type Plan = BTreeMap<String, Tf<T::Plan>>;

    fn kind() -> AttributeKind {
        T::kind().map()
    }
}

fn set_elements<T: Convert, C: FromIterator<T>>(
    value: &Value,
    path: &Path,
) -> Result<C, ConversionError> {
    let Value::Set(elements) = value else {
        return Err(ConversionError::new(path, "a set", value));
    };
    elements
        .iter()
        .map(|element| T::from_value(element, &path.set_element()))
        .collect()
}

impl<T: Convert + Ord> Convert for BTreeSet<T> {
    fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError> {
        set_elements(value, path)
    }

    fn to_value(&self) -> Value {
        Value::set(self.iter().map(Convert::to_value))
    }
}

impl<T: AttributeValue + Ord> AttributeValue for BTreeSet<T> {
    type Plan = PlanSet<T::Plan>;

    fn kind() -> AttributeKind {
        T::kind().set()
    }
}

/// A set while its elements may be unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanSet<T>(pub Vec<Tf<T>>);

impl<T: Convert> Convert for PlanSet<T> {
    fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError> {
        set_elements(value, path).map(Self)
    }

    fn to_value(&self) -> Value {
        Value::set(self.0.iter().map(Convert::to_value))
    }
}
