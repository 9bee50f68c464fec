//! Runs an implementation's operations: stops them when the user interrupts the run, and makes every failure an error.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::waiting::run_until;

/// How long an operation may continue after an interrupt, to finish its current step.
const GRACE_PERIOD: Duration = Duration::from_secs(5);

/// Runs `work` until it ends or until the grace period after an interrupt is over. `what` is a noun for the work.
pub(crate) async fn until_interrupted<T>(
    what: &str,
    interrupted: &CancellationToken,
    work: impl Future<Output = Result<T, Diagnostics>>,
) -> Result<T, Diagnostics> {
    let stopped = async {
        interrupted.cancelled().await;
        sleep(GRACE_PERIOD).await;
    };
    let subject = format!("The {what}");
    tokio::select! {
        biased;
        result = guarded(&subject, work) => result,
        () = stopped => Err(Diagnostic::error(
            format!("The {what} was interrupted"),
            "The user interrupted the run before it was complete. Run the command again to finish it.",
        )
        .into()),
    }
}

/// Runs `work`. A panic becomes an error, and so does a failure without one. `subject` names the work in messages.
pub(crate) async fn guarded<T>(
    subject: &str,
    work: impl Future<Output = Result<T, Diagnostics>>,
) -> Result<T, Diagnostics> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Err(diagnostics)) if !diagnostics.has_error() => {
            let bug = format!("{subject} failed, but the provider reported no error");
            let bug = Diagnostic::bug(bug);
            Err(diagnostics.into_iter().chain([bug]).collect())
        }
        Ok(result) => result,
        Err(panic) => {
            let text = panic_text(panic.as_ref());
            Err(Diagnostic::bug(format!("{subject} panicked: {text}")).into())
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

/// Runs `work` until it ends, its time limit is reached, or the grace period after an interrupt is over.
///
/// `what` is a noun for the work, and `next_step` what the user does if it takes too long.
pub(crate) async fn within_limit<T>(
    what: &str,
    limit: Duration,
    interrupted: &CancellationToken,
    next_step: &str,
    work: impl Future<Output = Result<T, Diagnostics>>,
) -> Result<T, Diagnostics> {
    // The clock cannot represent every limit.
    let far = Duration::from_secs(60 * 60 * 24 * 365);
    let deadline = Instant::now() + limit.min(far);
    let limited = run_until(deadline, until_interrupted(what, interrupted, work));
    limited.await.unwrap_or_else(|waited_for| {
        let limit = humantime::format_duration(limit);
        let waited_for =
            waited_for.map_or_else(String::new, |what| format!(", while it waited for {what}"));
        Err(Diagnostic::error(
            format!("The {what} took longer than {limit}"),
            format!("It was stopped after {limit}{waited_for}. {next_step}"),
        )
        .into())
    })
}
