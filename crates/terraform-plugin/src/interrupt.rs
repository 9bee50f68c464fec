//! The ends of work that does not come to its own: the user interrupts the run, or its time is over.

use std::future::Future;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::diagnostics::{Diagnostic, Diagnostics};

/// How long work may go on after the interrupt, to come to a step's end.
const GRACE: Duration = Duration::from_secs(5);

/// Runs work until it ends, or the run was interrupted and the grace is over; `what` is a noun for the work.
pub(crate) async fn until_interrupted<T>(
    what: &str,
    interrupted: &CancellationToken,
    work: impl Future<Output = Result<T, Diagnostics>>,
) -> Result<T, Diagnostics> {
    let stopped = async {
        interrupted.cancelled().await;
        sleep(GRACE).await;
    };
    tokio::select! {
        biased;
        result = work => result,
        () = stopped => Err(Diagnostic::error(
            format!("The {what} was interrupted"),
            "It was stopped on request before it was complete. Run the command again to finish it.",
        )
        .into()),
    }
}

/// The message of work that was stopped at its time limit; `what` is a noun for the work.
pub(crate) fn took_too_long(what: &str, limit: Duration, next_step: &str) -> Diagnostic {
    let limit = humantime::format_duration(limit);
    Diagnostic::error(
        format!("The {what} took longer than {limit}"),
        format!("It was stopped after {limit}. {next_step}"),
    )
}
