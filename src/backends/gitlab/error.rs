//! What can go wrong between this client and GitLab, as one type that callers match on.

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};

/// A call to GitLab that did not succeed.
///
/// [`Error::kind`] tells what to do about it; the display text tells which call failed and what
/// GitLab said. The error that caused it, if there is one, is its source.
#[derive(Debug)]
pub struct Error(Box<Failure>);

#[derive(Debug)]
struct Failure {
    call: Call,
    kind: Kind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The call that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// The URL, without query.
    pub url: String,
    /// GitLab's `X-Request-Id`, by which its administrator finds the call in the logs.
    pub request_id: Option<String>,
}

/// Why a call failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// No connection was made within the limit; the call was certainly not processed.
    Unreachable,
    /// The server's certificate was refused; nothing was sent.
    Untrusted,
    /// The connection broke, or time ran out, after the request was sent; whether it was
    /// processed is not known.
    Interrupted {
        /// Whether it was the time limit of the request.
        timed_out: bool,
    },
    /// 401: the token is missing, unknown, expired or revoked.
    Unauthorized,
    /// 403: the token's scope, or the role of its owner, is too small.
    Forbidden {
        /// The scopes that would do, when GitLab names them.
        scopes: Vec<String>,
    },
    /// 404: absent, or not visible to the owner of the token.
    NotFound,
    /// The name, path or key belongs to something else already.
    Taken,
    /// The path belongs to a project whose deletion is not finished.
    BeingDeleted,
    /// The group or project is marked for deletion already.
    AlreadyMarked,
    /// Another call holds the object at this moment; the same call may succeed shortly.
    Locked,
    /// A commit lost the race for its branch: another commit landed first.
    ReferenceMoved,
    /// A file is not as the commit assumed: changed, created or removed by another writer.
    FileChanged,
    /// 429: too many calls.
    Limited {
        /// How long GitLab asks to wait, when it does.
        wait: Option<Duration>,
        /// Whether the limit counts every call of this client, or only calls of this kind.
        everything: bool,
    },
    /// The request was understood and refused.
    Invalid,
    /// The answer points to another address, which is never followed with the token.
    Redirected {
        /// The address, when the answer names one.
        location: Option<String>,
    },
    /// 5xx: GitLab or a proxy before it failed; whether the call was processed is not known.
    Server {
        /// The HTTP status.
        status: StatusCode,
        /// How long the server asks to wait, when it does.
        wait: Option<Duration>,
    },
    /// The answer was a success, but not of the expected form.
    UnexpectedBody,
    /// The request could not be put together; nothing was sent.
    Unsendable,
}

/// One complaint of GitLab's, with the parameter it is about when the answer tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Complaint {
    /// The parameter, in GitLab's spelling, for example `path`.
    pub field: Option<String>,
    /// The text.
    pub text: String,
}

/// What GitLab said, one complaint after the other; kept as the source of an [`Error`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Complaints(pub Vec<Complaint>);

impl Error {
    /// Makes an error without a source.
    pub(super) fn new(call: Call, kind: Kind) -> Self {
        Self(Box::new(Failure {
            call,
            kind,
            source: None,
        }))
    }

    /// Adds the cause.
    pub(super) fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Why the call failed.
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// The call that failed.
    pub fn call(&self) -> &Call {
        &self.0.call
    }

    /// What GitLab said, with the parameters at fault; empty when it said nothing.
    pub fn complaints(&self) -> &[Complaint] {
        self.0
            .source
            .as_ref()
            .and_then(|source| source.downcast_ref::<Complaints>())
            .map_or(&[], |complaints| &complaints.0)
    }

    /// Whether the call was answered with 404.
    pub fn is_not_found(&self) -> bool {
        *self.kind() == Kind::NotFound
    }

    /// Whether the call may have taken effect although it failed.
    pub fn may_have_happened(&self) -> bool {
        matches!(
            self.kind(),
            Kind::Interrupted { .. } | Kind::Server { .. } | Kind::UnexpectedBody
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call {
            method,
            url,
            request_id,
        } = &self.0.call;
        write!(f, "{method} {url}: {}", self.0.kind)?;
        match request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn std::error::Error + 'static))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => write!(f, "no connection"),
            Self::Untrusted => write!(f, "the server's certificate is not trusted"),
            Self::Interrupted { timed_out: true } => write!(f, "no answer in time"),
            Self::Interrupted { timed_out: false } => write!(f, "the connection broke"),
            Self::Unauthorized => write!(f, "the token was not accepted"),
            Self::Forbidden { scopes } if scopes.is_empty() => write!(f, "not permitted"),
            Self::Forbidden { scopes } => {
                write!(f, "the token lacks a scope, one of {}", scopes.join(", "))
            }
            Self::NotFound => write!(f, "not found, or not visible to the token's owner"),
            Self::Taken => write!(f, "taken already"),
            Self::BeingDeleted => write!(f, "still being deleted"),
            Self::AlreadyMarked => write!(f, "marked for deletion already"),
            Self::Locked => write!(f, "held by another call at this moment"),
            Self::ReferenceMoved => write!(f, "another commit landed first"),
            Self::FileChanged => write!(f, "another writer changed the file"),
            Self::Limited {
                wait: Some(wait), ..
            } => {
                write!(f, "too many calls, asked to wait {} s", wait.as_secs())
            }
            Self::Limited { wait: None, .. } => write!(f, "too many calls"),
            Self::Invalid => write!(f, "refused"),
            Self::Redirected {
                location: Some(location),
            } => {
                write!(f, "answered with the address {location}")
            }
            Self::Redirected { location: None } => write!(f, "moved to another address"),
            Self::Server { status, .. } => write!(f, "the server failed with status {status}"),
            Self::UnexpectedBody => write!(f, "the answer has an unexpected form"),
            Self::Unsendable => write!(f, "the request could not be put together"),
        }
    }
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Complaint { field, text }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            match field {
                Some(field) => write!(f, "{separator}{field} {text}")?,
                None => write!(f, "{separator}{text}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Complaints {}
