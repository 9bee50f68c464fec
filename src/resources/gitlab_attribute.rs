//! Attributes of GitLab's groups and projects.

use terraform_plugin::schema::Validator;

use super::unfinished;
use crate::backends::gitlab::Visibility;

/// GitLab's word for a visibility.
pub(crate) fn visibility_name(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Private => "private",
        Visibility::Internal => "internal",
        Visibility::Public => "public",
    }
}

/// The visibility for GitLab's word; what is none of its words counts as the narrowest.
pub(crate) fn visibility_of(name: &str) -> Visibility {
    match name {
        "public" => Visibility::Public,
        "internal" => Visibility::Internal,
        _ => Visibility::Private,
    }
}

/// Checks the length of a name for people.
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

/// Checks that a description leaves room for the mark of what is unfinished, within `limit` characters.
pub(crate) fn description(limit: usize) -> Validator {
    let longest = limit - unfinished::MARK.len();
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
