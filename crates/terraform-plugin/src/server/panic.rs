//! What a panic leaves on standard error.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::panic::PanicHookInfo;

/// From now on a panic is reported as Terraform expects it: a line that starts with `panic: `,
/// which makes it show that and what follows to the user (terraform `internal/logging/panic.go`).
/// `provider` names the provider and its version.
pub(super) fn report_panics(provider: String) {
    std::panic::set_hook(Box::new(move |panic| {
        // A report that cannot be written has nowhere else to go.
        let _ = std::io::stderr()
            .lock()
            .write_all(report(&provider, panic).as_bytes());
    }));
}

fn report(provider: &str, panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text");
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let backtrace = Backtrace::capture();
    let backtrace = match backtrace.status() {
        BacktraceStatus::Captured => backtrace.to_string(),
        _ => "set RUST_BACKTRACE=1 for a backtrace\n".to_owned(),
    };
    format!("panic: {message}\n\n{provider} at {place}\n{backtrace}")
}
