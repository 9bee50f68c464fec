//! Faults that tests inject.

use std::sync::{Mutex, PoisonError};

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::{Refusal, Shape, rate_limit_headers};
use crate::domain::time::Moment;

/// A fault, and the calls that it hits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method that it hits; every one when `None`.
    #[serde(default)]
    pub method: Option<String>,
    /// A regular expression for the path as it is sent; every one when `None`.
    #[serde(default)]
    pub path: Option<String>,
    /// How many matching calls pass before the fault hits.
    #[serde(default)]
    pub skip: u64,
    /// How many calls it hits; all when `None`.
    #[serde(default)]
    pub times: Option<u64>,
    /// Whether the call takes effect before the fault hides its answer.
    #[serde(default)]
    pub after_effect: bool,
    /// What happens.
    pub failure: Failure,
}

/// What happens instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// An answer with this status and body; without a body, GitLab's own text for the status.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body.
        #[serde(default)]
        body: Option<Value>,
    },
    /// 429 of `Rack::Attack` with all its headers.
    Throttled {
        /// Seconds after which to come back.
        retry_after: u32,
    },
    /// 429 of the application's limiter, which tells no time.
    Limited,
    /// 503 of an exhausted Gitaly.
    GitalyExhausted,
    /// 409 of a record that somebody else holds.
    ResourceLock,
    /// The connection ends without an answer.
    Drop,
    /// The answer takes this many milliseconds longer; without a number it never comes.
    Hang {
        /// Milliseconds.
        #[serde(default)]
        millis: Option<u64>,
    },
}

impl Failure {
    /// The answer of a failure that has one.
    pub(crate) fn refusal(&self, now: Moment) -> Option<Refusal> {
        Some(match self {
            Self::Answer { status, body } => {
                let status = http::StatusCode::from_u16(*status)
                    .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
                let body = body.clone().unwrap_or_else(|| {
                    let reason = status.canonical_reason().unwrap_or_default();
                    json!({ "message": format!("{} {reason}", status.as_u16()) })
                });
                Refusal::new(status, Shape::Json(body))
            }
            Self::Throttled { retry_after } => {
                let seconds = i64::from(*retry_after);
                let reset = now.plus_millis(seconds * 1000);
                let name = "throttle_authenticated_api";
                let headers = rate_limit_headers(name, 60, 61, 0, reset, Some(seconds));
                Refusal::throttled("Retry later\n", headers)
            }
            Self::Limited => Refusal::too_many(
                "This endpoint has been requested too many times. Try again later.",
            ),
            Self::GitalyExhausted => {
                let text = "Upstream Gitaly has been exhausted. Try again later";
                Refusal::message(http::StatusCode::SERVICE_UNAVAILABLE, text)
                    .with_header(http::header::RETRY_AFTER, "1")
            }
            Self::ResourceLock => Refusal::conflict("409 Conflict: Resource lock"),
            Self::Drop | Self::Hang { .. } => return None,
        })
    }
}

/// Why a fault was not taken.
#[derive(Debug, thiserror::Error)]
#[error("the path of a fault is not a regular expression")]
pub struct FaultError(#[from] regex::Error);

/// The faults that wait for their calls.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Mutex<Vec<Armed>>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    path: Option<Regex>,
}

impl Faults {
    /// Adds a fault; faults that came earlier hit first.
    pub(crate) fn add(&self, fault: Fault) -> Result<(), FaultError> {
        let path = fault.path.as_deref().map(Regex::new).transpose()?;
        self.armed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Armed { fault, path });
        Ok(())
    }

    /// The faults that still wait.
    pub(crate) fn waiting(&self) -> Vec<Fault> {
        let armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.iter().map(|armed| armed.fault.clone()).collect()
    }

    /// Removes all faults.
    pub(crate) fn clear(&self) {
        self.armed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Takes the fault that hits a call.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hit = None;
        for candidate in armed.iter_mut() {
            let fault = &mut candidate.fault;
            let matches = fault
                .method
                .as_deref()
                .is_none_or(|m| m.eq_ignore_ascii_case(method))
                && candidate
                    .path
                    .as_ref()
                    .is_none_or(|regex| regex.is_match(path));
            if !matches {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times = times.saturating_sub(1);
            }
            hit = Some(fault.clone());
            break;
        }
        armed.retain(|armed| armed.fault.times != Some(0));
        hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_the_calls_it_names_and_then_ends() {
        let faults = Faults::default();
        let fault = Fault {
            method: Some("POST".to_owned()),
            path: Some("/commits$".to_owned()),
            skip: 1,
            times: Some(1),
            after_effect: false,
            failure: Failure::Drop,
        };
        faults.add(fault).unwrap();
        assert!(faults.take("GET", "/commits").is_none());
        assert!(faults.take("POST", "/commits").is_none());
        assert_eq!(
            faults.take("POST", "/commits").unwrap().failure,
            Failure::Drop
        );
        assert!(faults.take("POST", "/commits").is_none());
        assert!(faults.waiting().is_empty());
    }
}
