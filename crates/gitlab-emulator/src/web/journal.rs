//! The journal of calls, for tests that count them.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// One call of the API or of git. Tokens and bodies are not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// The number of the call, counted from one; numbers are never used again.
    pub number: u64,
    /// The HTTP method.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The route, such as `/projects/{id}`, without `/api/v4`; for git its service; empty when there is none.
    pub route: String,
    /// The query without tokens.
    pub query: String,
    /// The status of the answer; `None` while there is none, and for good when the connection was dropped.
    pub status: Option<u16>,
    /// Milliseconds since 1970 at which the call came in.
    pub began_at: i64,
    /// Milliseconds that it took.
    pub took: Option<u64>,
    /// Whether a fault held its answer back; the effect, if there is to be one, was then there already.
    pub held: bool,
}

impl JournalEntry {
    /// Method and route in one text: `GET /projects/{id}`.
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
    /// Enters a call that has come in and gives its number.
    pub(crate) fn begin(&self, mut entry: JournalEntry) -> u64 {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.last += 1;
        entry.number = inner.last;
        inner.entries.push(entry);
        inner.last
    }

    /// Enters that the answer of a call is held back.
    pub(crate) fn hold(&self, number: u64) {
        self.change(number, |entry| entry.held = true);
    }

    /// Enters how a call ended.
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

    /// The calls after a number.
    pub(crate) fn since(&self, number: u64) -> Vec<JournalEntry> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner
            .entries
            .iter()
            .filter(|entry| entry.number > number)
            .cloned()
            .collect()
    }

    /// Forgets all calls.
    pub(crate) fn clear(&self) {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entries
            .clear();
    }
}
