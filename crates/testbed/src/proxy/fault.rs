//! Injected faults.

use std::time::Duration;

use crate::{Call, Hold};

/// A fault: which calls fail, and how.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The method of the calls; `None` for all methods.
    pub method: Option<String>,
    /// A substring of the path; empty for all paths.
    pub path: String,
    /// The number of matching calls that pass first.
    pub skip: usize,
    /// The number of matching calls that fail.
    pub times: usize,
    /// What happens to these calls.
    pub failure: Failure,
}

/// How a call fails.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The proxy responds; the call does not reach the server.
    Respond {
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
    /// The call takes effect, but the proxy responds.
    RespondAfterEffect {
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
    /// The proxy responds with status 429 and the header `Retry-After`; the call does not reach the
    /// server.
    TooManyRequests {
        /// The wait that the header asks for, in whole seconds.
        retry_after: Duration,
    },
    /// The connection is closed without a response; the call does not reach the server.
    DropRequest,
    /// The call takes effect, but the connection is closed without a response.
    DropResponse,
    /// The call reaches the server after a delay.
    Delay(Duration),
    /// The call is held.
    Hold(Hold),
}

impl Fault {
    /// Makes all calls fail.
    pub fn always(failure: Failure) -> Self {
        Self {
            method: None,
            path: String::new(),
            skip: 0,
            times: usize::MAX,
            failure,
        }
    }

    /// Makes the next call with a method and a path fail. `path` is a substring.
    pub fn once(method: &str, path: &str, failure: Failure) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: path.to_owned(),
            times: 1,
            ..Self::always(failure)
        }
    }

    /// Counts a call, and returns how it fails, if it does.
    pub(super) fn apply(&mut self, call: &Call) -> Option<Failure> {
        let matches = self
            .method
            .as_ref()
            .is_none_or(|method| *method == call.method)
            && call.path.contains(&self.path);
        if !matches || self.times == 0 {
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
