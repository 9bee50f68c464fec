//! Tokens, keys and kubeconfigs on their way from an argument to a request.
//!
//! A [`Secret`] cannot be printed: its `Debug` output is redacted, it has no `Display` and no
//! `Serialize`, and its memory is wiped when it is dropped. It leaves the process in two ways
//! only: as a header ([`header_value`]) or in a request body ([`serialize_exposed`]).

pub use secrecy::{ExposeSecret, SecretString as Secret};
use serde::Serializer;

/// Makes a header value that HTTP libraries leave out of their debug output and of header
/// compression tables. `prefix` goes before the secret, for example `"Bearer "`.
///
/// Fails when the secret holds characters that a header cannot carry, such as a line break.
pub fn header_value(
    prefix: &str,
    secret: &Secret,
) -> Result<http::HeaderValue, http::header::InvalidHeaderValue> {
    let mut value = http::HeaderValue::from_str(&format!("{prefix}{}", secret.expose_secret()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Serialises a secret in the clear, for a field of a request body:
/// `#[serde(serialize_with = "crate::secret::serialize_exposed")]`.
pub fn serialize_exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Body {
        #[serde(serialize_with = "serialize_exposed")]
        token: Secret,
    }

    #[test]
    fn a_secret_is_redacted_in_debug_output_and_readable_in_a_body() {
        let token = Secret::from("s3cr3t");
        assert!(!format!("{token:?}").contains("s3cr3t"));
        let body = serde_json::to_string(&Body { token }).unwrap();
        assert_eq!(body, r#"{"token":"s3cr3t"}"#);
    }

    #[test]
    fn a_header_value_is_marked_sensitive() {
        let value = header_value("Bearer ", &Secret::from("s3cr3t")).unwrap();
        assert_eq!(value.to_str().unwrap(), "Bearer s3cr3t");
        assert!(!format!("{value:?}").contains("s3cr3t"));
        assert!(header_value("", &Secret::from("two\nlines")).is_err());
    }
}
