//! Accepts connections, with TLS if required.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;

use super::listener::{Listener, Stream};

/// The time limit of a TLS handshake.
const TLS_HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// The pause after a failure to accept, usually caused by a lack of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An established connection.
pub(super) struct Connection(Box<dyn Stream>);

/// The channel of established connections.
pub(super) type ConnectionSender = mpsc::Sender<io::Result<Connection>>;

/// Accepts connections on `listener`, with TLS if `tls` is set, and sends them to `connections`. Each one is established
/// in its own task, so that a silent client cannot block others.
pub(super) async fn accept(
    listener: &Listener,
    tls: Option<Arc<rustls::ServerConfig>>,
    connections: ConnectionSender,
) -> Infallible {
    let tls = tls.map(TlsAcceptor::from);
    loop {
        match listener.accept().await {
            Ok(stream) => {
                tokio::spawn(establish(stream, tls.clone(), connections.clone()));
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "failed to accept a connection"
                );
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn establish(
    stream: Box<dyn Stream>,
    tls: Option<TlsAcceptor>,
    connections: ConnectionSender,
) {
    let connection = match tls {
        None => Connection(stream),
        Some(tls) => match timeout(TLS_HANDSHAKE_LIMIT, tls.accept(stream)).await {
            Ok(Ok(stream)) => Connection(Box::new(stream)),
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "rejected a client"
                );
                return;
            }
            Err(_) => {
                tracing::warn!("rejected a client that did not finish its TLS handshake");
                return;
            }
        },
    };
    // The channel is closed while the server shuts down.
    let _ = connections.send(Ok(connection)).await;
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
