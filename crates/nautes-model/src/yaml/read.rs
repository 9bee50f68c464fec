//! Reading, which is serde-saphyr's work.

use serde_json::Value;

/// A text is not YAML.
#[derive(Debug, thiserror::Error)]
#[error("the text is not YAML")]
pub struct ReadError(#[source] Box<serde_saphyr::Error>);

/// Reads one document.
///
/// Unquoted words mean what they mean in YAML 1.2: `yes` is a text.
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
