//! Go's empty values in serde's terms: an empty or missing text is no value, `null` is an empty
//! list.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Writes no value as an empty text.
///
/// # Errors
///
/// Those of the serialiser.
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

/// Tells whether Go's `omitempty` would leave the field out.
#[expect(
    clippy::ref_option,
    reason = "serde calls it with a reference to the field"
)]
pub(super) fn is_blank<T: Clone + Into<String>>(value: &Option<T>) -> bool {
    value.clone().is_none_or(|value| value.into().is_empty())
}

/// Reads an empty text or `null` as no value.
///
/// # Errors
///
/// A text that is not a `T`.
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

/// Reads `null` as the empty value.
///
/// # Errors
///
/// A value that is not a `T`.
pub(super) fn null_is_empty<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Writes an empty collection as `null`, as Go writes a nil slice.
///
/// # Errors
///
/// Those of the serialiser.
pub(super) fn empty_is_null<'a, C, S>(collection: &'a C, serializer: S) -> Result<S::Ok, S::Error>
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
