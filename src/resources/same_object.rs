//! Whether an object in GitLab is the one in the state, and not another one with its number: on
//! another GitLab, or after a restored backup.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Tf;

use crate::moment::is_same_moment;

/// An object in the state beside the one that GitLab has under its number.
pub(crate) struct Sameness<'a> {
    /// What the state describes, with name and id: `the product shop (product-2)`.
    pub(crate) expected: String,
    /// What GitLab has: `the group people`.
    pub(crate) found: String,
    /// When the one in the state was created; an older version of the provider did not store it.
    pub(crate) created_at: &'a Tf<String>,
    /// When the one in GitLab was created.
    pub(crate) found_created_at: &'a str,
}

impl Sameness<'_> {
    /// Refuses an object that was created at another moment than the one in the state.
    pub(crate) fn check(&self) -> Result<(), Diagnostics> {
        match self.created_at.known() {
            Some(created_at) if !is_same_moment(created_at, self.found_created_at) => {
                let (expected, found) = (created_at, self.found_created_at);
                Err(self.refusal(
                    &format!("created at {expected}"),
                    &format!("created at {found}"),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Returns the error of an object that is another one, by what distinguishes the two.
    pub(crate) fn refusal(&self, expected: &str, found: &str) -> Diagnostics {
        let detail = format!(
            "The state describes {}, {expected}. GitLab has {} under this number, {found}, so it is another one, and nothing was changed. Check the provider argument gitlab.url, and whether this state belongs to that GitLab. If it does, take the object out of the state (terraform state rm <address>), then import it or let it be created anew.",
            self.expected, self.found
        );
        let summary = format!("GitLab has another object in place of {}", self.expected);
        Diagnostic::error(summary, detail).into()
    }
}

/// Returns the error of an object that was restored after a plan that took it for deleted. `object`
/// is its kind and path: `The GitLab group shop`.
pub(crate) fn was_restored(object: &str) -> Diagnostics {
    let detail = "The plan removes what was left of it, because it was deleted then. Nothing was changed. Plan again: then the plan shows what it is now.";
    Diagnostic::error(format!("{object} was restored after the plan"), detail).into()
}
