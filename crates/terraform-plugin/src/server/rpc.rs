//! Runs each call of the client to its end, and logs it.
//!
//! A server usually drops the work for a caller who has gone. Here that would leave a remote object
//! behind that no state knows of: so calls run in tasks of their own. They are told to stop by
//! `StopProvider` and by the end of the process, which waits for them as long as it may.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use http::{Request, Response};
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::NamedService;
use tracing::{Instrument, Span};

use super::handshake::PROVIDER_PROTOCOL;

/// A gRPC service whose calls are tasks of `work`, each in a span with the names that Terraform's
/// own tooling uses: `tf_rpc`, `tf_req_id`, `tf_provider_addr`, `tf_proto_version`.
#[derive(Debug, Clone)]
pub(super) struct Tracked<S> {
    pub(super) service: S,
    pub(super) work: TaskTracker,
    /// Full address of the provider.
    pub(super) provider: Arc<str>,
}

type Outcome = Result<Response<Body>, Infallible>;

impl<S> Service<Request<Body>> for Tracked<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Outcome> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let span = span(&self.provider, request.uri().path());
        let call = span.in_scope(|| self.service.call(request));
        let task = self.work.spawn(timed(call).instrument(span));
        Box::pin(async move {
            task.await.unwrap_or_else(|_| {
                Ok(Status::internal("the provider failed; its log has the details").into_http())
            })
        })
    }
}

impl<S: NamedService> NamedService for Tracked<S> {
    const NAME: &'static str = S::NAME;
}

async fn timed(call: impl Future<Output = Outcome>) -> Outcome {
    let start = Instant::now();
    tracing::trace!("received request");
    let outcome = call.await;
    let tf_req_duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(tf_req_duration_ms, "served request");
    outcome
}

fn span(provider: &str, path: &str) -> Span {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    // The span is of the highest level, so that whatever is logged inside says where it belongs.
    tracing::error_span!(
        "rpc",
        tf_rpc = path.rsplit('/').next(),
        tf_req_id = format!(
            "{}-{}",
            std::process::id(),
            CALLS.fetch_add(1, Ordering::Relaxed)
        ),
        tf_provider_addr = provider,
        tf_proto_version = PROVIDER_PROTOCOL,
    )
}
