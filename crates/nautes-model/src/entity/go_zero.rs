//! Serde helpers for Go's zero values: an empty string stands for `None`, `null` for an empty
//! collection.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Serialises `None` as an empty string.
///
/// # Errors
///
/// Fails if the serialiser does.
#[expect(
    clippy::ref_option,
    reason = "serde calls it with a reference to the field"
)]
pub(super) fn serialize<T, S>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Serialize,
    S: Serializer,
{
    match value {
        Some(value) => value.serialize(serializer),
        None => serializer.serialize_str(""),
    }
}

/// Returns whether Go's `omitempty` would omit the field.
#[expect(
    clippy::ref_option,
    reason = "serde calls it with a reference to the field"
)]
pub(super) fn is_zero<T: Clone + Into<String>>(value: &Option<T>) -> bool {
    value.clone().is_none_or(|value| value.into().is_empty())
}

/// Deserialises an empty string or `null` as `None`.
///
/// # Errors
///
/// Fails if the text is not a `T`.
pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: TryFrom<String, Error: std::fmt::Display>,
    D: Deserializer<'de>,
{
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if !text.is_empty() => T::try_from(text).map(Some).map_err(D::Error::custom),
        _ => Ok(None),
    }
}

/// Deserialises `null` as the default value.
///
/// # Errors
///
/// Fails if the value is not a `T`.
pub(super) fn null_as_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Serialises an empty collection as `null`, like a nil slice in Go.
///
/// # Errors
///
/// Fails if the serialiser does.
pub(super) fn empty_as_null<'a, C, S>(collection: &'a C, serializer: S) -> Result<S::Ok, S::Error>
where
    &'a C: IntoIterator,
    C: Serialize,
    S: Serializer,
{
    if collection.into_iter().next().is_none() {
        serializer.serialize_none()
    } else {
        collection.serialize(serializer)
    }
}
