//! The context of operations on data sources and ephemeral resources.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::diagnostics::{Diagnostics, Warnings};

/// The context of one operation: the client, interrupts and warnings.
pub struct Context<C> {
    client: Arc<C>,
    interrupted: CancellationToken,
    warnings: Warnings,
}

impl<C> Context<C> {
    pub(crate) fn new(client: Arc<C>, interrupted: CancellationToken) -> Self {
        let warnings = Warnings::default();
        Self {
            client,
            interrupted,
            warnings,
        }
    }

    /// Returns the client that the provider's configuration produced.
    pub fn client(&self) -> &Arc<C> {
        &self.client
    }

    /// Returns a token that is cancelled when the user interrupts the run. The operation then has a few seconds left.
    pub fn interrupted(&self) -> &CancellationToken {
        &self.interrupted
    }

    /// Adds a warning.
    pub fn warn(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.warnings.warn(summary, detail);
    }

    /// Returns the warnings.
    pub(crate) fn into_warnings(self) -> Diagnostics {
        self.warnings.into()
    }

    /// Returns the warnings with the errors of a failure.
    pub(crate) fn into_failure(self, errors: Diagnostics) -> Diagnostics {
        self.warnings.with(errors)
    }
}
