//! The message of a commit: which entities it saves and deletes, and the trailer to find it by.

use std::fmt::{self, Write};

use nautes_model::Kind;
use uuid::Uuid;

/// The longest first line, by git's convention.
const MAX_SUBJECT: usize = 72;

/// What a commit does to one entity.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum ChangeKind {
    Save,
    Delete,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Save => "Save",
            Self::Delete => "Delete",
        })
    }
}

/// The id of a batch, written into the messages of its commits.
///
/// When the outcome of a commit is unknown, the branch is searched for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ChangeId(Uuid);

impl ChangeId {
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// Whether a message has this id.
    pub(super) fn is_in(self, message: &str) -> bool {
        let trailer = self.trailer();
        message.lines().any(|line| line.trim_end() == trailer)
    }

    fn trailer(self) -> String {
        format!("Change-Id: {}", self.0)
    }
}

/// What a commit does to an entity, in the words of its message.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct SummaryLine {
    pub(super) change: ChangeKind,
    pub(super) kind: Kind,
    /// The name that users know: of a code repository that of its GitLab project.
    pub(super) name: String,
}

impl fmt::Display for SummaryLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { change, kind, name } = self;
        write!(f, "{change} {kind} `{name}`")
    }
}

/// Lists what a commit does, for a log line.
pub(super) fn listed(summary: &[SummaryLine]) -> String {
    let lines: Vec<_> = summary.iter().map(ToString::to_string).collect();
    lines.join(", ")
}

/// Writes the message of a commit. An empty summary is that of an updated kustomization.
pub(super) fn message(
    prefix: Option<&str>,
    summary: &[SummaryLine],
    change_id: ChangeId,
) -> String {
    let mut message = match prefix {
        Some(prefix) if prefix.ends_with(char::is_whitespace) => prefix.to_owned(),
        Some(prefix) => format!("{prefix} "),
        None => String::new(),
    };
    message.push_str(&subject(summary));
    message.push_str("\n\n");
    if !is_named_in_subject(summary) {
        for line in summary {
            let _ = writeln!(message, "{line}");
        }
        message.push('\n');
    }
    let _ = writeln!(message, "{}", change_id.trailer());
    message
}

fn subject(summary: &[SummaryLine]) -> String {
    match summary {
        [] => "Update kustomization".to_owned(),
        [only] if is_named_in_subject(summary) => only.to_string(),
        _ => {
            let parts = [ChangeKind::Save, ChangeKind::Delete].map(|change| count(summary, change));
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            let mut subject = parts.join(" and ");
            if let Some(first) = subject.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            subject
        }
    }
}

fn is_named_in_subject(summary: &[SummaryLine]) -> bool {
    match summary {
        [] => true,
        [only] => only.to_string().len() <= MAX_SUBJECT,
        _ => false,
    }
}

/// Counts the entities to which a commit does the same: `save 2 environments`.
fn count(summary: &[SummaryLine], change: ChangeKind) -> Option<String> {
    let kinds: Vec<_> = summary
        .iter()
        .filter(|line| line.change == change)
        .map(|line| line.kind)
        .collect();
    let first = kinds.first()?;
    let noun = match kinds.len() {
        1 => first.noun(),
        _ if kinds.iter().all(|kind| kind == first) => first.plural_noun(),
        _ => "entities",
    };
    let verb = change.to_string().to_lowercase();
    Some(format!("{verb} {} {noun}", kinds.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(change: ChangeKind, kind: Kind, name: &str) -> SummaryLine {
        let name = name.to_owned();
        SummaryLine { change, kind, name }
    }

    fn save(name: &str) -> SummaryLine {
        line(ChangeKind::Save, Kind::Environment, name)
    }

    #[test]
    fn one_entity_is_named_in_the_first_line() {
        let change_id = ChangeId::new();
        let message = message(None, &[save("dev")], change_id);
        assert!(
            message.starts_with("Save environment `dev`\n\nChange-Id: "),
            "{message}"
        );
        assert!(change_id.is_in(&message));
        assert!(!ChangeId::new().is_in(&message));
    }

    #[test]
    fn several_entities_are_counted_first_and_named_below() {
        let summary = [
            save("a"),
            line(ChangeKind::Delete, Kind::CodeRepo, "checkout"),
        ];
        let message = message(None, &summary, ChangeId::new());
        let lines: Vec<_> = message.lines().collect();
        assert_eq!(
            lines[..5],
            [
                "Save 1 environment and delete 1 code repository",
                "",
                "Save environment `a`",
                "Delete code repository `checkout`",
                "",
            ]
        );
    }

    #[test]
    fn entities_are_counted_in_english() {
        let delete = |kind, name| line(ChangeKind::Delete, kind, name);
        for (summary, expected) in [
            (vec![save("a"), save("b")], "Save 2 environments"),
            (
                vec![
                    delete(Kind::CodeRepo, "a"),
                    delete(Kind::CodeRepo, "b"),
                    delete(Kind::CodeRepo, "c"),
                ],
                "Delete 3 code repositories",
            ),
            (
                vec![save("a"), line(ChangeKind::Save, Kind::Project, "b")],
                "Save 2 entities",
            ),
            (vec![], "Update kustomization"),
        ] {
            assert_eq!(subject(&summary), expected);
        }
    }

    #[test]
    fn a_prefix_comes_before_the_first_line() {
        for (prefix, expected) in [
            ("[skip ci]", "[skip ci] Save environment `dev`\n"),
            ("OPS-1: ", "OPS-1: Save environment `dev`\n"),
        ] {
            let message = message(Some(prefix), &[save("dev")], ChangeId::new());
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn a_long_name_does_not_make_a_long_first_line() {
        let name = "a".repeat(200);
        let message = message(None, &[save(&name)], ChangeId::new());
        assert!(message.starts_with("Save 1 environment\n\n"), "{message}");
        assert!(message.contains(&name), "{message}");
    }
}
