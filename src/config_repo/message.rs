//! The message of a commit: which entities it saves and deletes, and the trailer to find it by.

use std::fmt::Write;

use nautes_model::EntityKey;
use uuid::Uuid;

/// The longest first line, by git's convention.
const MAX_SUBJECT: usize = 72;

/// What a commit does to one entity.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum ChangeKind {
    Save,
    Delete,
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

/// Writes the message of a commit. An empty summary is that of an updated kustomization.
pub(super) fn message(summary: &[(ChangeKind, EntityKey)], change_id: ChangeId) -> String {
    let mut lines = summary.iter().map(|(kind, key)| match kind {
        ChangeKind::Save => format!("Save {key}"),
        ChangeKind::Delete => format!("Delete {key}"),
    });
    let mut message = match (lines.next(), summary.len()) {
        (None, _) => "Update kustomization".to_owned(),
        (Some(only), 1) if only.len() <= MAX_SUBJECT => only,
        (Some(first), 1) => format!("Save or delete an entity with a long name\n\n{first}"),
        (Some(first), _) => {
            let count = |wanted| summary.iter().filter(|(kind, _)| *kind == wanted).count();
            let subject = match (count(ChangeKind::Save), count(ChangeKind::Delete)) {
                (saved, 0) => format!("Save {saved} entities"),
                (0, deleted) => format!("Delete {deleted} entities"),
                (saved, deleted) => format!("Save {saved} and delete {deleted} entities"),
            };
            format!("{subject}\n\n{first}")
        }
    };
    for line in lines {
        message.push('\n');
        message.push_str(&line);
    }
    let _ = write!(message, "\n\n{}\n", change_id.trailer());
    message
}

#[cfg(test)]
mod tests {
    use nautes_model::{EntityName, Kind};

    use super::*;

    fn environment(name: &str) -> EntityKey {
        EntityKey::new(Kind::Environment, EntityName::new(name).unwrap())
    }

    #[test]
    fn one_entity_is_named_in_the_first_line() {
        let change_id = ChangeId::new();
        let message = message(&[(ChangeKind::Save, environment("dev"))], change_id);
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
            (ChangeKind::Save, environment("a")),
            (ChangeKind::Delete, environment("b")),
        ];
        let message = message(&summary, ChangeId::new());
        let lines: Vec<_> = message.lines().collect();
        assert_eq!(
            lines[..4],
            [
                "Save 1 and delete 1 entities",
                "",
                "Save environment `a`",
                "Delete environment `b`"
            ]
        );
    }

    #[test]
    fn a_long_name_does_not_make_a_long_first_line() {
        let message = message(
            &[(ChangeKind::Save, environment(&"a".repeat(200)))],
            ChangeId::new(),
        );
        assert!(message.lines().next().unwrap().len() <= MAX_SUBJECT);
    }
}
