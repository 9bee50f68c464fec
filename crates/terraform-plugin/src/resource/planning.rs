//! What an author's code sees and may change while an object is planned.

use std::sync::Arc;

use super::{PrivateState, Resource};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::PlanOf;
use crate::value::Path;

/// What is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanKind {
    /// A creation, also the second half of a replacement.
    Create,
    /// An update, or nothing at all.
    Update,
}

/// A plan that the schema has made and an author may adjust.
pub struct Planning<'a, R: Resource> {
    /// What is planned.
    pub kind: PlanKind,
    /// The client; `None` while the provider's configuration is not known.
    pub client: Option<&'a Arc<R::Client>>,
    /// What the user wrote.
    pub config: PlanOf<R::State>,
    /// What exists.
    pub prior: Option<R::State>,
    /// What will exist; changes must obey Terraform's rules, which the framework checks.
    pub planned: PlanOf<R::State>,
    /// What is kept about the object.
    pub private: PrivateState,
    pub(super) replace: Vec<Path>,
    pub(super) warnings: Diagnostics,
}

impl<R: Resource> Planning<'_, R> {
    /// Makes a change of the attribute replace the object.
    pub fn require_replacement(&mut self, path: Path) {
        self.replace.push(path);
    }

    /// Takes back that a change of the attribute replaces the object.
    pub fn keep_object_despite(&mut self, path: &Path) {
        self.replace.retain(|replaced| replaced != path);
    }

    /// The paths whose change replaces the object, so far.
    pub fn replacing(&self) -> &[Path] {
        &self.replace
    }

    /// Adds a message that does not fail the plan.
    pub fn warn(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.warnings.push(Diagnostic::warning(summary, detail));
    }
}
