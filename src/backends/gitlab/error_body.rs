//! The grammar of GitLab's error bodies, which come in many shapes (GitLab `lib/api/helpers.rb`,
//! `lib/api/api.rb`, `lib/api/api_guard.rb`, and `Rack::Attack`'s plain text).

use serde_json::{Map, Value};

use crate::backends::http::{FieldError, FieldErrors};

/// Longest text that is taken over from a body that is not JSON, such as a proxy's error page.
const LONGEST_FOREIGN_TEXT: usize = 200;

/// An error body, reduced to what matters.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ErrorBody {
    /// The errors in it.
    pub(super) errors: FieldErrors,
    /// The scopes that the OAuth layer names in an `insufficient_scope` error.
    pub(super) scopes: Vec<String>,
    /// Whether the body was JSON, so that it came from GitLab itself.
    pub(super) is_json: bool,
    /// Whether the API has no such endpoint (`lib/api/api.rb`); a missing object is a `message`.
    pub(super) is_no_endpoint: bool,
}

impl ErrorBody {
    /// Reads a body; one that cannot be understood yields its beginning as the text.
    pub(super) fn parse(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Self::from_object(&object),
            Ok(other) => {
                let mut errors = Vec::new();
                collect(None, &other, &mut errors);
                Self {
                    errors: FieldErrors(errors),
                    is_json: true,
                    ..Self::default()
                }
            }
            Err(_) => Self {
                errors: FieldErrors(foreign_text(body).into_iter().collect()),
                ..Self::default()
            },
        }
    }

    fn from_object(object: &Map<String, Value>) -> Self {
        let mut errors = Vec::new();
        if let Some(message) = object.get("message") {
            collect(None, message, &mut errors);
        } else if let Some(error) = object.get("error") {
            collect(None, error, &mut errors);
        }
        if let Some(description) = object.get("error_description") {
            collect(None, description, &mut errors);
        }
        let scopes = object
            .get("scope")
            .and_then(Value::as_str)
            .map(|scopes| scopes.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default();
        Self {
            errors: FieldErrors(errors),
            scopes,
            is_json: true,
            is_no_endpoint: object.get("error").and_then(Value::as_str) == Some("404 Not Found"),
        }
    }
}

fn collect(field: Option<&str>, value: &Value, errors: &mut Vec<FieldError>) {
    match value {
        Value::Null => {}
        Value::String(text) => match inspected_hash(text) {
            Some(inner) if field.is_none() => errors.extend(inner),
            _ => errors.push(field_error(field, text)),
        },
        Value::Array(items) => {
            for item in items {
                collect(field, item, errors);
            }
        }
        Value::Object(object) => {
            for (key, item) in object {
                // `{"message": {"error": text}}` is the shape of the application's own limiter:
                // there the key is no parameter.
                let field = if key == "error" {
                    field
                } else {
                    Some(key.as_str())
                };
                collect(field, item, errors);
            }
        }
        other => errors.push(field_error(field, &other.to_string())),
    }
}

fn field_error(field: Option<&str>, text: &str) -> FieldError {
    FieldError {
        field: field.map(str::to_owned),
        text: text.to_owned(),
    }
}

/// Reads the Ruby-inspected hash in `Failed to save group {:path=>["has already been taken"]}`
/// (GitLab `lib/api/groups.rb`); Ruby 3.4 and later print `{path: ["has already been taken"]}`.
fn inspected_hash(text: &str) -> Option<Vec<FieldError>> {
    let (before, hash) = text.split_once('{')?;
    if !before.trim_end().ends_with("group") {
        return None;
    }
    let mut errors = Vec::new();
    let mut rest = hash;
    while let Some((key, after)) = rest.split_once('[') {
        let key = key.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let (list, after) = after.split_once("\"]")?;
        errors.extend(
            list.trim_start_matches('"')
                .split("\", \"")
                .map(|text| field_error(Some(key), text)),
        );
        rest = after;
    }
    (!errors.is_empty()).then_some(errors)
}

fn foreign_text(body: &[u8]) -> Option<FieldError> {
    let text = String::from_utf8_lossy(body);
    let text = match text.trim_start() {
        page if page.starts_with('<') => {
            element(page, "title").map_or_else(|| text_of_page(page), text_of_page)
        }
        plain => plain.to_owned(),
    };
    let text: String = text.trim().chars().take(LONGEST_FOREIGN_TEXT).collect();
    (!text.is_empty()).then(|| field_error(None, &text))
}

/// Returns what is in the first element of a name that has no attributes.
fn element<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    // Has the same length, so that positions are those of the page.
    let lower = page.to_ascii_lowercase();
    let (before, rest) = lower.split_once(&format!("<{name}>"))?;
    let start = before.len() + name.len() + "<>".len();
    let (inside, _) = rest.split_once(&format!("</{name}>"))?;
    page.get(start..start + inside.len())
}

/// Returns the text of a page in one line, without tags, comments, styles and scripts.
fn text_of_page(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let lower = after.to_ascii_lowercase();
        let end = [
            ("!--", "-->"),
            ("style", "</style>"),
            ("script", "</script>"),
        ]
        .into_iter()
        .find_map(|(start, end)| lower.starts_with(start).then_some(end));
        let end = end.unwrap_or(">");
        let skipped = lower.find(end).map(|at| at + end.len());
        rest = skipped.and_then(|at| after.get(at..)).unwrap_or_default();
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Vec<(Option<String>, String)> {
        let FieldErrors(errors) = ErrorBody::parse(body.as_bytes()).errors;
        errors
            .into_iter()
            .map(|error| (error.field, error.text))
            .collect()
    }

    fn at(field: &str, text: &str) -> (Option<String>, String) {
        (Some(field.into()), text.into())
    }

    fn plain(text: &str) -> (Option<String>, String) {
        (None, text.into())
    }

    #[test]
    fn every_shape_of_message_is_read() {
        assert_eq!(
            parsed(r#"{"message":"404 Not found"}"#),
            [plain("404 Not found")]
        );
        assert_eq!(
            parsed(r#"{"message":{"name":["is bad","is long"],"path":["is taken"]}}"#),
            [
                at("name", "is bad"),
                at("name", "is long"),
                at("path", "is taken")
            ]
        );
        assert_eq!(
            parsed(r#"{"message":["one","two"]}"#),
            [plain("one"), plain("two")]
        );
        assert_eq!(
            parsed(r#"{"message":{"error":"Too many."}}"#),
            [plain("Too many.")]
        );
        assert_eq!(
            parsed(r#"{"error":"name is missing"}"#),
            [plain("name is missing")]
        );
        assert_eq!(
            parsed(r#"{"error":["Your project limit is 5"]}"#),
            [plain("Your project limit is 5")]
        );
        assert_eq!(
            parsed(r#"{"message":"Invalid json","error":"Invalid json"}"#),
            [plain("Invalid json")]
        );
        assert_eq!(parsed("{}"), []);
        assert_eq!(parsed(""), []);
    }

    #[test]
    fn the_hash_in_a_group_error_is_read_in_both_spellings_of_ruby() {
        let expected = [at("path", "has already been taken"), at("name", "is bad")];
        assert_eq!(
            parsed(
                r#"{"message":"Failed to save group {:path=>[\"has already been taken\"], :name=>[\"is bad\"]}"}"#
            ),
            expected
        );
        assert_eq!(
            parsed(
                r#"{"message":"Failed to save group {path: [\"has already been taken\"], name: [\"is bad\"]}"}"#
            ),
            expected
        );
        assert_eq!(parsed(r#"{"message":"odd {thing"}"#), [plain("odd {thing")]);
    }

    #[test]
    fn the_description_and_the_scopes_of_the_oauth_layer_are_read() {
        let body = ErrorBody::parse(
            br#"{"error":"insufficient_scope","error_description":"More is needed.","scope":"api read_api"}"#,
        );
        assert_eq!(body.scopes, ["api", "read_api"]);
        assert!(body.errors.contain_any(&["more is needed"]));
        assert!(body.errors.contain_any(&["insufficient_scope"]));
    }

    #[test]
    fn a_proxy_page_yields_its_title_and_plain_text_its_beginning() {
        assert_eq!(
            parsed("<html><title>502 Bad Gateway</title><body>x</body></html>"),
            [plain("502 Bad Gateway")]
        );
        assert_eq!(parsed("Retry later\n"), [plain("Retry later")]);
        assert_eq!(parsed(&"x".repeat(900)).concat_len(), 200);
        assert!(!ErrorBody::parse(b"Retry later\n").is_json);
    }

    #[test]
    fn a_page_without_a_title_yields_its_text_without_markup() {
        let page = "<!DOCTYPE html>\n<HTML><head><style>h1 { color: red }</style></head>\n<!-- <b> --><body class=\"e\"><h1>502</h1>\n<p>Whoops, GitLab is\ntaking too long.</p><script>if (1 < 2) {}</script></body></HTML>";
        assert_eq!(
            parsed(page),
            [plain("502 Whoops, GitLab is taking too long.")]
        );
        assert_eq!(
            parsed("<HTML><TITLE>Bad <i>Gateway</i></TITLE>"),
            [plain("Bad Gateway")]
        );
        assert_eq!(parsed("<html><body></body></html>"), []);
        assert_eq!(parsed("<html"), []);
        assert_eq!(parsed("1 < 2"), [plain("1 < 2")]);
    }

    trait ConcatLen {
        fn concat_len(&self) -> usize;
    }

    impl ConcatLen for Vec<(Option<String>, String)> {
        fn concat_len(&self) -> usize {
            self.iter().map(|(_, text)| text.len()).sum()
        }
    }
}
