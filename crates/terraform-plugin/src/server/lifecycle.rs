//! The end of the process: its reasons, and how long calls in flight may continue.

use std::io;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The interval between checks for the parent process.
#[cfg(unix)]
const PARENT_POLL: Duration = Duration::from_secs(1);

/// The time for calls in flight after `Shutdown`. The host kills the process after two seconds (go-plugin `client.go`).
const HOST_GRACE_PERIOD: Duration = Duration::from_millis(1500);

/// The time for calls in flight if nothing waits for the process to exit.
const DETACHED_GRACE_PERIOD: Duration = Duration::from_secs(10);

/// Why the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShutdownReason {
    /// The host called `Shutdown`.
    Requested,
    /// The client that started the process has exited, so nothing else would end the process.
    Orphaned,
    /// The user interrupted a process in debug mode.
    Interrupted,
}

impl ShutdownReason {
    /// Returns how long calls in flight may continue.
    pub(super) fn grace_period(self) -> Duration {
        match self {
            Self::Requested => HOST_GRACE_PERIOD,
            Self::Orphaned | Self::Interrupted => DETACHED_GRACE_PERIOD,
        }
    }
}

/// Signal handlers that keep interrupts and termination requests from ending the process, also after they are dropped.
///
/// A terminal sends an interrupt to every process of its foreground group. Terraform then stops its providers through
/// the protocol and waits for their results. A provider that exits immediately loses the object that it is creating.
/// The same applies to a supervisor that terminates the process group.
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
    /// Installs the handlers. Must be called inside the runtime.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(windows)]
            interrupt: tokio::signal::windows::ctrl_c()?,
        })
    }

    /// Waits for the next signal.
    async fn recv(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        self.interrupt.recv().await;
    }
}

/// Waits until a process that a client started has to exit.
pub(super) async fn wait_for_client(
    shutdown: &CancellationToken,
    client: &Parent,
) -> ShutdownReason {
    tokio::select! {
        () = shutdown.cancelled() => ShutdownReason::Requested,
        () = client.gone() => ShutdownReason::Orphaned,
    }
}

/// Waits until a process in debug mode has to exit.
pub(super) async fn wait_for_user(
    shutdown: &CancellationToken,
    signals: &mut Signals,
) -> ShutdownReason {
    tokio::select! {
        () = shutdown.cancelled() => ShutdownReason::Requested,
        () = signals.recv() => ShutdownReason::Interrupted,
    }
}

/// The parent process.
///
/// It is polled, because Linux signals the end of the *thread* that started a process, and Go moves work between
/// threads.
#[derive(Debug)]
pub(super) struct Parent {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

impl Parent {
    /// Returns the parent of this process. Must be called before the handshake, since the client may exit any time after.
    pub(super) fn current() -> Self {
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

    /// Never returns: Windows keeps the id of a parent that has exited.
    #[cfg(windows)]
    async fn gone(&self) {
        std::future::pending().await
    }
}
