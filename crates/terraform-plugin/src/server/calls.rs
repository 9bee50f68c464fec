//! Runs each call to completion, even if the client disconnects.
//!
//! A server usually drops the work of a disconnected client. Here that could leave a remote object that no state knows
//! of, so calls run in their own tasks. `StopProvider` and the shutdown of the process tell them to stop, and the
//! process waits for them as long as it may.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::NamedService;

/// A gRPC service whose calls are tasks of `work`.
#[derive(Debug, Clone)]
pub(super) struct Tracked<S> {
    pub(super) service: S,
    pub(super) work: TaskTracker,
}

impl<S> Service<Request<Body>> for Tracked<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let task = self.work.spawn(self.service.call(request));
        Box::pin(async move {
            task.await.unwrap_or_else(|_| {
                // A panic that the RPC itself did not catch.
                Ok(Status::internal("the provider failed; its log has the details").into_http())
            })
        })
    }
}

impl<S: NamedService> NamedService for Tracked<S> {
    const NAME: &'static str = S::NAME;
}
