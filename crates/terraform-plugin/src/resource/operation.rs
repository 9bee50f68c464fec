//! What an author's code gets beside the values: the client, private state, and a way to report.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::PrivateState;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::interrupt::{took_too_long, until_interrupted};
use crate::value::{Convert, Value};

/// One operation on one object.
pub struct Operation<C> {
    client: Arc<C>,
    /// What is kept about the object beside its attributes; stored when the operation ends, also when it fails.
    pub private: PrivateState,
    warnings: Diagnostics,
    recorded: Option<Value>,
    is_replacement: bool,
    limits: Limits,
}

/// When an operation has to end.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) what: &'static str,
    pub(crate) timeout: Duration,
    pub(crate) interrupted: CancellationToken,
}

/// What is left of an operation.
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

    pub(crate) fn of_replacement(mut self, is_replacement: bool) -> Self {
        self.is_replacement = is_replacement;
        self
    }

    /// What the provider made of its configuration.
    pub fn client(&self) -> &Arc<C> {
        &self.client
    }

    /// Whether a deletion is one half of a replacement, so that what refers to the object will refer to its successor.
    pub fn is_replacement(&self) -> bool {
        self.is_replacement
    }

    /// A token that is cancelled when the user interrupts the run; the operation then has a few seconds left.
    pub fn interrupted(&self) -> &CancellationToken {
        &self.limits.interrupted
    }

    /// Adds a message that does not fail the operation.
    pub fn warn(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.warnings.push(Diagnostic::warning(summary, detail));
    }

    /// Records what is true by now; Terraform stores it if the operation fails later.
    ///
    /// In a creation this marks the object as tainted, so that the next apply replaces it: a creation that can go on
    /// from where it stopped records nothing.
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
    /// Runs an operation until it ends, its time is over, or the user interrupted the run and the grace is over.
    pub(crate) async fn apply<T>(
        self,
        operation: impl Future<Output = Result<T, Diagnostics>>,
    ) -> Result<T, Diagnostics> {
        let Self {
            what,
            timeout,
            interrupted,
        } = self;
        // A limit that lies beyond the clock's range is none.
        let far = Duration::from_secs(60 * 60 * 24 * 365);
        let deadline = Instant::now() + timeout.min(far);
        let limited = until_interrupted(what, &interrupted, operation);
        timeout_at(deadline, limited).await.unwrap_or_else(|_| {
            let next_step = format!(
                "Apply again to finish it, or allow more time: timeouts = {{ {what} = \"…\" }}."
            );
            Err(took_too_long(what, timeout, &next_step).into())
        })
    }
}
