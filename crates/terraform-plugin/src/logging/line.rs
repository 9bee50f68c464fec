//! One log line: the JSON object and its size limit.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// Largest line, newline included. Go readers split lines at 64 KiB and then no part is JSON.
const LIMIT: usize = 63 * 1024;

/// Largest share of a line for the message and for each field, as JSON text.
const SHARE: usize = 16 * 1024;

/// Exactly six digits: the host parses the timestamp by this layout.
const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// What a line says, apart from the free fields.
#[derive(Debug)]
pub(super) struct Head<'a> {
    /// One of `trace`, `debug`, `info`, `warn`, `error`.
    pub(super) level: &'static str,
    pub(super) message: &'a str,
    /// Moment of the event, in UTC.
    pub(super) time: OffsetDateTime,
    /// Dotted path of the module.
    pub(super) module: &'a str,
    /// `file:line`, if known.
    pub(super) caller: Option<&'a str>,
}

/// Writes the line, newline included. Values too long for it are cut, or left out with a note.
pub(super) fn render(head: &Head<'_>, fields: &BTreeMap<&'static str, Value>) -> Vec<u8> {
    let timestamp = head.time.format(TIMESTAMP).unwrap_or_default();
    let mut line = String::with_capacity(256);
    let message = shortened(head.message);
    let fixed = [
        ("@level", Some(head.level)),
        ("@message", Some(message.as_str())),
        ("@timestamp", Some(timestamp.as_str())),
        ("@module", Some(head.module)),
        ("@caller", head.caller),
    ];
    for (name, value) in fixed {
        if let Some(value) = value {
            push(&mut line, name, &json(value));
        }
    }
    let mut left_out = 0;
    for (name, value) in fields {
        let text = match value {
            Value::String(text) => json(&shortened(text)),
            other => other.to_string(),
        };
        if line.len() + name.len() + text.len() > LIMIT - 64 {
            left_out += 1;
        } else {
            push(&mut line, name, &text);
        }
    }
    if left_out > 0 {
        push(&mut line, "fields_left_out", &left_out.to_string());
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

/// `text`, cut until its JSON form fits its share of a line.
fn shortened(text: &str) -> String {
    let mut kept = text;
    while json(kept).len() > SHARE {
        // Halving always makes progress, and escapes inflate a text six times at most.
        let middle = kept.len().min(SHARE) / 2;
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

    fn head(message: &str) -> Head<'_> {
        Head {
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
    fn a_line_has_the_keys_that_hclog_reads() {
        let fields = BTreeMap::from([
            ("attempt", Value::from(2)),
            ("tf_rpc", "ReadResource".into()),
        ]);
        let line = render(&head("hello"), &fields);
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
    fn a_huge_message_is_cut_and_says_so() {
        let line = render(&head(&"x".repeat(1_000_000)), &BTreeMap::new());
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
        fn any_content_gives_one_short_line_of_json(
            message in long_text(),
            values in prop::collection::vec(long_text(), 0..12),
        ) {
            const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
            let count = values.len();
            let fields = NAMES.into_iter().zip(values.into_iter().map(Value::from)).collect();
            let line = render(&head(&message), &fields);
            prop_assert!(line.len() <= LIMIT);
            let object = parse(&line);
            let left_out = object.get("fields_left_out").map_or(0, |it| it.as_u64().unwrap());
            let extra = usize::from(left_out > 0);
            prop_assert_eq!(object.len() - 5 - extra + usize::try_from(left_out).unwrap(), count);
        }
    }
}
