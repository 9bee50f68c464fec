//! What every RPC has in common: a span, a log line, failures that keep what exists, and panics that become messages.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::FutureExt as _;
use tracing::{Instrument as _, debug, debug_span, error, warn};

use super::ProviderService;
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::protocol::tfplugin6 as tf;
use crate::provider::Provider;

/// A request and how it is answered.
pub(super) trait Rpc<P: Provider>: Send + Sized {
    type Response: Send;
    const NAME: &'static str;

    /// The type of resource or data source that the request is about.
    #[expect(
        clippy::unnecessary_literal_bound,
        reason = "implementations borrow from the request"
    )]
    fn type_name(&self) -> &str {
        ""
    }

    /// The answer when the RPC fails: whatever existed before is kept.
    fn failure(&self) -> Self::Response;

    /// Where messages go in the answer.
    fn diagnostics(response: &mut Self::Response) -> Option<&mut Vec<tf::Diagnostic>>;

    fn answer(
        self,
        service: &ProviderService<P>,
    ) -> impl Future<Output = Result<Self::Response, Diagnostics>> + Send;
}

pub(super) async fn answer<P: Provider, R: Rpc<P>>(
    service: &ProviderService<P>,
    request: R,
) -> R::Response {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    let span = debug_span!(
        "rpc",
        tf_rpc = R::NAME,
        tf_req_id = REQUESTS.fetch_add(1, Ordering::Relaxed),
        tf_resource_type = request.type_name(),
    );
    let started = Instant::now();
    let work = async {
        let mut failure = request.failure();
        debug!("received request");
        let (response, diagnostics) = match AssertUnwindSafe(request.answer(service))
            .catch_unwind()
            .await
        {
            Ok(Ok(response)) => (response, Diagnostics::default()),
            Ok(Err(diagnostics)) => (failure, diagnostics),
            Err(panic) => (failure, panicked(R::NAME, panic.as_ref()).into()),
        };
        failure = response;
        if let Some(messages) = R::diagnostics(&mut failure) {
            log(&diagnostics);
            messages.extend(Vec::from(&diagnostics));
        }
        let milliseconds = started.elapsed().as_millis();
        debug!(tf_req_duration_ms = %milliseconds, "served request");
        failure
    };
    work.instrument(span).await
}

fn panicked(rpc: &str, panic: &(dyn std::any::Any + Send)) -> Diagnostic {
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
