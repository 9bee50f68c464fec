//! The context of an operation: client, private state, warnings and limits.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::PrivateState;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::run::within_limit;
use crate::value::{Convert, Value};

/// One operation on one object.
pub struct Operation<C> {
    client: Arc<C>,
    /// The private state of the object, stored when the operation ends, also if it fails.
    ///
    /// [`Resource::read`](super::Resource::read) can change it only together with an attribute. The change is discarded
    /// otherwise, because `terraform plan -refresh-only` would report a change and show none. The read that completes an
    /// import can always change it.
    pub private: PrivateState,
    warnings: Diagnostics,
    recorded: Option<Value>,
    is_replacement: bool,
    limits: Limits,
}

/// When to stop an operation.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) operation: &'static str,
    pub(crate) timeout: Duration,
    pub(crate) interrupted: CancellationToken,
}

/// What an operation leaves besides its result.
pub(crate) struct Outcome {
    pub(crate) private: PrivateState,
    pub(crate) recorded: Option<Value>,
    pub(crate) diagnostics: Diagnostics,
}

impl<C> Operation<C> {
    pub(crate) fn new(client: Arc<C>, private: PrivateState, limits: Limits) -> Self {
        let (warnings, recorded) = (Diagnostics::default(), None);
        Self {
            client,
            private,
            warnings,
            recorded,
            is_replacement: false,
            limits,
        }
    }

    pub(crate) fn with_replacement(mut self, is_replacement: bool) -> Self {
        self.is_replacement = is_replacement;
        self
    }

    /// Returns the client that the provider's configuration produced.
    pub fn client(&self) -> &Arc<C> {
        &self.client
    }

    /// Returns `true` if a deletion is part of a replacement, so that its referrers will refer to the new object.
    pub fn is_replacement(&self) -> bool {
        self.is_replacement
    }

    /// Returns a token that is cancelled when the user interrupts the run. The operation then has a few seconds left.
    pub fn interrupted(&self) -> &CancellationToken {
        &self.limits.interrupted
    }

    /// Adds a warning.
    pub fn warn(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.warnings.push(Diagnostic::warning(summary, detail));
    }

    /// Records the current state, which Terraform stores if the operation fails or panics later.
    ///
    /// Unknown values keep their prior value, or become null if there is none.
    ///
    /// In a creation this taints the object, so that the next apply replaces it. A creation that can resume records
    /// nothing.
    pub fn record<T: Convert>(&mut self, state: &T) {
        self.recorded = Some(state.to_value());
    }

    pub(crate) fn into_outcome(self, diagnostics: Diagnostics) -> Outcome {
        let mut all = self.warnings;
        all.extend(diagnostics);
        Outcome {
            private: self.private,
            recorded: self.recorded,
            diagnostics: all,
        }
    }
}

impl Limits {
    /// Runs an operation until it ends, its time limit is reached, or the grace period after an interrupt is over.
    pub(crate) async fn run<T>(
        self,
        operation: impl Future<Output = Result<T, Diagnostics>>,
    ) -> Result<T, Diagnostics> {
        let name = self.operation;
        let next_step = format!(
            "Apply again to finish it, or allow more time: timeouts = {{ {name} = \"…\" }}."
        );
        within_limit(name, self.timeout, &self.interrupted, &next_step, operation).await
    }
}
