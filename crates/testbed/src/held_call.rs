//! Calls whose response is held, so that a test can act while they are in flight.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use crate::{Emulator, Error};

/// How long a call may take to arrive.
const LIMIT: Duration = Duration::from_secs(60);

const POLL_INTERVAL: Duration = Duration::from_millis(3);

/// When a call is held, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Forever, before the call takes effect.
    BeforeEffect,
    /// Forever, after the call has taken effect.
    AfterEffect,
    /// For a time, after the call has taken effect.
    For(Duration),
}

/// A call that is or will be held.
pub struct HeldCall<'a> {
    is_held: Box<dyn Fn() -> Result<bool, Error> + 'a>,
}

impl fmt::Debug for HeldCall<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HeldCall").finish_non_exhaustive()
    }
}

/// An entry of the journal, with the field that is used here.
#[derive(Deserialize)]
struct Entry {
    held: bool,
}

impl Emulator {
    /// Holds one call: the next one after `skip` others.
    pub fn hold_call(&self, skip: usize, hold: Hold) -> Result<HeldCall<'_>, Error> {
        let millis = match hold {
            Hold::BeforeEffect | Hold::AfterEffect => None,
            Hold::For(time) => Some(time.as_millis()),
        };
        let since = self.last_call()?;
        self.inject_fault(&json!({
            "skip": skip,
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

    /// Waits until the call is held, or until `is_over` returns that it will not arrive.
    ///
    /// Returns whether the call is held.
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
