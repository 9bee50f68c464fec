//! Which calls fail, and how.

use std::time::Duration;

use crate::{Call, Hold};

/// Calls that fail, and how.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The method of the calls; all methods if none is given.
    pub method: Option<String>,
    /// What their path holds; empty for all paths.
    pub path: String,
    /// How many of them pass before.
    pub skip: usize,
    /// How many of them fail.
    pub times: usize,
    /// What happens to them.
    pub failure: Failure,
}

/// What happens to a call that fails.
#[derive(Debug, Clone)]
pub enum Failure {
    /// It is answered by the proxy, and never reaches the server.
    Answer {
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
    /// It takes effect, but the connection breaks before the answer.
    LoseAnswer,
    /// It reaches the server so much later.
    Delay(Duration),
    /// Its answer is held back.
    Hold(Hold),
}

impl Fault {
    /// All calls fail, for ever.
    pub fn of_all(failure: Failure) -> Self {
        Self {
            method: None,
            path: String::new(),
            skip: 0,
            times: usize::MAX,
            failure,
        }
    }

    /// The next call of a method fails whose path holds a text.
    pub fn of_next(method: &str, path: &str, failure: Failure) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: path.to_owned(),
            times: 1,
            ..Self::of_all(failure)
        }
    }

    /// Counts a call, and tells how it fails, if it does.
    pub(super) fn apply(&mut self, call: &Call) -> Option<Failure> {
        let concerned = self
            .method
            .as_ref()
            .is_none_or(|method| *method == call.method)
            && call.path.contains(&self.path);
        if !concerned || self.times == 0 {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.failure.clone())
    }
}
