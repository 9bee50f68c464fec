//! Edits the `resources` of a kustomization in place.
//!
//! The edit works on lines, which keeps comments and formatting. Its result is parsed and compared
//! with the intended document; where the text has another form, such as a flow sequence, the
//! document is rendered anew instead, which keeps entries and keys but not comments.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::normalised;
use crate::yaml;

const KEY: &str = "resources:";

/// Returns the text with exactly the wanted entries among our own.
///
/// Other entries and keys are kept, and comments where possible. Returns `None` if the text is not
/// a kustomization.
pub(super) fn with_own_entries(
    text: &str,
    wanted: &BTreeSet<String>,
    is_own: impl Fn(&str) -> bool,
) -> Option<String> {
    let mut document = match yaml::read(text).ok()? {
        Value::Null => json!({}),
        document => document,
    };
    let keys = document.as_object_mut()?;
    let current: Vec<String> = match keys.get("resources") {
        None | Some(Value::Null) => Vec::new(),
        Some(resources) => serde_json::from_value(resources.clone()).ok()?,
    };
    let plan = Plan::new(&current, wanted, is_own);
    let resources = plan.apply(&current);
    if keys.contains_key("resources") || !resources.is_empty() {
        keys.insert("resources".to_owned(), json!(resources));
    }
    edit_lines(text, &current, &plan)
        .filter(|edited| yaml::read(edited).is_ok_and(|result| result == document))
        .or_else(|| Some(yaml::write(&document)))
}

/// What to do with a list of entries.
struct Plan {
    /// For each entry of the list, whether it stays.
    keep: Vec<bool>,
    /// New entries, each with the position of the entry that it comes before; the length of the
    /// list for the end.
    insert: Vec<(usize, String)>,
}

impl Plan {
    /// Keeps the entries in order, and adds new ones in sorted position among our own.
    fn new(current: &[String], wanted: &BTreeSet<String>, is_own: impl Fn(&str) -> bool) -> Self {
        let current: Vec<&str> = current.iter().map(|entry| normalised(entry)).collect();
        let keep = current
            .iter()
            .map(|entry| !is_own(entry) || wanted.contains(*entry))
            .collect();
        let insert = wanted
            .iter()
            .filter(|wanted| !current.contains(&wanted.as_str()))
            .map(|new| {
                let next = current
                    .iter()
                    .position(|entry| is_own(entry) && *entry > new.as_str());
                (next.unwrap_or(current.len()), new.clone())
            })
            .collect();
        Self { keep, insert }
    }

    fn inserted_at(&self, position: usize) -> impl Iterator<Item = &String> {
        self.insert
            .iter()
            .filter(move |(at, _)| *at == position)
            .map(|(_, entry)| entry)
    }

    fn apply(&self, current: &[String]) -> Vec<String> {
        let mut result = Vec::new();
        for (position, (entry, keep)) in current.iter().zip(&self.keep).enumerate() {
            result.extend(self.inserted_at(position).cloned());
            if *keep {
                result.push(entry.clone());
            }
        }
        result.extend(self.inserted_at(current.len()).cloned());
        result
    }
}

/// Applies a plan to the lines of a block sequence. Returns `None` if the text has another form.
fn edit_lines(text: &str, current: &[String], plan: &Plan) -> Option<String> {
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push_str(line_break);
    }
    let found = lines.iter().position(|line| line.starts_with(KEY));
    let header = found.unwrap_or(lines.len());
    if found.is_none() {
        lines.push(format!("{KEY}{line_break}"));
    }
    let items = items(&lines, header);
    if items.len() != current.len() {
        return None;
    }
    let indent = items
        .first()
        .and_then(|line| lines.get(*line))
        .map_or("", |line| indentation(line));
    let new_line = |entry: &String| {
        let scalar = yaml::write(&json!(entry));
        format!("{indent}- {}{line_break}", scalar.trim_end())
    };
    let remains_empty = plan.apply(current).is_empty();
    let last = items.last().copied().unwrap_or(header);
    let mut edited = String::with_capacity(text.len());
    for (number, line) in lines.iter().enumerate() {
        match items.iter().position(|item| *item == number) {
            Some(position) => {
                edited.extend(plan.inserted_at(position).map(new_line));
                if plan.keep.get(position) == Some(&true) {
                    edited.push_str(line);
                }
            }
            None if number == header => edited.push_str(&with_value(line, remains_empty)?),
            None => edited.push_str(line),
        }
        if number == last {
            edited.extend(plan.inserted_at(current.len()).map(new_line));
        }
    }
    Some(edited)
}

/// Returns the header line with an empty list as its value, or with none. Returns `None` if it has
/// another value.
fn with_value(line: &str, is_empty: bool) -> Option<String> {
    let rest = line.strip_prefix(KEY)?;
    let comment_or_break = rest.find(['#', '\r', '\n']).unwrap_or(rest.len());
    let (value, end) = rest.split_at_checked(comment_or_break)?;
    let new_value = if is_empty { " []" } else { "" };
    let separator = if end.starts_with('#') { " " } else { "" };
    match value.replace(' ', "").as_str() {
        "" | "[]" | "null" | "~" => Some(format!("{KEY}{new_value}{separator}{end}")),
        _ => None,
    }
}

/// Returns the line numbers of the items after a header.
fn items(lines: &[String], header: usize) -> Vec<usize> {
    let mut items: Vec<usize> = Vec::new();
    for (number, line) in lines.iter().enumerate().skip(header + 1) {
        let content = line.trim();
        if content.starts_with("- ") {
            items.push(number);
        } else if !content.is_empty() && !content.starts_with('#') {
            break;
        }
    }
    items
}

fn indentation(line: &str) -> &str {
    let content = line.trim_start_matches(' ');
    line.get(..line.len() - content.len()).unwrap_or_default()
}
