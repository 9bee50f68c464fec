//! How an operation learns what was planned: a mark in the planned private state.
//!
//! When an object is replaced, Terraform plans the creation last and hands that plan's private state to the deletion
//! too. A deletion that finds the mark of a creation is therefore half of a replacement; nothing else tells it.

use super::PrivateState;
use crate::diagnostics::{Diagnostic, Diagnostics};

const KEY: &str = ".action";

/// What a plan will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PlannedAction {
    Create,
    Update,
    Delete,
}

impl PlannedAction {
    pub(crate) fn mark(self, mut private: PrivateState) -> Result<PrivateState, Diagnostics> {
        private.set(KEY, &self).map_err(Diagnostic::defect)?;
        Ok(private)
    }

    /// Takes the mark out; `None` when the command line did not plan, as old ones do for deletions.
    pub(crate) fn of(mut private: PrivateState) -> (Option<Self>, PrivateState) {
        let action = private.get(KEY);
        private.remove(KEY);
        (action, private)
    }
}
