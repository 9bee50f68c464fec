//! The private state that a plan passes to its operation, with what the framework adds to it.
//!
//! A replacement is planned twice. The second plan is that of a creation: its prior state is null, and its prior private
//! state is the one that the first plan returned. Terraform passes the private state of the second plan to the deletion,
//! and then plans the creation again, without a prior private state. So the second plan notes that it is a creation, by
//! which the deletion knows that it is part of a replacement, and it keeps the private state of the object that is
//! replaced for that deletion.

use super::PrivateState;
use crate::diagnostics::{Diagnostic, Diagnostics};

const ACTION: &str = ".action";
const REPLACED: &str = ".replaced";

/// The action that a plan decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PlannedAction {
    Create,
    Update,
    Delete,
}

/// The private state of a plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlannedPrivate {
    /// `None` if the client did not plan, as old ones do for deletions.
    pub(crate) action: Option<PlannedAction>,
    /// The private state of the planned object.
    pub(crate) private: PrivateState,
    /// The private state of the object that the planned one replaces.
    pub(crate) replaced: Option<PrivateState>,
}

impl PlannedPrivate {
    pub(crate) fn new(action: PlannedAction, private: PrivateState) -> Self {
        Self {
            action: Some(action),
            private,
            replaced: None,
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let mut private = PrivateState::decode(bytes);
        Self {
            action: private.take(ACTION),
            replaced: private.take(REPLACED),
            private,
        }
    }

    pub(crate) fn encode(mut self) -> Result<Vec<u8>, Diagnostics> {
        if let Some(action) = self.action {
            let set = self.private.set_reserved(ACTION, &action);
            set.map_err(Diagnostic::bug)?;
        }
        if let Some(replaced) = self.replaced {
            let set = self.private.set_reserved(REPLACED, &replaced);
            set.map_err(Diagnostic::bug)?;
        }
        Ok(self.private.encode())
    }

    /// Returns the private state of the object that a creation with this prior private state replaces, if it is one.
    pub(crate) fn into_replaced(self) -> Option<PrivateState> {
        let is_of_object = self.action == Some(PlannedAction::Update) || !self.private.is_empty();
        is_of_object.then_some(self.private)
    }

    /// Returns the private state for the deletion of an object, and whether it is part of a replacement.
    pub(crate) fn into_deletion(self) -> (PrivateState, bool) {
        match self.action {
            Some(PlannedAction::Create) => (self.replaced.unwrap_or_default(), true),
            Some(PlannedAction::Update | PlannedAction::Delete) | None => (self.private, false),
        }
    }
}
