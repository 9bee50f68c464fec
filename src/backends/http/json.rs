//! Parsing answers without keeping any of their text.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Why an answer could not be parsed. The parser's own message is left out: it may quote a secret.
#[derive(Debug, thiserror::Error)]
#[error("{what} at line {line}, column {column}")]
pub(in crate::backends) struct JsonError {
    what: &'static str,
    line: usize,
    column: usize,
}

/// Parses a JSON body.
pub(in crate::backends) fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, JsonError> {
    serde_json::from_slice(body).map_err(|error| JsonError {
        what: match error.classify() {
            Category::Data => "a field is missing or of another type",
            Category::Eof => "the JSON text ends",
            Category::Syntax | Category::Io => "it is not JSON",
        },
        line: error.line(),
        column: error.column(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_answer_is_never_quoted() {
        for body in [
            r#"{"a":"s3cr3t"}"#,
            r#""s3cr3t""#,
            "s3cr3t",
            r#"{"s3cr3t":"#,
        ] {
            let error = parse_json::<std::collections::BTreeMap<String, u8>>(body.as_bytes());
            let error = error.unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("s3cr3t"), "{shown}");
            assert!(shown.contains("line 1"), "{shown}");
        }
    }
}
