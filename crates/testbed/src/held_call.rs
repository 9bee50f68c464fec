//! Calls whose answer is held back, so that something can happen while they are in flight.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use crate::{Emulator, Error};

/// How long a call may take to arrive.
const LIMIT: Duration = Duration::from_secs(60);

const POLL_INTERVAL: Duration = Duration::from_millis(3);

/// When the answer of a call is held back, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Before its effect, which never comes.
    BeforeEffect,
    /// After its effect, and for ever.
    AfterEffect,
    /// After its effect, for this long.
    For(Duration),
}

/// A call whose answer is or will be held back.
pub struct HeldCall<'a> {
    is_held: Box<dyn Fn() -> Result<bool, Error> + 'a>,
}

impl fmt::Debug for HeldCall<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HeldCall").finish_non_exhaustive()
    }
}

/// One entry of the journal, as far as it matters here.
#[derive(Deserialize)]
struct Entry {
    held: bool,
}

impl Emulator {
    /// Holds back the answer of one call: after `passing` more, the next one.
    pub fn hold_call(&self, passing: usize, hold: Hold) -> Result<HeldCall<'_>, Error> {
        let millis = match hold {
            Hold::BeforeEffect | Hold::AfterEffect => None,
            Hold::For(time) => Some(time.as_millis()),
        };
        let since = self.last_call()?;
        self.inject_fault(&json!({
            "skip": passing,
            "times": 1,
            "after_effect": hold != Hold::BeforeEffect,
            "failure": { "hang": { "millis": millis } },
        }))?;
        Ok(HeldCall::new(move || {
            let journal: Vec<Entry> = self.journal_since(since)?;
            Ok(journal.iter().any(|entry| entry.held))
        }))
    }
}

impl<'a> HeldCall<'a> {
    pub(crate) fn new(is_held: impl Fn() -> Result<bool, Error> + 'a) -> Self {
        Self {
            is_held: Box::new(is_held),
        }
    }

    /// Waits until the answer is held back, or until `is_over` says that the call will not come.
    ///
    /// Returns whether it is held back.
    pub fn wait_until_held(&self, mut is_over: impl FnMut() -> bool) -> Result<bool, Error> {
        let begun = Instant::now();
        loop {
            let was_over = is_over() || begun.elapsed() > LIMIT;
            if (self.is_held)()? {
                return Ok(true);
            }
            if was_over {
                return Ok(false);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}
