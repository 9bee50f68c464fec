//! Tells an operation what was planned, by a mark in the planned private state.
//!
//! When an object is replaced, Terraform plans the creation last and passes that plan's private state to the deletion as
//! well. So a deletion with the mark of a creation is part of a replacement. Terraform gives no other hint.

use super::PrivateState;
use crate::diagnostics::{Diagnostic, Diagnostics};

const KEY: &str = ".action";

/// The action that a plan decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PlannedAction {
    Create,
    Update,
    Delete,
}

impl PlannedAction {
    pub(crate) fn store_in(self, mut private: PrivateState) -> Result<PrivateState, Diagnostics> {
        private.set_reserved(KEY, &self).map_err(Diagnostic::bug)?;
        Ok(private)
    }

    /// Removes and returns the mark. It is `None` if the client did not plan, as old ones do for deletions.
    pub(crate) fn take_from(mut private: PrivateState) -> (Option<Self>, PrivateState) {
        (private.take(KEY), private)
    }
}
