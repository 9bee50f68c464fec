//! What a dependency of a Sensor lets through.
//!
//! Argo Events 1.9 transforms an event first and filters it afterwards. The text of a data filter is a regular expression
//! that is searched for, so it is escaped and anchored here. A filter whose path is not in the event lets nothing through,
//! so the transformation makes what filters ask for.

use nautes_model::entity::GitlabEvents;
use nautes_model::revision::Revision;
use serde_json::{Value, json};

use super::event::WebhookEvent;

/// Adds to an event of GitLab the reference of a push, whether it deletes the branch or tag, and the commit.
///
/// A deletion is a push whose new commit is all zeros.
pub(super) const TRANSFORM: &str = r#". + {default: {ref: (if ((.headers["X-Gitlab-Event"][0] // "") | test("^(Tag )?Push Hook$")) then (.body.ref // "") else "" end), deleted: ((.body.after // "") | test("^0+$")), commit: (.body.checkout_sha // .body.object_attributes.last_commit.id // .body.after // "")}}"#;

/// Where [`TRANSFORM`] puts the reference.
pub(super) const REF: &str = "default.ref";

/// Where [`TRANSFORM`] puts the commit.
pub(super) const COMMIT: &str = "default.commit";

/// Returns the filters for the events of a repository.
pub(super) fn filters(gitlab: &GitlabEvents) -> Value {
    let events = gitlab.events.iter();
    let headers: Vec<String> = events
        .filter_map(|name| Some(exactly(WebhookEvent::find(name)?.header)))
        .collect();
    let mut data = vec![
        json!({
            "path": "headers.X-Gitlab-Event.0",
            "type": "string",
            "comparator": "=",
            "value": headers,
        }),
        json!({
            "path": "default.deleted",
            "type": "bool",
            "comparator": "=",
            "value": ["false"],
        }),
    ];
    let revision = gitlab.revision.as_deref().filter(|text| !text.is_empty());
    let script = match revision.map(Revision::from_pattern) {
        None => None,
        Some(Revision::Branch(branch)) => {
            data.push(reference(&format!("refs/heads/{branch}")));
            None
        }
        Some(Revision::Tag(tag)) => {
            data.push(reference(&format!("refs/tags/{tag}")));
            None
        }
        Some(Revision::Pattern(pattern)) => Some(script(&pattern)),
    };
    match script {
        None => json!({ "data": data }),
        Some(script) => json!({ "data": data, "script": script }),
    }
}

fn reference(name: &str) -> Value {
    json!({ "path": REF, "type": "string", "comparator": "=", "value": [exactly(name)] })
}

/// Returns a regular expression that matches a text and nothing else.
fn exactly(text: &str) -> String {
    format!("^{}$", regex::escape(text))
}

/// Returns a Lua script that is true where a pattern is found in the reference, as Nautes does it.
fn script(pattern: &str) -> String {
    format!(
        "return string.match(event.default.ref, {}) ~= nil",
        quoted(pattern)
    )
}

/// Quotes a text for Lua. Bytes other than printable ASCII are written as numbers.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            other => {
                // A number of three digits, so that a digit behind it is not part of it.
                let digits = [other / 100, other / 10 % 10, other % 10];
                quoted.push('\\');
                quoted.extend(digits.map(|digit| char::from(b'0' + digit)));
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_for_lua() {
        assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(quoted("a\nä"), r#""a\010\195\164""#);
    }

    #[test]
    fn a_name_is_matched_as_a_whole() {
        let expression = regex::Regex::new(&exactly("refs/heads/v1.0+a")).unwrap();
        assert!(expression.is_match("refs/heads/v1.0+a"));
        for other in [
            "refs/heads/v1.0+ab",
            "xrefs/heads/v1.0+a",
            "refs/heads/v1x0+a",
        ] {
            assert!(!expression.is_match(other), "{other}");
        }
    }
}
