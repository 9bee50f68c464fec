//! The services that go-plugin expects besides the provider's own.

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use crate::protocol::plugin::grpc_broker_server::GrpcBroker;
use crate::protocol::plugin::grpc_controller_server::GrpcController;
use crate::protocol::plugin::grpc_stdio_server::GrpcStdio;
use crate::protocol::plugin::{ConnInfo, Empty, StdioData};

/// All three services. `shutdown` is cancelled when the host asks the process to exit.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) shutdown: CancellationToken,
}

#[tonic::async_trait]
impl GrpcController for Host {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.shutdown.cancel();
        Ok(Response::new(Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcStdio for Host {
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        Ok(Response::new(self.idle_stream()))
    }
}

#[tonic::async_trait]
impl GrpcBroker for Host {
    async fn start_stream(
        &self,
        _: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        Ok(Response::new(self.idle_stream()))
    }
}

impl Host {
    /// Returns a stream that stays open without messages until the server shuts down. The host opens two of them with
    /// each connection and logs an error if one is rejected or ends early.
    fn idle_stream<T: Send + 'static>(&self) -> BoxStream<T> {
        Box::pin(stream::pending().take_until(self.shutdown.clone().cancelled_owned()))
    }
}
