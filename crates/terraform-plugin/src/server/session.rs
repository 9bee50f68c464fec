//! One server, from its handshake to its end.

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
use super::handshake::{AttachText, HandshakeLine, PROVIDER_PROTOCOL};
use super::host::Host;
use super::lifecycle::{self, End, Parent, Signals};
use super::listener::Listener;
use super::tls::ServerIdentity;
use super::{ServeOptions, announce, incoming};
use crate::protocol::plugin::grpc_broker_server::GrpcBrokerServer;
use crate::protocol::plugin::grpc_controller_server::GrpcControllerServer;
use crate::protocol::plugin::grpc_stdio_server::GrpcStdioServer;
use crate::protocol::tfplugin6::provider_server::{Provider, ProviderServer};
use crate::protocol::tfplugin6::stop_provider;

/// Largest message in either direction, as in HashiCorp's servers (terraform-plugin-go
/// `tfprotov6/tf6server/server.go`).
const MESSAGE_LIMIT: usize = 256 << 20;

/// Bytes that a peer may send ahead. The default of HTTP/2 is 64 KiB, which slows large values.
const WINDOW: u32 = 4 << 20;

/// Connections that wait to be served; a client opens one.
const BACKLOG: usize = 8;

/// A service and the socket that it is reached by.
pub(super) struct Session<'a, S> {
    pub(super) options: &'a ServeOptions,
    pub(super) service: Arc<S>,
    pub(super) listener: Listener,
}

impl<S: Provider> Session<'_, S> {
    /// Serves the client that started this process, until it asks for the end or is gone.
    pub(super) async fn serve_client(
        self,
        client: &Parent,
        environment: &Environment,
    ) -> Result<(), Error> {
        let identity = environment
            .client_certificate
            .as_deref()
            .map(ServerIdentity::admitting)
            .transpose()?;
        if !environment.client_speaks(PROVIDER_PROTOCOL) {
            tracing::warn!(
                client_versions = environment.client_versions,
                "the client does not speak protocol {PROVIDER_PROTOCOL}"
            );
        }
        announce(&HandshakeLine {
            address: &self.listener.address(),
            certificate: identity
                .as_ref()
                .map(|identity| identity.certificate.as_ref()),
            refuse_multiplexing: environment.reads_multiplex_field,
        })?;
        let shutdown = CancellationToken::new();
        let end = lifecycle::end_with_client(&shutdown, client);
        self.serve_until(end, &shutdown, identity.map(|identity| identity.config))
            .await
    }

    /// Serves any number of commands, until a person stops this process.
    pub(super) async fn serve_by_hand(self, mut signals: Signals) -> Result<(), Error> {
        announce(&AttachText {
            provider: self.options.address,
            version: self.options.version,
            address: &self.listener.address(),
            process: std::process::id(),
        })?;
        let shutdown = CancellationToken::new();
        let end = lifecycle::end_by_hand(&shutdown, &mut signals);
        self.serve_until(end, &shutdown, None).await
    }

    async fn serve_until(
        self,
        end: impl Future<Output = End>,
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
        let (admitted, connections) = mpsc::channel(BACKLOG);
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
            // First, because the server ends by itself once it has been asked to.
            biased;
            end = end => end,
            outcome = &mut server => return outcome.map_err(Error::Serve),
            never = incoming::accept(&self.listener, tls, admitted) => match never {},
        };
        tracing::debug!(reason = ?end, "ending");
        shutdown.cancel();
        let finished = async {
            // Its answer has no content, and nobody asked for it.
            let _ = self
                .service
                .stop_provider(Request::new(stop_provider::Request {}))
                .await;
            work.close();
            tokio::join!(server, work.wait())
        };
        if let Ok((outcome, ())) = timeout(end.grace(), finished).await {
            outcome.map_err(Error::Serve)
        } else {
            tracing::warn!(calls = work.len(), "ending while calls are in flight");
            Ok(())
        }
    }
}
