//! What the plan of a creation says about a GitLab group or project that exists already.

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

/// A group or project that has the path of what is created.
pub(super) struct Existing<'a> {
    /// What it is, with its path: `GitLab group shop`.
    pub(super) object: &'a str,
    /// Its id: `product-2`.
    pub(super) id: String,
    /// Whether the creation adopts it.
    pub(super) is_adopted: bool,
    /// What the creation changes of it: attribute, value found, value planned.
    pub(super) changes: Vec<(&'static str, String, String)>,
}

/// Refuses to adopt what another resource of the same state holds. `object` is its kind and path.
pub(super) fn held(object: &str, id: &str) -> Diagnostics {
    let detail = format!(
        "Another resource of this state is {id}, and with adopt_existing = true this one would be the same object. To give it another address, use a moved block or terraform state mv. If the other one gets another name, apply that first, or remove adopt_existing."
    );
    Diagnostic::error(format!("The {object} is managed already"), detail)
        .at(&Path::to("adopt_existing"))
        .into()
}

impl Existing<'_> {
    /// Returns summary and detail of the warning.
    pub(super) fn warning(&self) -> (String, String) {
        let Self { object, id, .. } = self;
        if !self.is_adopted {
            let detail = format!(
                "The creation will fail. To manage it here, import it (terraform import <address> {id}) or set adopt_existing = true. Otherwise choose another name."
            );
            return (format!("The {object} exists already"), detail);
        }
        let changes = self.changes.iter().map(|(attribute, found, planned)| {
            format!("{attribute} changes from {found:?} to {planned:?}")
        });
        let changes: Vec<String> = changes.collect();
        let changes = if changes.is_empty() {
            "Nothing of it changes".to_owned()
        } else {
            changes.join(", ")
        };
        let detail = format!(
            "It is {id} and is managed here from then on: a destroy deletes it, unless deletion_policy says otherwise. {changes}. What the configuration leaves open stays as it is."
        );
        (format!("The {object} is adopted"), detail)
    }

    /// Records that an attribute that the plan knows differs from what was found.
    pub(super) fn compare(
        &mut self,
        attribute: &'static str,
        found: &str,
        planned: Option<&String>,
    ) {
        if let Some(planned) = planned.filter(|planned| *planned != found) {
            self.changes
                .push((attribute, found.to_owned(), planned.clone()));
        }
    }
}
