//! Attributes of GitLab's groups and projects.

use nautes_model::name::NameRule;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::schema::Validator;
use terraform_plugin::value::{Known, Path, Tf};

use super::references::invalid_value;
use super::unfinished;
use crate::backends::gitlab::Visibility;
use crate::error_chain::sentence;

/// Returns GitLab's word for a visibility.
pub(crate) fn visibility_name(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Private => "private",
        Visibility::Internal => "internal",
        Visibility::Public => "public",
    }
}

/// Parses GitLab's word for a visibility; an unknown word is the narrowest.
pub(crate) fn parse_visibility(name: &str) -> Visibility {
    match name {
        "public" => Visibility::Public,
        "internal" => Visibility::Internal,
        _ => Visibility::Private,
    }
}

/// Returns what an update sends of an attribute: what the plan changes.
pub(crate) fn planned_value(planned: &Tf<String>, prior: &Tf<String>) -> Option<String> {
    planned.known().filter(|_| planned != prior).cloned()
}

/// Whether a creation may adopt an existing group or project, as far as the plan knows.
pub(crate) fn may_adopt(adopt_existing: &Tf<bool>) -> bool {
    !matches!(adopt_existing, Tf::Null | Known(false))
}

/// The limit that a group sets to the visibility of what is in it, in the words of the message.
pub(crate) struct VisibilityLimit<'a> {
    /// The group with its path: `The parent group acme`.
    pub(crate) group: String,
    /// The owner of the group, in the genitive: `the product's`.
    pub(crate) owner: &'a str,
    /// What is created in it: `project`.
    pub(crate) part: &'a str,
    /// The widest visibility that it allows.
    pub(crate) widest: Visibility,
}

impl VisibilityLimit<'_> {
    /// Checks a wanted visibility; an error is on the attribute `visibility`.
    pub(crate) fn check(&self, wanted: Visibility) -> Result<(), Diagnostics> {
        if wanted <= self.widest {
            return Ok(());
        }
        let Self {
            group,
            owner,
            part,
            widest,
        } = self;
        let (allowed, wanted) = (visibility_name(*widest), visibility_name(wanted));
        let text = format!(
            "{group} is {allowed}, and GitLab allows no {part} in it to be {wanted}. Set visibility to {allowed:?} or less, or raise {owner}."
        );
        let summary = format!("The visibility is above {owner}");
        Err(Diagnostic::error(summary, text)
            .at(&Path::to("visibility"))
            .into())
    }
}

/// The rule for the name of a GitLab object as people see it (`lib/gitlab/regex.rb`).
#[derive(Clone, Copy)]
pub(crate) enum DisplayNameRule {
    Group,
    Project,
}

impl DisplayNameRule {
    fn check(self, name: &str) -> Result<(), String> {
        let (punctuation, listed) = match self {
            Self::Group => (
                ['_', '.', '-', ' ', '(', ')'].as_slice(),
                "`_`, `.`, dashes, spaces and parentheses",
            ),
            Self::Project => (
                ['_', '.', '+', '-', ' '].as_slice(),
                "`_`, `.`, `+`, dashes and spaces",
            ),
        };
        let start = name.chars().next();
        if !start.is_some_and(|first| is_word(first) || first == '_') {
            return Err("GitLab wants it to start with a letter, digit, emoji or `_`.".to_owned());
        }
        match name
            .chars()
            .find(|c| !is_word(*c) && !punctuation.contains(c))
        {
            None => Ok(()),
            Some(refused) => Err(format!(
                "GitLab does not allow {refused:?} in it, only letters, digits, emoji, {listed}."
            )),
        }
    }
}

/// Returns whether a character is a letter, a digit, or in the range that GitLab regards as emoji.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || ('\u{a9}'..='\u{1f9ff}').contains(&character)
}

/// The name and the display name of a GitLab object.
pub(crate) type NameAndDisplayName<'a> = (&'a Tf<String>, &'a Tf<String>);

/// Checks the names that a plan gives to a GitLab object. Those that it has already, GitLab may have accepted under older
/// rules.
pub(crate) fn check_new_names(
    (rule, display_rule): (NameRule, DisplayNameRule),
    (name, display_name): NameAndDisplayName<'_>,
    prior: Option<NameAndDisplayName<'_>>,
) -> Result<(), Diagnostics> {
    let changed = |planned: &Tf<String>, prior: Option<&Tf<String>>| {
        planned.known().filter(|_| prior != Some(planned)).cloned()
    };
    if let Some(changed) = changed(name, prior.map(|prior| prior.0)) {
        let checked = rule.check_new(&changed);
        checked.map_err(|error| invalid_value("name", sentence(&error)))?;
    }
    if let Some(changed) = changed(display_name, prior.map(|prior| prior.1)) {
        let checked = display_rule.check(&changed);
        checked.map_err(|reason| {
            let detail = format!("The display name {changed:?} is not possible: {reason}");
            invalid_value("display_name", detail)
        })?;
    }
    Ok(())
}

/// Checks the length of a display name.
pub(crate) fn display_name() -> Validator {
    Validator::new(
        "Must not be blank, at most 255 characters.",
        |name: &String| {
            let length = name.chars().count();
            if name.trim().is_empty() {
                Err(
                    "The display name is blank. Leave the argument out, or write a name."
                        .to_owned(),
                )
            } else if length > 255 {
                Err(format!(
                    "The display name has {length} characters; at most 255 are possible."
                ))
            } else {
                Ok(())
            }
        },
    )
}

/// Checks that a description leaves room for the mark of an unfinished object, within `limit` characters, and has none.
pub(crate) fn description(limit: usize) -> Validator {
    let longest = limit - unfinished::ROOM;
    let rule = format!("At most {longest} characters.");
    Validator::new(rule, move |description: &String| {
        let length = description.chars().count();
        let unmarked = unfinished::without_mark(description);
        if unmarked != description {
            let mark = description
                .strip_suffix(unmarked)
                .unwrap_or_default()
                .trim_end();
            return Err(format!(
                "The description begins with {mark:?}, with which the provider marks what is half-created or half-deleted. Remove that from the description."
            ));
        }
        if length <= longest {
            Ok(())
        } else {
            Err(format!(
                "The description has {length} characters; at most {longest} are possible."
            ))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_obey_the_rules_of_groups_and_projects() {
        use DisplayNameRule::{Group, Project};
        for (rule, name, is_possible) in [
            (Project, "Bob & Co", false),
            (Group, "Bob & Co", false),
            (Project, "-dash", false),
            (Group, "-dash", false),
            (Project, "Shop (EU)", false),
            (Group, "Shop (EU)", true),
            (Project, "C++", true),
            (Group, "C++", false),
            (Project, "_Été – \u{1f680}", true),
        ] {
            assert_eq!(rule.check(name).is_ok(), is_possible, "{name}");
        }
    }
}
