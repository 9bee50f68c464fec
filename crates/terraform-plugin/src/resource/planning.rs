//! The context of [`Resource::modify_plan`].

use std::sync::Arc;

use super::{PrivateState, Resource};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::PlanOf;
use crate::value::Path;

/// What a plan does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanKind {
    /// Creates an object, also as part of a replacement.
    Create,
    /// Updates an object or changes nothing.
    Update,
}

/// A plan made from the schema, to be adjusted.
pub struct Planning<'a, R: Resource> {
    /// What the plan does.
    pub kind: PlanKind,
    /// The client, or `None` while the provider's configuration is unknown.
    pub client: Option<&'a Arc<R::Client>>,
    /// The configuration.
    pub config: PlanOf<R::State>,
    /// The prior state.
    pub prior: Option<R::State>,
    /// The planned state. Changes must obey Terraform's rules, which the framework checks.
    pub planned: PlanOf<R::State>,
    /// The private state of the object; empty in the plan of a creation.
    ///
    /// The operation that applies the plan receives it with the changes made here. Terraform plans again before it
    /// applies, so an operation sees the changes of the last plan, and it does not apply a plan that changes no attribute.
    pub private: PrivateState,
    /// The private state of the object that is replaced, as the first plan of the replacement returned it.
    ///
    /// `None` in the plan of an update, of a creation that replaces nothing, and of one that replaces a tainted object. It
    /// is also `None` when Terraform plans the creation again after the deletion, so it must not influence the plan, but
    /// only whether to refuse it.
    pub replaced: Option<PrivateState>,
    pub(super) replace: Vec<Path>,
    pub(super) warnings: &'a mut Diagnostics,
}

impl<R: Resource> Planning<'_, R> {
    /// Requires replacement if the attribute changes.
    pub fn require_replacement(&mut self, path: Path) {
        self.replace.push(path);
    }

    /// Lets a change of the attribute update the object in place.
    pub fn allow_in_place_update(&mut self, path: &Path) {
        self.replace.retain(|replaced| replaced != path);
    }

    /// Returns the attributes whose change currently requires replacement.
    pub fn replacement_paths(&self) -> &[Path] {
        &self.replace
    }

    /// Adds a warning.
    pub fn warn(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.warnings.push(Diagnostic::warning(summary, detail));
    }

    /// Adds a warning about an attribute.
    pub fn warn_at(&mut self, path: &Path, summary: impl Into<String>, detail: impl Into<String>) {
        let warning = Diagnostic::warning(summary, detail);
        self.warnings.push(warning.at(path));
    }
}
