//! Attributes of GitLab's groups and projects.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::schema::Validator;
use terraform_plugin::value::{Known, Path, Tf};

use super::unfinished;
use crate::backends::gitlab::Visibility;

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

/// Checks the length of a display name.
pub(crate) fn display_name() -> Validator {
    Validator::new(
        "Must not be empty, at most 255 characters.",
        |name: &String| {
            let length = name.chars().count();
            if (1..=255).contains(&length) {
                Ok(())
            } else {
                Err(format!(
                    "The name has {length} characters; GitLab takes 1 to 255."
                ))
            }
        },
    )
}

/// Checks that a description leaves room for the mark of an unfinished object, within `limit` characters.
pub(crate) fn description(limit: usize) -> Validator {
    let longest = limit - unfinished::UNFINISHED.len();
    let rule = format!("At most {longest} characters.");
    Validator::new(rule, move |description: &String| {
        let length = description.chars().count();
        if length <= longest {
            Ok(())
        } else {
            Err(format!(
                "The description has {length} characters; at most {longest} are possible."
            ))
        }
    })
}
