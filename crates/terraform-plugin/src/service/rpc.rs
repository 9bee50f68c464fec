//! What every RPC has in common: a span, a log line, failures that keep what exists, and panics that become messages.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::FutureExt as _;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug, debug_span, error, warn};

use super::ProviderService;
use super::answer::Answer;
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::kind::Kind;
use crate::provider::Provider;

/// A request and how it is answered.
pub(super) trait Rpc<P: Provider>: Send + Sized {
    type Response: Answer;
    const NAME: &'static str;
    /// What the request is about; a provider without any of it does not implement the RPC.
    const KIND: Option<Kind> = None;

    /// The name of the one of [`Rpc::KIND`] that the request is about.
    #[expect(
        clippy::unnecessary_literal_bound,
        reason = "implementations borrow from the request"
    )]
    fn subject(&self) -> &str {
        ""
    }

    /// The answer when the RPC fails: whatever existed before is kept.
    fn failure(&self) -> Self::Response {
        Self::Response::default()
    }

    fn answer(
        self,
        service: &ProviderService<P>,
    ) -> impl Future<Output = Result<Self::Response, Diagnostics>> + Send;
}

pub(super) async fn answer<P: Provider, R: Rpc<P>>(
    service: &ProviderService<P>,
    request: R,
) -> R::Response {
    let span = span::<P, R>(&request);
    let started = Instant::now();
    let work = async {
        let mut failure = request.failure();
        debug!("received request");
        let response = match caught(R::NAME, request.answer(service)).await {
            Ok(response) => response,
            Err(diagnostics) => {
                log(&diagnostics);
                failure.report(&diagnostics);
                failure
            }
        };
        let milliseconds = started.elapsed().as_millis();
        debug!(tf_req_duration_ms = %milliseconds, "served request");
        response
    };
    work.instrument(span).await
}

fn span<P: Provider, R: Rpc<P>>(request: &R) -> Span {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    let span = debug_span!(
        "rpc",
        tf_rpc = R::NAME,
        tf_req_id = REQUESTS.fetch_add(1, Ordering::Relaxed),
        tf_resource_type = Empty,
        tf_data_source_type = Empty,
        tf_function_name = Empty,
        tf_ephemeral_resource_type = Empty,
        tf_list_resource_type = Empty,
        tf_action_type = Empty,
    );
    if let Some(kind) = R::KIND {
        span.record(kind.log_key(), request.subject());
    }
    span
}

/// Runs authors' code; its panic becomes a message.
pub(super) async fn caught<T>(
    rpc: &str,
    work: impl Future<Output = Result<T, Diagnostics>>,
) -> Result<T, Diagnostics> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(panicked(rpc, panic.as_ref()).into()),
    }
}

fn panicked(rpc: &str, panic: &(dyn Any + Send)) -> Diagnostic {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Diagnostic::defect(format!("{rpc} panicked: {text}"))
}

/// Logs messages to the user: titles alone, since details may quote values.
pub(super) fn log(diagnostics: &Diagnostics) {
    for diagnostic in diagnostics {
        let summary = &diagnostic.summary;
        let attribute = diagnostic
            .path
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        match diagnostic.severity {
            Severity::Error => {
                error!(diagnostic_severity = "ERROR", diagnostic_summary = %summary, diagnostic_attribute = %attribute, "response has an error");
            }
            Severity::Warning => {
                warn!(diagnostic_severity = "WARNING", diagnostic_summary = %summary, diagnostic_attribute = %attribute, "response has a warning");
            }
        }
    }
}
