//! The parser, a thin layer over serde-saphyr.

use serde_json::Value;

/// The text is not YAML.
#[derive(Debug, thiserror::Error)]
#[error("the text is not YAML")]
pub struct ReadError(#[source] Box<serde_saphyr::Error>);

/// Parses one document.
///
/// Unquoted scalars are resolved by the rules of YAML 1.2: `yes` is a string.
pub fn read(text: &str) -> Result<Value, ReadError> {
    let options = serde_saphyr::options! {
        emit_comments: false,
        strict_booleans: true,
        with_snippet: false,
        merge_keys: serde_saphyr::MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| ReadError(Box::new(error)))
}
