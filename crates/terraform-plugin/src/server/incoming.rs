//! Accepts clients and, where asked, makes their connections secure.

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

/// A client that has not finished its TLS handshake by then is turned away.
const TLS_HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Rest after a failure to accept, which is a lack of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An admitted client.
pub(super) struct Connection(Box<dyn Stream>);

/// Where admitted clients wait to be served.
pub(super) type Admitted = mpsc::Sender<io::Result<Connection>>;

/// Accepts clients on `listener`, with TLS if `tls` is given, and hands them to `admitted`. Each one
/// is admitted on its own, so that a stranger who sends nothing cannot keep others out.
pub(super) async fn accept(
    listener: &Listener,
    tls: Option<Arc<rustls::ServerConfig>>,
    admitted: Admitted,
) -> Infallible {
    let tls = tls.map(TlsAcceptor::from);
    loop {
        match listener.accept().await {
            Ok(stream) => {
                tokio::spawn(admit(stream, tls.clone(), admitted.clone()));
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "accepting a client"
                );
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn admit(stream: Box<dyn Stream>, tls: Option<TlsAcceptor>, admitted: Admitted) {
    let connection = match tls {
        None => Connection(stream),
        Some(tls) => match timeout(TLS_HANDSHAKE_LIMIT, tls.accept(stream)).await {
            Ok(Ok(stream)) => Connection(Box::new(stream)),
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "refused a client");
                return;
            }
            Err(_) => {
                tracing::warn!("turned away a client that did not finish its TLS handshake");
                return;
            }
        },
    };
    // Nobody is left to serve the client when the server is ending.
    let _ = admitted.send(Ok(connection)).await;
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
