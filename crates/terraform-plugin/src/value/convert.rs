//! Conversions between values and the Rust types of models.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use super::{Number, Path, Tf, Type, Value, WriteOnly};
use crate::schema::{AttributeKind, LostOption, Presence};

/// A value does not fit the Rust type of its attribute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConversionError {
    /// The attribute.
    pub path: Path,
    /// What the Rust type accepts.
    pub expected: &'static str,
    /// The kind of value found, without its content.
    pub found: String,
}

impl ConversionError {
    /// Returns the error for a value that does not fit.
    pub fn new(path: &Path, expected: &'static str, found: &Value) -> Self {
        Self {
            path: path.clone(),
            expected,
            found: format!("{found:?}"),
        }
    }
}

impl Display for ConversionError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            expected, found, ..
        } = self;
        match found.as_str() {
            "null" | "unknown" => write!(formatter, "must be {expected}, but it is {found}"),
            _ => write!(formatter, "must be {expected}"),
        }
    }
}

/// A Rust type that converts from and to a Terraform value.
pub trait Convert: Sized + Send + Sync {
    /// Converts from a value. `path` is its place, for errors.
    fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError>;

    /// Converts to a value.
    fn to_value(&self) -> Value;
}

/// A Rust type that can be the type of an attribute.
///
/// The type decides whether the attribute is required (`T`), optional (`Option<T>`), computed ([`Tf<T>`]) or write-only
/// ([`WriteOnly<T>`]).
///
/// A type of your own delegates to one of these:
///
/// ```
/// use terraform_plugin::schema::AttributeKind;
/// use terraform_plugin::value::{AttributeValue, ConversionError, Convert, Path, Value};
///
/// #[derive(Clone, PartialEq)]
/// enum Level {
///     Low,
///     High,
/// }
///
/// impl Convert for Level {
///     fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError> {
///         match value.as_str() {
///             Some("low") => Ok(Self::Low),
///             Some("high") => Ok(Self::High),
///             _ => Err(ConversionError::new(path, "low or high", value)),
///         }
///     }
///
///     fn to_value(&self) -> Value {
///         Value::string(match self {
///             Self::Low => "low",
///             Self::High => "high",
///         })
///     }
/// }
///
/// impl AttributeValue for Level {
///     type Plan = Self;
///
///     fn kind() -> AttributeKind {
///         String::kind()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of an attribute",
    note = "use `String`, `bool`, `i64`, `u64`, `Number`, a model, or an `Option`, `Tf`, `Vec`, `BTreeSet` or `BTreeMap<String, _>` of these"
)]
pub trait AttributeValue: Convert {
    /// The type of the attribute in a configuration or plan, where parts of it may be unknown.
    type Plan: Convert + Clone + PartialEq;

    /// Whether users or the provider set the attribute.
    const PRESENCE: Presence = Presence::Required;

    /// Returns the type of the attribute.
    fn kind() -> AttributeKind;

    /// Checks a configured value that is not null, and adds an error for every part that does not fit this type.
    ///
    /// Unknown parts fit.
    fn check(value: &Value, path: &Path, errors: &mut Vec<ConversionError>) {
        let fits = if value.is_unknown() {
            Ok(())
        } else if value.is_wholly_known() {
            Self::from_value(value, path).map(drop)
        } else {
            Self::Plan::from_value(value, path).map(drop)
        };
        errors.extend(fits.err());
    }

    /// Returns the options of nested attributes that have no effect in this type.
    #[doc(hidden)]
    fn lost_options() -> Vec<LostOption> {
        Vec::new()
    }
}

/// The presence of a type that wraps `T`, which must not have one itself: `Option<Tf<_>>` means nothing.
const fn presence_of_wrapper<T: AttributeValue>(presence: Presence) -> Presence {
    assert!(
        matches!(T::PRESENCE, Presence::Required),
        "`Option`, `Tf` and `WriteOnly` cannot be combined: use one of them"
    );
    presence
}

/// The presence of a collection of `T`, which can be optional but not computed or write-only.
const fn presence_of_collection<T: AttributeValue>() -> Presence {
    assert!(
        matches!(T::PRESENCE, Presence::Required | Presence::Optional),
        "elements of a collection cannot be `Tf` or `WriteOnly`: use it for the whole collection"
    );
    Presence::Required
}

/// Checks a configured value that may be null.
fn check_nullable<T: AttributeValue>(
    value: &Value,
    path: &Path,
    errors: &mut Vec<ConversionError>,
) {
    if !value.is_null() {
        T::check(value, path, errors);
    }
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
scalar!(i64, Type::Number, "a whole number from -2^63 to 2^63-1", value => number(value).and_then(Number::as_i64), this => Value::Number((*this).into()));
scalar!(u64, Type::Number, "a whole number from 0 to 2^64-1", value => number(value).and_then(Number::as_u64), this => Value::Number((*this).into()));

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
    const PRESENCE: Presence = presence_of_wrapper::<T>(Presence::Optional);

    fn kind() -> AttributeKind {
        T::kind()
    }

    fn check(value: &Value, path: &Path, errors: &mut Vec<ConversionError>) {
        check_nullable::<T>(value, path, errors);
    }

    fn lost_options() -> Vec<LostOption> {
        T::lost_options()
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
    const PRESENCE: Presence = presence_of_wrapper::<T>(Presence::Computed);

    fn kind() -> AttributeKind {
        T::kind()
    }

    fn check(value: &Value, path: &Path, errors: &mut Vec<ConversionError>) {
        check_nullable::<T>(value, path, errors);
    }

    fn lost_options() -> Vec<LostOption> {
        T::lost_options()
    }
}

impl<T: Convert> Convert for WriteOnly<T> {
    fn from_value(value: &Value, path: &Path) -> Result<Self, ConversionError> {
        Option::<T>::from_value(value, path).map(Self::from)
    }

    /// Returns null, because the value must not reach the plan or the state.
    fn to_value(&self) -> Value {
        Value::Null
    }
}

impl<T: AttributeValue> AttributeValue for WriteOnly<T> {
    type Plan = T::Plan;
    const PRESENCE: Presence = presence_of_wrapper::<T>(Presence::WriteOnly);

    fn kind() -> AttributeKind {
        T::kind()
    }

    fn check(value: &Value, path: &Path, errors: &mut Vec<ConversionError>) {
        check_nullable::<T>(value, path, errors);
    }

    fn lost_options() -> Vec<LostOption> {
        T::lost_options()
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
    const PRESENCE: Presence = presence_of_collection::<T>();

    fn kind() -> AttributeKind {
        T::kind().list()
    }

    fn check(value: &Value, path: &Path, errors: &mut Vec<ConversionError>) {
        match value {
            Value::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    T::check(element, &path.index(index), errors);
                }
            }
            Value::Unknown => {}
            _ => errors.push(ConversionError::new(path, "a list", value)),
        }
    }

    fn lost_options() -> Vec<LostOption> {
        let mut lost = T::lost_options();
        lost.extend(T::kind().options_lost_in_collection());
        lost
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
    const PRESENCE: Presence = presence_of_collection::<T>();

    fn kind() -> AttributeKind {
        T::kind().map()
    }

    fn check(value: &Value, path: &Path, errors: &mut Vec<ConversionError>) {
        match value {
            Value::Map(elements) => {
                for (key, element) in elements {
                    T::check(element, &path.key(key), errors);
                }
            }
            Value::Unknown => {}
            _ => errors.push(ConversionError::new(path, "a map", value)),
        }
    }

    fn lost_options() -> Vec<LostOption> {
        let mut lost = T::lost_options();
        lost.extend(T::kind().options_lost_in_collection());
        lost
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
    const PRESENCE: Presence = presence_of_collection::<T>();

    fn kind() -> AttributeKind {
        T::kind().set()
    }

    fn check(value: &Value, path: &Path, errors: &mut Vec<ConversionError>) {
        match value {
            Value::Set(elements) => {
                for element in elements {
                    T::check(element, &path.set_element(), errors);
                }
            }
            Value::Unknown => {}
            _ => errors.push(ConversionError::new(path, "a set", value)),
        }
    }

    fn lost_options() -> Vec<LostOption> {
        let mut lost = T::lost_options();
        lost.extend(T::kind().options_lost_in_collection());
        lost
    }
}

/// A set in a configuration or plan, where elements may be unknown.
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
