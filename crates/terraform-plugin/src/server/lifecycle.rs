//! When the process ends: who may end it, and how long its work may go on.

use std::io;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often the parent is looked for.
#[cfg(unix)]
const PARENT_POLL: Duration = Duration::from_secs(1);

/// Time for calls in flight after `Shutdown`: the host kills the process after two seconds
/// (go-plugin `client.go`).
const GRACE_OF_HOST: Duration = Duration::from_millis(1500);

/// Time for calls in flight when nobody waits for the process to end.
const GRACE_ALONE: Duration = Duration::from_secs(10);

/// Why the process is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The host called `Shutdown`.
    Asked,
    /// The client that started the process is gone. Nobody would ever end the process then.
    Orphaned,
    /// A person stopped a process that was started by hand.
    Interrupted,
}

impl End {
    /// How long calls in flight may go on.
    pub(super) fn grace(self) -> Duration {
        match self {
            Self::Asked => GRACE_OF_HOST,
            Self::Orphaned | Self::Interrupted => GRACE_ALONE,
        }
    }
}

/// Signals taken from the system. While this lives, and after it, they do nothing by themselves.
///
/// A terminal sends an interrupt to every process of its foreground group. Terraform then asks its
/// providers to stop through the protocol and waits for what they have done; a provider that dies
/// at once loses the object that it is making. The same holds for a supervisor that terminates the
/// group.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    /// Takes over interrupts. Must be called inside of the runtime.
    pub(super) fn take() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(windows)]
            interrupt: tokio::signal::windows::ctrl_c()?,
        })
    }

    /// Waits for the next one.
    async fn received(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        self.interrupt.recv().await;
    }
}

/// Waits until a process that a client started has to end.
pub(super) async fn end_with_client(shutdown: &CancellationToken, client: &Parent) -> End {
    tokio::select! {
        () = shutdown.cancelled() => End::Asked,
        () = client.gone() => End::Orphaned,
    }
}

/// Waits until a process that a person started has to end.
pub(super) async fn end_by_hand(shutdown: &CancellationToken, signals: &mut Signals) -> End {
    tokio::select! {
        () = shutdown.cancelled() => End::Asked,
        () = signals.received() => End::Interrupted,
    }
}

/// The process that started this one.
///
/// It is asked after, because Linux would tell of its end by a signal only when the *thread* ends
/// that started the process, and Go moves work between threads.
#[derive(Debug)]
pub(super) struct Parent {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

impl Parent {
    /// To be called before the client is told anything, since it may end at any time from then on.
    pub(super) fn of_this_process() -> Self {
        Self {
            #[cfg(unix)]
            id: rustix::process::getppid(),
        }
    }

    /// Waits until this process has another parent.
    #[cfg(unix)]
    async fn gone(&self) {
        while rustix::process::getppid() == self.id {
            tokio::time::sleep(PARENT_POLL).await;
        }
    }

    /// Windows keeps the id of a parent that is gone, so there is nothing to wait for.
    #[cfg(windows)]
    async fn gone(&self) {
        std::future::pending().await
    }
}
