//! Tells the read that completes an import, by a mark in the private state.
//!
//! Terraform reads an object right after its import, with the same RPC as in a refresh. Nothing is stored before that
//! read, so it may change the private state even if it changes no attribute.

use super::PrivateState;
use crate::diagnostics::{Diagnostic, Diagnostics};

const KEY: &str = ".imported";

/// Marks the private state of an imported object.
pub(crate) fn add_import_mark(mut private: PrivateState) -> Result<PrivateState, Diagnostics> {
    private.set_reserved(KEY, &true).map_err(Diagnostic::bug)?;
    Ok(private)
}

/// Removes the mark, and returns `true` if there was one.
pub(crate) fn take_import_mark(private: &mut PrivateState) -> bool {
    private.take(KEY).unwrap_or(false)
}
