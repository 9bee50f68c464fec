//! Progress messages for slow work.
//!
//! Messages go to standard error directly, because the test harness captures the print macros.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Work that takes longer than this gets messages.
const SLOW: Duration = Duration::from_secs(2);

/// The maximum interval between two messages about the same work.
const MAX_INTERVAL: Duration = Duration::from_secs(15);

/// Prints `title`, does the work, and prints the elapsed time while it is slow.
pub fn step<T>(title: &str, work: impl FnOnce() -> T) -> T {
    say(title);
    when_slow(title, work)
}

/// Does the work, and prints messages only if it is slow.
pub fn when_slow<T>(title: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = std::thread::scope(|scope| {
        let (finished, ticks) = mpsc::channel::<()>();
        scope.spawn(move || {
            let mut interval = SLOW;
            while ticks.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                say(&format!(
                    "  {title}: {} s so far",
                    started.elapsed().as_secs()
                ));
                interval = (interval * 2).min(MAX_INTERVAL);
            }
        });
        let result = work();
        drop(finished);
        result
    });
    if started.elapsed() >= SLOW {
        say(&format!(
            "  {title}: took {:.1} s",
            started.elapsed().as_secs_f32()
        ));
    }
    result
}

/// Prints a line to standard error. Ignores errors.
pub fn say(line: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = if stderr.is_terminal() {
        writeln!(stderr, "\x1b[1m{line}\x1b[0m")
    } else {
        writeln!(stderr, "{line}")
    };
}
