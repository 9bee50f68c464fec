//! Runs one server from its handshake to its shutdown.

use std::pin::pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Request;
use tonic::transport::Server;

use super::calls::Tracked;
use super::environment::Environment;
use super::error::Error;
use super::handshake::{HandshakeLine, PROVIDER_PROTOCOL, ReattachInstructions};
use super::host::Host;
use super::lifecycle::{self, Parent, ShutdownReason, Signals};
use super::listener::Listener;
use super::tls::ServerIdentity;
use super::{ServeOptions, incoming, write_stdout};
use crate::protocol::plugin::grpc_broker_server::GrpcBrokerServer;
use crate::protocol::plugin::grpc_controller_server::GrpcControllerServer;
use crate::protocol::plugin::grpc_stdio_server::GrpcStdioServer;
use crate::protocol::tfplugin6::provider_server::{Provider, ProviderServer};
use crate::protocol::tfplugin6::stop_provider;

/// The largest message in either direction, as in HashiCorp's servers (terraform-plugin-go
/// `tfprotov6/tf6server/server.go`).
const MESSAGE_LIMIT: usize = 256 << 20;

/// The HTTP/2 flow-control window. The default of 64 KiB slows down large values.
const WINDOW: u32 = 4 << 20;

/// The number of connections that may wait to be served. A client opens one.
const BACKLOG: usize = 8;

/// A service and its socket.
pub(super) struct Session<'a, S> {
    pub(super) options: &'a ServeOptions,
    pub(super) service: Arc<S>,
    pub(super) listener: Listener,
}

impl<S: Provider> Session<'_, S> {
    /// Serves the client that started this process, until it asks for shutdown or exits.
    pub(super) async fn serve_client(
        self,
        client: &Parent,
        environment: &Environment,
    ) -> Result<(), Error> {
        let identity = environment
            .client_certificate
            .as_deref()
            .map(ServerIdentity::new)
            .transpose()?;
        if !environment.client_speaks(PROVIDER_PROTOCOL) {
            tracing::warn!(
                client_versions = environment.client_versions,
                "the client does not support protocol {PROVIDER_PROTOCOL}"
            );
        }
        write_stdout(&HandshakeLine {
            address: &self.listener.address(),
            certificate: identity
                .as_ref()
                .map(|identity| identity.certificate.as_ref()),
            refuse_multiplexing: environment.understands_multiplexing,
        })?;
        let shutdown = CancellationToken::new();
        let end = lifecycle::wait_for_client(&shutdown, client);
        self.serve_until(end, &shutdown, identity.map(|identity| identity.config))
            .await
    }

    /// Serves any number of commands, until the user interrupts the process.
    pub(super) async fn serve_debug(self, mut signals: Signals) -> Result<(), Error> {
        write_stdout(&ReattachInstructions {
            provider: self.options.address,
            version: self.options.version,
            address: &self.listener.address(),
            process: std::process::id(),
        })?;
        let shutdown = CancellationToken::new();
        let end = lifecycle::wait_for_user(&shutdown, &mut signals);
        self.serve_until(end, &shutdown, None).await
    }

    async fn serve_until(
        self,
        end: impl Future<Output = ShutdownReason>,
        shutdown: &CancellationToken,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Result<(), Error> {
        let work = TaskTracker::new();
        let provider = ProviderServer::from_arc(Arc::clone(&self.service))
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        let host = Host {
            shutdown: shutdown.clone(),
        };
        let (sender, connections) = mpsc::channel(BACKLOG);
        let mut server = pin!(
            Server::builder()
                .initial_connection_window_size(WINDOW)
                .initial_stream_window_size(WINDOW)
                .add_service(Tracked {
                    service: provider,
                    work: work.clone()
                })
                .add_service(GrpcControllerServer::new(host.clone()))
                .add_service(GrpcStdioServer::new(host.clone()))
                .add_service(GrpcBrokerServer::new(host))
                .serve_with_incoming_shutdown(
                    ReceiverStream::new(connections),
                    shutdown.cancelled(),
                )
        );
        let end = tokio::select! {
           // Checked first, because the server also ends after a shutdown request.
            biased;
            end = end => end,
            outcome = &mut server => return outcome.map_err(Error::Serve),
            never = incoming::accept(&self.listener, tls, sender) => match never {},
        };
        tracing::debug!(reason = ?end, "shutting down");
        shutdown.cancel();
        let finished = async {
            // The response is empty.
            let _ = self
                .service
                .stop_provider(Request::new(stop_provider::Request {}))
                .await;
            work.close();
            tokio::join!(server, work.wait())
        };
        if let Ok((outcome, ())) = timeout(end.grace_period(), finished).await {
            outcome.map_err(Error::Serve)
        } else {
            tracing::warn!(calls = work.len(), "shut down while calls are in flight");
            Ok(())
        }
    }
}
