//! Why no usable answer came, as one type for all back ends.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};
use http_resilience::RetryReason;

use super::error::ErrorKind;
use super::rate_limiter::RateLimit;
use super::trust::TrustFailure;

/// Why no usable answer came.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// No connection was made; the call was not processed.
    #[error("no connection: {reason}")]
    Unreachable {
        /// Why.
        reason: ConnectFailure,
    },
    /// The server's certificate was refused; nothing was sent.
    #[error("the server's certificate is not trusted: {reason}")]
    Untrusted {
        /// Why.
        reason: TrustFailure,
    },
    /// The server does not speak TLS; nothing was sent.
    #[error("the server does not speak TLS")]
    NotTls,
    /// The connection broke, or time ran out, after the request was sent; whether it was processed is
    /// unknown.
    #[error("{}", if *timed_out { "no answer in time" } else { "the connection broke" })]
    Interrupted {
        /// Whether time ran out.
        timed_out: bool,
    },
    /// The server has not answered any call for a while, so calls fail at once.
    #[error(
        "the server has not answered since {}, so calls fail at once; a probe runs every few seconds",
        humantime::format_rfc3339_seconds(*since)
    )]
    CircuitOpen {
        /// When the first call went unanswered.
        since: SystemTime,
        /// Why calls fail: [`Self::Unreachable`] or [`Self::Interrupted`].
        cause: Arc<TransportError>,
    },
    /// 429: too many calls.
    #[error("too many calls{limit}{}", requested(*wait))]
    Limited {
        /// The limit that is used up.
        limit: RateLimit,
        /// How long the server asks to wait, if it does.
        wait: Option<Duration>,
    },
    /// The answer points to another address, which is never followed with a token.
    #[error("the answer redirects to {}", shown_location(location.as_deref()))]
    Redirected {
        /// The address, if the answer names one.
        location: Option<String>,
    },
    /// 5xx: the server or a proxy in front of it failed; whether the call was processed is unknown.
    #[error("the server failed with status {status}")]
    Server {
        /// The HTTP status.
        status: StatusCode,
        /// How long the server asks to wait, if it does.
        wait: Option<Duration>,
    },
    /// The answer is not one of the API: a success of another form, or an error page of something else.
    #[error("the answer has an unexpected form")]
    UnexpectedBody,
    /// The answer is larger than anything that the call expects; it was not read to its end.
    #[error("the answer is too large")]
    TooLarge,
    /// The request could not be built; nothing was sent.
    #[error("the request could not be built")]
    Unsendable,
}

/// Why no connection was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConnectFailure {
    /// The name of the host has no address.
    #[error("the host name cannot be resolved")]
    Unresolved,
    /// Nothing listens on the port.
    #[error("the connection was refused")]
    Refused,
    /// Time ran out.
    #[error("connecting took too long")]
    TimedOut,
    /// Anything else.
    #[error("the network failed")]
    Other,
}

fn requested(wait: Option<Duration>) -> String {
    wait.map(|wait| format!(", asked to wait {} s", wait.as_secs()))
        .unwrap_or_default()
}

fn shown_location(location: Option<&str>) -> &str {
    let without_query = location.and_then(|location| location.split(['?', '#']).next());
    without_query.unwrap_or("another address")
}

impl TransportError {
    /// Returns the redirection that an answer asks for.
    pub(in crate::backends) fn redirected(headers: &HeaderMap) -> Self {
        let location = headers.get(http::header::LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        Self::Redirected {
            location: location.map(str::to_owned),
        }
    }

    /// Returns the failure that opened the circuit, or this one.
    pub fn cause(&self) -> &Self {
        match self {
            Self::CircuitOpen { cause, .. } => cause,
            other => other,
        }
    }

    pub(super) fn may_have_happened(&self) -> bool {
        matches!(
            self,
            Self::Interrupted { .. } | Self::Server { .. } | Self::UnexpectedBody | Self::TooLarge
        )
    }

    /// Whether the server has shown that it is there, although the attempt failed.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(
            self,
            Self::Unreachable { .. } | Self::Interrupted { .. } | Self::CircuitOpen { .. }
        )
    }

    /// Returns the wait that the server asks for.
    pub(super) fn requested_wait(&self) -> Option<Duration> {
        match self {
            Self::Limited { wait, .. } | Self::Server { wait, .. } => *wait,
            _ => None,
        }
    }
}

impl ErrorKind for TransportError {
    fn transport(&self) -> Option<&Self> {
        Some(self)
    }

    fn retry_reason(&self) -> Option<RetryReason> {
        match self {
            Self::Unreachable { .. } => Some(RetryReason::Unreachable),
            Self::Interrupted { .. } => Some(RetryReason::Interrupted),
            Self::Limited { .. } => Some(RetryReason::Limited),
            Self::Server { .. } => Some(RetryReason::ServerFailure),
            _ => None,
        }
    }
}
