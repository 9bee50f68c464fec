//! The grammar of GitLab's error bodies, which come in many shapes (GitLab `lib/api/helpers.rb`,
//! `lib/api/api.rb`, `lib/api/api_guard.rb`, and `Rack::Attack`'s plain text).

use serde_json::{Map, Value};

use super::error::{Complaint, Complaints};

/// Longest text that is taken over from a body that is not JSON, such as a proxy's error page.
const LONGEST_FOREIGN_TEXT: usize = 200;

/// An error body, reduced to what matters.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Refusal {
    /// Everything that was said.
    pub(super) complaints: Complaints,
    /// The scopes that the OAuth layer names in an `insufficient_scope` error.
    pub(super) scopes: Vec<String>,
    /// Whether the body was JSON, so that it came from GitLab itself.
    pub(super) structured: bool,
}

impl Refusal {
    /// Reads a body; one that cannot be understood yields its beginning as the text.
    pub(super) fn parse(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Self::from_object(&object),
            Ok(other) => {
                let mut complaints = Vec::new();
                collect(None, &other, &mut complaints);
                Self {
                    complaints: Complaints(complaints),
                    scopes: Vec::new(),
                    structured: true,
                }
            }
            Err(_) => Self {
                complaints: Complaints(foreign_text(body).into_iter().collect()),
                scopes: Vec::new(),
                structured: false,
            },
        }
    }

    fn from_object(object: &Map<String, Value>) -> Self {
        let mut complaints = Vec::new();
        if let Some(message) = object.get("message") {
            collect(None, message, &mut complaints);
        } else if let Some(error) = object.get("error") {
            collect(None, error, &mut complaints);
        }
        if let Some(description) = object.get("error_description") {
            collect(None, description, &mut complaints);
        }
        let scopes = object
            .get("scope")
            .and_then(Value::as_str)
            .map(|scopes| scopes.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default();
        Self {
            complaints: Complaints(complaints),
            scopes,
            structured: true,
        }
    }

    /// Whether some complaint contains one of the phrases, whatever the case.
    pub(super) fn says_any(&self, phrases: &[&str]) -> bool {
        self.complaints.0.iter().any(|complaint| {
            let text = complaint.text.to_lowercase();
            phrases
                .iter()
                .any(|phrase| text.contains(&phrase.to_lowercase()))
        })
    }
}

fn collect(field: Option<&str>, value: &Value, complaints: &mut Vec<Complaint>) {
    match value {
        Value::Null => {}
        Value::String(text) => match inspected_hash(text) {
            Some(inner) if field.is_none() => complaints.extend(inner),
            _ => complaints.push(complaint(field, text)),
        },
        Value::Array(items) => {
            for item in items {
                collect(field, item, complaints);
            }
        }
        Value::Object(object) => {
            for (key, item) in object {
                // `{"message": {"error": text}}` is how the application's own limiter speaks:
                // there the key is no parameter.
                let field = if key == "error" {
                    field
                } else {
                    Some(key.as_str())
                };
                collect(field, item, complaints);
            }
        }
        other => complaints.push(complaint(field, &other.to_string())),
    }
}

fn complaint(field: Option<&str>, text: &str) -> Complaint {
    Complaint {
        field: field.map(str::to_owned),
        text: text.to_owned(),
    }
}

/// Reads the Ruby-inspected hash in `Failed to save group {:path=>["has already been taken"]}`
/// (GitLab `lib/api/groups.rb`); Ruby 3.4 and later print `{path: ["has already been taken"]}`.
fn inspected_hash(text: &str) -> Option<Vec<Complaint>> {
    let (before, hash) = text.split_once('{')?;
    if !before.trim_end().ends_with("group") {
        return None;
    }
    let mut complaints = Vec::new();
    let mut rest = hash;
    while let Some((key, after)) = rest.split_once('[') {
        let key = key.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let (list, after) = after.split_once("\"]")?;
        complaints.extend(
            list.trim_start_matches('"')
                .split("\", \"")
                .map(|text| complaint(Some(key), text)),
        );
        rest = after;
    }
    (!complaints.is_empty()).then_some(complaints)
}

fn foreign_text(body: &[u8]) -> Option<Complaint> {
    let text = String::from_utf8_lossy(body);
    let title = text
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map_or(text.as_ref(), |(title, _)| title);
    let text: String = title.trim().chars().take(LONGEST_FOREIGN_TEXT).collect();
    (!text.is_empty()).then(|| complaint(None, &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> Vec<(Option<String>, String)> {
        let Complaints(complaints) = Refusal::parse(body.as_bytes()).complaints;
        complaints
            .into_iter()
            .map(|complaint| (complaint.field, complaint.text))
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
            said(r#"{"message":"404 Not found"}"#),
            [plain("404 Not found")]
        );
        assert_eq!(
            said(r#"{"message":{"name":["is bad","is long"],"path":["is taken"]}}"#),
            [
                at("name", "is bad"),
                at("name", "is long"),
                at("path", "is taken")
            ]
        );
        assert_eq!(
            said(r#"{"message":["one","two"]}"#),
            [plain("one"), plain("two")]
        );
        assert_eq!(
            said(r#"{"message":{"error":"Too many."}}"#),
            [plain("Too many.")]
        );
        assert_eq!(
            said(r#"{"error":"name is missing"}"#),
            [plain("name is missing")]
        );
        assert_eq!(
            said(r#"{"error":["Your project limit is 5"]}"#),
            [plain("Your project limit is 5")]
        );
        assert_eq!(
            said(r#"{"message":"Invalid json","error":"Invalid json"}"#),
            [plain("Invalid json")]
        );
        assert_eq!(said("{}"), []);
        assert_eq!(said(""), []);
    }

    #[test]
    fn the_hash_in_a_group_error_is_read_in_both_spellings_of_ruby() {
        let expected = [at("path", "has already been taken"), at("name", "is bad")];
        assert_eq!(
            said(
                r#"{"message":"Failed to save group {:path=>[\"has already been taken\"], :name=>[\"is bad\"]}"}"#
            ),
            expected
        );
        assert_eq!(
            said(
                r#"{"message":"Failed to save group {path: [\"has already been taken\"], name: [\"is bad\"]}"}"#
            ),
            expected
        );
        assert_eq!(said(r#"{"message":"odd {thing"}"#), [plain("odd {thing")]);
    }

    #[test]
    fn the_oauth_layer_tells_description_and_scopes() {
        let refusal = Refusal::parse(
            br#"{"error":"insufficient_scope","error_description":"More is needed.","scope":"api read_api"}"#,
        );
        assert_eq!(refusal.scopes, ["api", "read_api"]);
        assert!(refusal.says_any(&["more is needed"]));
        assert!(refusal.says_any(&["insufficient_scope"]));
    }

    #[test]
    fn a_proxy_page_yields_its_title_and_plain_text_its_beginning() {
        assert_eq!(
            said("<html><title>502 Bad Gateway</title><body>x</body></html>"),
            [plain("502 Bad Gateway")]
        );
        assert_eq!(said("Retry later\n"), [plain("Retry later")]);
        assert_eq!(said(&"x".repeat(900)).concat_len(), 200);
        assert!(!Refusal::parse(b"Retry later\n").structured);
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
