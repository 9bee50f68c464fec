//! Streaming responses: the events that an implementation sends, then its diagnostics.

use std::future::{Future, ready};
use std::pin::Pin;

use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;
use tracing::Instrument as _;

use super::response::RpcResponse;
use super::rpc;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::run::guarded;

type BoxStream<E> = Pin<Box<dyn Stream<Item = Result<E, Status>> + Send>>;

/// An event of a streaming response.
pub(super) trait Event: Sized + Send + 'static {
    /// Returns the final event, or `None` if the end of the stream is enough.
    fn completion(diagnostics: &Diagnostics) -> Option<Self>;
}

/// A streaming response.
pub(super) struct Events<E>(BoxStream<E>);

impl<E: Event> Events<E> {
    /// Returns the events of `work`, which is cancelled when the client stops reading.
    ///
    /// `work` receives the sender of its events, and `event` encodes them.
    pub(super) fn cancelled_on_drop<S, W>(
        rpc: &'static str,
        work: impl FnOnce(mpsc::Sender<S>) -> W,
        event: impl Fn(S) -> E + Send + 'static,
    ) -> Self
    where
        S: Send + 'static,
        W: Future<Output = Result<Diagnostics, Diagnostics>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(1);
        let work = AbortOnDropHandle::new(spawn(rpc, work(sender)));
        Self::new(receiver, work, event)
    }

    /// Returns the events of `work`, which continues if the client stops reading.
    pub(super) fn detached<S, W>(
        rpc: &'static str,
        work: impl FnOnce(mpsc::Sender<S>) -> W,
        event: impl Fn(S) -> E + Send + 'static,
    ) -> Self
    where
        S: Send + 'static,
        W: Future<Output = Result<Diagnostics, Diagnostics>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(1);
        let work = spawn(rpc, work(sender));
        Self::new(receiver, work, event)
    }

    fn new<S: Send + 'static>(
        mut sent: mpsc::Receiver<S>,
        work: impl Future<Output = Result<Diagnostics, JoinError>> + Send + 'static,
        event: impl Fn(S) -> E + Send + 'static,
    ) -> Self {
        let sent = stream::poll_fn(move |context| sent.poll_recv(context));
        let last = async {
            let diagnostics = work.await.unwrap_or_else(|error| {
                Diagnostic::bug(format!("The operation ended unexpectedly: {error}")).into()
            });
            E::completion(&diagnostics)
        };
        let events = sent.map(event).chain(stream::once(last).filter_map(ready));
        Self(Box::pin(events.map(Ok)))
    }

    /// Ends after `count` events that `is_counted` selects.
    pub(super) fn limited(self, count: usize, is_counted: fn(&E) -> bool) -> Self {
        let events = stream::unfold((self.0, count), move |(mut events, count)| async move {
            if count == 0 {
                return None;
            }
            let event = events.next().await?;
            let counted = event.as_ref().is_ok_and(is_counted);
            Some((event, (events, count - usize::from(counted))))
        });
        Self(Box::pin(events))
    }

    pub(super) fn into_stream(self) -> BoxStream<E> {
        self.0
    }
}

fn spawn(
    rpc: &'static str,
    work: impl Future<Output = Result<Diagnostics, Diagnostics>> + Send + 'static,
) -> tokio::task::JoinHandle<Diagnostics> {
    let work = async move {
        let diagnostics = guarded(rpc, work).await.unwrap_or_else(|failed| failed);
        rpc::log_diagnostics(&diagnostics);
        diagnostics
    };
    tokio::spawn(work.in_current_span())
}

impl<E: Event> Default for Events<E> {
    fn default() -> Self {
        Self(Box::pin(stream::empty()))
    }
}

impl<E: Event> RpcResponse for Events<E> {
    fn add_diagnostics(&mut self, diagnostics: &Diagnostics) {
        self.0 = Box::pin(stream::iter(E::completion(diagnostics).map(Ok)));
    }
}
