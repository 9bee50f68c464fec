//! The message of a commit: what it does to which entities, and the trailer by which it is found.

use std::fmt::Write;

use nautes_model::EntityKey;
use uuid::Uuid;

/// Longest first line, by the custom of git.
const LONGEST_SUBJECT: usize = 72;

/// What a commit does to one entity.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Deed {
    Save,
    Delete,
}

/// The name of a batch, written into the message of its commits.
///
/// When it is not known whether a commit was made, the branch is searched for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ChangeId(Uuid);

impl ChangeId {
    pub(super) fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// Whether a message carries this name.
    pub(super) fn names(self, message: &str) -> bool {
        let trailer = self.trailer();
        message.lines().any(|line| line.trim_end() == trailer)
    }

    fn trailer(self) -> String {
        format!("Change-Id: {}", self.0)
    }
}

/// Writes the message of a commit. Without deeds it only brings the kustomization up to date.
pub(super) fn message(deeds: &[(Deed, EntityKey)], change_id: ChangeId) -> String {
    let mut lines = deeds.iter().map(|(deed, key)| match deed {
        Deed::Save => format!("Save {key}"),
        Deed::Delete => format!("Delete {key}"),
    });
    let mut message = match (lines.next(), deeds.len()) {
        (None, _) => "Update kustomization".to_owned(),
        (Some(only), 1) if only.len() <= LONGEST_SUBJECT => only,
        (Some(first), 1) => format!("Save or delete an entity with a long name\n\n{first}"),
        (Some(first), _) => {
            let count = |wanted| deeds.iter().filter(|(deed, _)| *deed == wanted).count();
            let subject = match (count(Deed::Save), count(Deed::Delete)) {
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
        let message = message(&[(Deed::Save, environment("dev"))], change_id);
        assert!(
            message.starts_with("Save environment `dev`\n\nChange-Id: "),
            "{message}"
        );
        assert!(change_id.names(&message));
        assert!(!ChangeId::new().names(&message));
    }

    #[test]
    fn several_entities_are_counted_first_and_named_below() {
        let deeds = [
            (Deed::Save, environment("a")),
            (Deed::Delete, environment("b")),
        ];
        let message = message(&deeds, ChangeId::new());
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
            &[(Deed::Save, environment(&"a".repeat(200)))],
            ChangeId::new(),
        );
        assert!(message.lines().next().unwrap().len() <= LONGEST_SUBJECT);
    }
}
