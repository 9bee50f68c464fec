//! Faults that tests inject.

use std::sync::{Mutex, PoisonError};

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api_error::{ApiError, ErrorBody, rate_limit_headers};
use crate::domain::time::Moment;

/// A fault, and which calls it hits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method of the calls it hits; `None` for every method.
    #[serde(default)]
    pub method: Option<String>,
    /// A regular expression for the undecoded path; `None` for every path.
    #[serde(default)]
    pub path: Option<String>,
    /// Number of matching calls that pass first.
    #[serde(default)]
    pub skip: u64,
    /// Number of calls it hits; `None` for all.
    #[serde(default)]
    pub times: Option<u64>,
    /// Whether the call takes effect before its response is replaced.
    #[serde(default)]
    pub after_effect: bool,
    /// What the client gets.
    pub failure: Failure,
}

/// What the client gets instead of the response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// This status and body; without a body, GitLab's text for the status.
    Respond {
        /// The HTTP status.
        status: u16,
        /// The body.
        #[serde(default)]
        body: Option<Value>,
    },
    /// 429 of `Rack::Attack` with all its headers.
    Throttled {
        /// Value of `Retry-After` in seconds.
        retry_after: u32,
    },
    /// 429 of the application rate limiter, which has no `Retry-After`.
    Limited,
    /// 503 of an exhausted Gitaly.
    GitalyExhausted,
    /// 409 of a locked record.
    ResourceLock,
    /// The connection closes without a response.
    Drop,
    /// The response is delayed; without a number it never comes.
    Hang {
        /// Milliseconds.
        #[serde(default)]
        millis: Option<u64>,
    },
}

impl Failure {
    /// Returns the error response of a failure that has one.
    pub(crate) fn api_error(&self, now: Moment) -> Option<ApiError> {
        Some(match self {
            Self::Respond { status, body } => {
                let status = http::StatusCode::from_u16(*status)
                    .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
                let body = body.clone().unwrap_or_else(|| {
                    let reason = status.canonical_reason().unwrap_or_default();
                    json!({ "message": format!("{} {reason}", status.as_u16()) })
                });
                ApiError::new(status, ErrorBody::Json(body))
            }
            Self::Throttled { retry_after } => {
                let seconds = i64::from(*retry_after);
                let reset = now.plus_millis(seconds * 1000);
                let name = "throttle_authenticated_api";
                let headers = rate_limit_headers(name, 60, 61, 0, reset, Some(seconds));
                ApiError::throttled("Retry later\n", headers)
            }
            Self::Limited => ApiError::too_many(
                "This endpoint has been requested too many times. Try again later.",
            ),
            Self::GitalyExhausted => {
                let text = "Upstream Gitaly has been exhausted. Try again later";
                ApiError::message(http::StatusCode::SERVICE_UNAVAILABLE, text)
                    .with_header(http::header::RETRY_AFTER, "1")
            }
            Self::ResourceLock => ApiError::conflict("409 Conflict: Resource lock"),
            Self::Drop | Self::Hang { .. } => return None,
        })
    }
}

/// The path of a fault is not a regular expression.
#[derive(Debug, thiserror::Error)]
#[error("the path of the fault is not a regular expression")]
pub struct FaultError(#[from] regex::Error);

/// The pending faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pending: Mutex<Vec<PendingFault>>,
}

#[derive(Debug)]
struct PendingFault {
    fault: Fault,
    path: Option<Regex>,
}

impl Faults {
    /// Adds a fault; earlier faults take precedence.
    pub(crate) fn add(&self, fault: Fault) -> Result<(), FaultError> {
        let path = fault.path.as_deref().map(Regex::new).transpose()?;
        self.pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(PendingFault { fault, path });
        Ok(())
    }

    /// Returns the faults that can still hit a call.
    pub(crate) fn waiting(&self) -> Vec<Fault> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending
            .iter()
            .map(|pending| pending.fault.clone())
            .collect()
    }

    /// Removes all faults.
    pub(crate) fn clear(&self) {
        self.pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Takes the fault that hits a call, if any.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hit = None;
        for candidate in pending.iter_mut() {
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
        pending.retain(|pending| pending.fault.times != Some(0));
        hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_hits_matching_calls_and_ends() {
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
