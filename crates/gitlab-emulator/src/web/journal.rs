//! The journal of calls, for tests that count them.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// An API or git call. Tokens and bodies are not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Number of the call, from one; never reused.
    pub number: u64,
    /// The HTTP method.
    pub method: String,
    /// The undecoded path, without the query.
    pub path: String,
    /// The route without `/api/v4`, such as `/projects/{id}`; the service for git; empty for an
    /// unknown route.
    pub route: String,
    /// The query, without tokens.
    pub query: String,
    /// Status of the response; `None` until there is one, and for dropped connections.
    pub status: Option<u16>,
    /// Arrival in milliseconds since 1970.
    pub began_at: i64,
    /// Duration in milliseconds.
    pub took: Option<u64>,
    /// Whether a fault held the response back. The call's effect, if the fault lets it have one,
    /// precedes this.
    pub held: bool,
}

impl JournalEntry {
    /// Returns method and route: `GET /projects/{id}`.
    pub fn call(&self) -> String {
        format!("{} {}", self.method, self.route)
    }
}

/// All calls since the start or the last [`Journal::clear`].
#[derive(Debug, Default)]
pub(crate) struct Journal {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: Vec<JournalEntry>,
    last: u64,
}

impl Journal {
    /// Records a call and returns its number.
    pub(crate) fn begin(&self, mut entry: JournalEntry) -> u64 {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.last += 1;
        entry.number = inner.last;
        inner.entries.push(entry);
        inner.last
    }

    /// Records that the response of a call is held back.
    pub(crate) fn hold(&self, number: u64) {
        self.change(number, |entry| entry.held = true);
    }

    /// Records the end of a call.
    pub(crate) fn end(&self, number: u64, status: Option<u16>, took: u64) {
        self.change(number, |entry| {
            entry.status = status;
            entry.took = Some(took);
        });
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut JournalEntry)) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let position = inner
            .entries
            .binary_search_by_key(&number, |entry| entry.number);
        if let Some(entry) = position
            .ok()
            .and_then(|position| inner.entries.get_mut(position))
        {
            change(entry);
        }
    }

    /// Returns the calls whose number is greater than `number`.
    pub(crate) fn since(&self, number: u64) -> Vec<JournalEntry> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner
            .entries
            .iter()
            .filter(|entry| entry.number > number)
            .cloned()
            .collect()
    }

    /// Removes all calls.
    pub(crate) fn clear(&self) {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entries
            .clear();
    }
}
