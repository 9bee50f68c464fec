//! Reports panics on standard error.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::panic::PanicHookInfo;

/// Installs a panic hook that starts its report with `panic: `, so that Terraform shows it to the user (terraform
/// `internal/logging/panic.go`). `provider` is the name and version of the provider.
pub(super) fn report_panics(provider: String) {
    std::panic::set_hook(Box::new(move |panic| {
        // If standard error is closed, there is nowhere else to report the panic.
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
        .unwrap_or("unknown panic payload");
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let backtrace = Backtrace::capture();
    let backtrace = match backtrace.status() {
        BacktraceStatus::Captured => backtrace.to_string(),
        _ => "set RUST_BACKTRACE=1 to get a backtrace\n".to_owned(),
    };
    format!("panic: {message}\n\n{provider} at {place}\n{backtrace}")
}
