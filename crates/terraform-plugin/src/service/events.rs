//! Answers of several messages: what an author's code sends while it works, and what is left to say when it ends.

use std::future::{Future, ready};
use std::pin::Pin;

use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;
use tracing::Instrument as _;

use super::answer::Answer;
use super::rpc;
use crate::diagnostics::{Diagnostic, Diagnostics};

type BoxStream<E> = Pin<Box<dyn Stream<Item = Result<E, Status>> + Send>>;

/// A message of an answer that has several.
pub(super) trait Event: Sized + Send + 'static {
    /// The last message, by which the work ends; `None` where the end of the answer says enough.
    fn last(diagnostics: &Diagnostics) -> Option<Self>;
}

/// An answer of several messages.
pub(super) struct Events<E>(BoxStream<E>);

impl<E: Event> Events<E> {
    /// The messages of work that goes on as long as somebody reads them.
    ///
    /// `work` gets where to send what it finds; `event` makes a message of it.
    pub(super) fn while_read<S, W>(
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
        Self::of(receiver, work, event)
    }

    /// The messages of work that comes to its end in any case.
    pub(super) fn to_the_end<S, W>(
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
        Self::of(receiver, work, event)
    }

    fn of<S: Send + 'static>(
        mut sent: mpsc::Receiver<S>,
        work: impl Future<Output = Result<Diagnostics, JoinError>> + Send + 'static,
        event: impl Fn(S) -> E + Send + 'static,
    ) -> Self {
        let sent = stream::poll_fn(move |context| sent.poll_recv(context));
        let last = async {
            let diagnostics = work.await.unwrap_or_else(|error| {
                Diagnostic::defect(format!("The work ended early: {error}")).into()
            });
            E::last(&diagnostics)
        };
        let events = sent.map(event).chain(stream::once(last).filter_map(ready));
        Self(Box::pin(events.map(Ok)))
    }

    /// The first messages alone.
    pub(super) fn limited(self, count: usize) -> Self {
        Self(Box::pin(self.0.take(count)))
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
        let diagnostics = rpc::caught(rpc, work).await.unwrap_or_else(|failed| failed);
        rpc::log(&diagnostics);
        diagnostics
    };
    tokio::spawn(work.in_current_span())
}

impl<E: Event> Default for Events<E> {
    fn default() -> Self {
        Self(Box::pin(stream::empty()))
    }
}

impl<E: Event> Answer for Events<E> {
    fn report(&mut self, diagnostics: &Diagnostics) {
        self.0 = Box::pin(stream::iter(E::last(diagnostics).map(Ok)));
    }
}
