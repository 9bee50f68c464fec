//! Renders one log line as JSON, within its size limit.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// The largest line, newline included. Go readers split lines at 64 KiB, and the parts are not JSON.
const LIMIT: usize = 63 * 1024;

/// The largest JSON form of the message and of each field.
const VALUE_LIMIT: usize = 16 * 1024;

/// Has exactly six fraction digits, as the host expects.
const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// The fixed fields of a line.
#[derive(Debug)]
pub(super) struct LineHeader<'a> {
    /// One of `trace`, `debug`, `info`, `warn`, `error`.
    pub(super) level: &'static str,
    pub(super) message: &'a str,
    /// The time of the event, in UTC.
    pub(super) time: OffsetDateTime,
    /// The dotted path of the module.
    pub(super) module: &'a str,
    /// `file:line`, if known.
    pub(super) caller: Option<&'a str>,
}

/// Renders the line, newline included. Long values are truncated or omitted, with a note.
pub(super) fn render(header: &LineHeader<'_>, fields: &BTreeMap<&'static str, Value>) -> Vec<u8> {
    let timestamp = header.time.format(TIMESTAMP).unwrap_or_default();
    let mut line = String::with_capacity(256);
    let message = truncate(header.message);
    let fixed = [
        ("@level", Some(header.level)),
        ("@message", Some(message.as_str())),
        ("@timestamp", Some(timestamp.as_str())),
        ("@module", Some(header.module)),
        ("@caller", header.caller),
    ];
    for (name, value) in fixed {
        if let Some(value) = value {
            push(&mut line, name, &json(value));
        }
    }
    let mut omitted = 0;
    for (name, value) in fields {
        let text = match value {
            Value::String(text) => json(&truncate(text)),
            other => other.to_string(),
        };
        if line.len() + name.len() + text.len() > LIMIT - 64 {
            omitted += 1;
        } else {
            push(&mut line, name, &text);
        }
    }
    if omitted > 0 {
        push(&mut line, "fields_omitted", &omitted.to_string());
    }
    line.push_str("}\n");
    line.into_bytes()
}

fn push(line: &mut String, name: &str, value: &str) {
    line.push(if line.is_empty() { '{' } else { ',' });
    line.push_str(&json(name));
    line.push(':');
    line.push_str(value);
}

fn json(text: &str) -> String {
    Value::from(text).to_string()
}

/// Truncates `text` until its JSON form fits into the limit.
fn truncate(text: &str) -> String {
    let mut kept = text;
    while json(kept).len() > VALUE_LIMIT {
        // Halving always makes progress, and escapes inflate a string at most six times.
        let middle = kept.len().min(VALUE_LIMIT) / 2;
        kept = (0..=middle)
            .rev()
            .find_map(|end| kept.get(..end))
            .unwrap_or_default();
    }
    match text.len() - kept.len() {
        0 => text.to_owned(),
        cut => format!("{kept}... ({cut} bytes more)"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    fn header(message: &str) -> LineHeader<'_> {
        LineHeader {
            level: "info",
            message,
            time: datetime!(2026-01-31 12:00:00.5 UTC),
            module: "a.b",
            caller: Some("src/a.rs:7"),
        }
    }

    fn parse(line: &[u8]) -> serde_json::Map<String, Value> {
        let text = std::str::from_utf8(line).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "one line, ended");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_line_has_the_fields_that_hclog_expects() {
        let fields = BTreeMap::from([
            ("attempt", Value::from(2)),
            ("tf_rpc", "ReadResource".into()),
        ]);
        let line = render(&header("hello"), &fields);
        assert_eq!(
            String::from_utf8(line).unwrap(),
            concat!(
                r#"{"@level":"info","@message":"hello","@timestamp":"2026-01-31T12:00:00.500000Z","#,
                r#""@module":"a.b","@caller":"src/a.rs:7","attempt":2,"tf_rpc":"ReadResource"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_huge_message_is_truncated_with_a_note() {
        let line = render(&header(&"x".repeat(1_000_000)), &BTreeMap::new());
        let message = parse(&line)["@message"].as_str().unwrap().to_owned();
        assert!(
            message.ends_with("bytes more)"),
            "{}",
            &message[message.len() - 30..]
        );
        assert!(line.len() < LIMIT);
    }

    fn long_text() -> impl Strategy<Value = String> {
        ("[\u{0}-\u{ff}]{1,3}", 0..9_000_usize).prop_map(|(text, times)| text.repeat(times))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_content_is_one_short_line_of_json(
            message in long_text(),
            values in prop::collection::vec(long_text(), 0..12),
        ) {
            const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
            let count = values.len();
            let fields = NAMES.into_iter().zip(values.into_iter().map(Value::from)).collect();
            let line = render(&header(&message), &fields);
            prop_assert!(line.len() <= LIMIT);
            let object = parse(&line);
            let omitted = object.get("fields_omitted").map_or(0, |it| it.as_u64().unwrap());
            let extra = usize::from(omitted > 0);
            prop_assert_eq!(object.len() - 5 - extra + usize::try_from(omitted).unwrap(), count);
        }
    }
}
