//! Common behaviour of RPCs: tracing spans, logging, responses to failures, and panics as diagnostics.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug, error, error_span, warn};

use super::ProviderService;
use super::in_flight::Entry;
use super::response::RpcResponse;
use crate::diagnostics::{Diagnostics, Severity};
use crate::kind::Kind;
use crate::provider::Provider;
use crate::run::guarded;
use crate::schema::Attributes;
use crate::value::Value;

/// A request and its implementation.
pub(super) trait Rpc<P: Provider>: Send + Sized {
    type Response: RpcResponse;
    const NAME: &'static str;
    /// The kind that the request is about. The RPC is unimplemented in a provider that has none of it.
    const KIND: Option<Kind> = None;
    /// Whether it is an operation of a run, whose response can carry what the provider reports at the end.
    const IS_OPERATION: bool = false;

    /// Returns the type name that the request is about.
    #[expect(
        clippy::unnecessary_literal_bound,
        reason = "implementations borrow from the request"
    )]
    fn subject(&self) -> &str {
        ""
    }

    /// Returns the response to a failed request, which keeps everything that existed before.
    fn failure_response(&self) -> Self::Response {
        Self::Response::default()
    }

    fn handle(
        self,
        service: &ProviderService<P>,
    ) -> impl Future<Output = Result<Self::Response, Diagnostics>> + Send;
}

pub(super) async fn handle<P: Provider, R: Rpc<P>>(
    service: &ProviderService<P>,
    request: R,
) -> R::Response {
    let span = span::<P, R>(&request);
    let started = Instant::now();
    let in_flight = R::IS_OPERATION.then(|| service.in_flight.begin());
    let work = async {
        let mut failure = request.failure_response();
        debug!("received request");
        let mut response = match guarded(R::NAME, request.handle(service)).await {
            Ok(response) => response,
            Err(diagnostics) => {
                log_diagnostics(&diagnostics);
                failure.add_diagnostics(&service.told_causes.shorten(diagnostics));
                failure
            }
        };
        if in_flight.is_some_and(Entry::end_as_last)
            && let Some(client) = service.client()
            && let Some(report) = service.provider.report(&client)
        {
            let report = Diagnostics::from(report);
            log_diagnostics(&report);
            response.add_diagnostics(&report);
        }
        let milliseconds = started.elapsed().as_millis();
        debug!(tf_req_duration_ms = %milliseconds, "served request");
        response
    };
    work.instrument(span).await
}

fn span<P: Provider, R: Rpc<P>>(request: &R) -> Span {
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    // Of the highest level, so that lines of every level have its fields.
    let span = error_span!(
        "rpc",
        tf_rpc = R::NAME,
        tf_req_id = REQUESTS.fetch_add(1, Ordering::Relaxed),
        tf_resource_type = Empty,
        tf_data_source_type = Empty,
        tf_function_name = Empty,
        tf_ephemeral_resource_type = Empty,
        tf_list_resource_type = Empty,
        tf_action_type = Empty,
        tf_object_name = Empty,
        tf_object_id = Empty,
    );
    if let Some(kind) = R::KIND {
        span.record(kind.log_key(), request.subject());
    }
    span
}

/// Adds the name and the id of the object that the request is about to its log lines.
pub(super) fn record_object(attributes: &Attributes, object: &Value) {
    if object.is_null() || object.is_unknown() {
        return;
    }
    for (attribute, field) in [("name", "tf_object_name"), ("id", "tf_object_id")] {
        let is_shown = attributes
            .get(attribute)
            .is_some_and(|found| !found.is_secret());
        if is_shown && let Some(text) = object.attribute(attribute).as_str() {
            Span::current().record(field, text);
        }
    }
}

/// Logs the summaries of diagnostics. Details may contain values, so they are not logged.
pub(super) fn log_diagnostics(diagnostics: &Diagnostics) {
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
