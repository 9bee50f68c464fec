//! Programs that tests interrupt must not have inherited that interrupts are ignored.

use std::fs;
use std::sync::Once;

use tokio::signal::unix::{SignalKind, signal};

/// SIGINT in the mask of ignored signals of `/proc/self/status`.
const SIGINT_BIT: u64 = 1 << 1;

/// Lets the programs that this process starts be interrupted, also where it was itself started with
/// SIGINT ignored, as a script does with what it starts in the background: a program inherits what
/// is ignored, and not what is handled.
pub(crate) fn let_programs_be_interrupted() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        if !is_sigint_ignored() {
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        if let Ok(runtime) = runtime {
            // The handler stays after the stream is dropped; nothing waits for it.
            let _handled = runtime.block_on(async { signal(SignalKind::interrupt()).map(drop) });
        }
    });
}

fn is_sigint_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & SIGINT_BIT != 0)
}
