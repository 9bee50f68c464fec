//! Says what is going on when it takes long.
//!
//! Messages go to standard error directly, so that the test harness does not hold them back.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Work that is shorter than this needs no message.
const SLOW: Duration = Duration::from_secs(2);

/// The longest silence between two messages about the same work.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// Announces `title`, does the work, and repeats the title with the time used while it is slow.
pub fn step<T>(title: &str, work: impl FnOnce() -> T) -> T {
    say(title);
    when_slow(title, work)
}

/// Does the work in silence, unless it turns out to be slow.
pub fn when_slow<T>(title: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = std::thread::scope(|scope| {
        let (finished, ticks) = mpsc::channel::<()>();
        scope.spawn(move || {
            let mut silence = SLOW;
            while ticks.recv_timeout(silence) == Err(RecvTimeoutError::Timeout) {
                say(&format!(
                    "  {title}: {} s so far",
                    started.elapsed().as_secs()
                ));
                silence = (silence * 2).min(LONGEST_SILENCE);
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

/// Writes one line to standard error, and ignores a closed one: messages are a courtesy.
pub fn say(line: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = if stderr.is_terminal() {
        writeln!(stderr, "\x1b[1m{line}\x1b[0m")
    } else {
        writeln!(stderr, "{line}")
    };
}
