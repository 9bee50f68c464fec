//! What can go wrong between this client and Vault, as one type that callers match on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};

/// A call to Vault that did not succeed.
///
/// [`Error::kind`] tells what to do about it; the display text tells which call failed and why. The
/// error that caused it, or what Vault said, is its source. Clones are the same failure.
#[derive(Clone, Debug)]
pub struct Error(Arc<Failure>);

#[derive(Debug)]
struct Failure {
    call: Call,
    kind: Kind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The call that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The HTTP method; `LIST` for a listing.
    pub method: Method,
    /// The URL, without query.
    pub url: String,
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
    /// 503: the server is sealed, and stays so until somebody unseals it.
    Sealed,
    /// The login was refused.
    LoginRefused,
    /// The file with the token to log in with cannot be read.
    LoginUnreadable {
        /// The file.
        file: String,
    },
    /// 403, and the token is not known to the server, or may not even look itself up.
    Unauthorized {
        /// The line of a policy that allows the call.
        rule: String,
    },
    /// 403: the token is good, but no policy of it allows the call.
    Forbidden {
        /// The line of a policy that allows the call:
        /// `path "git/data/a/*" { capabilities = ["create", "update"] }`.
        rule: String,
    },
    /// Nothing is mounted where the path leads.
    NoMount {
        /// The mount, for example `git` or `auth/nautes`.
        mount: String,
    },
    /// The mount is not a key-value engine of version 2.
    NotVersioned {
        /// The mount.
        mount: String,
    },
    /// 404: absent.
    NotFound,
    /// The secret is not at the version that the write assumed.
    Conflict,
    /// 400: a mount that was just made is not ready yet; the call was not processed.
    NotReady,
    /// 429: too many calls.
    Limited {
        /// How long Vault asks to wait, when it does.
        wait: Option<Duration>,
    },
    /// The request was understood and refused.
    Invalid,
    /// The answer points to another address, which is never followed.
    Redirected {
        /// The address, when the answer names one.
        location: Option<String>,
    },
    /// 5xx: Vault or a proxy before it failed; whether the call was processed is not known.
    Server {
        /// The HTTP status.
        status: StatusCode,
    },
    /// The answer was a success, but not of the expected form.
    UnexpectedBody,
    /// The request could not be put together; nothing was sent.
    Unsendable,
}

/// What Vault said, one complaint after the other; kept as the source of an [`Error`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Complaints(pub Vec<String>);

impl Error {
    /// Makes an error without a source.
    pub(super) fn new(call: Call, kind: Kind) -> Self {
        Self(Arc::new(Failure {
            call,
            kind,
            source: None,
        }))
    }

    /// Makes an error with its cause.
    pub(super) fn caused_by(
        call: Call,
        kind: Kind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Failure {
            call,
            kind,
            source: Some(source.into()),
        }))
    }

    /// The same failure, whose meaning turned out to be another; what Vault said is kept.
    pub(super) fn as_kind(&self, kind: Kind) -> Self {
        let call = self.0.call.clone();
        match self.complaints() {
            Some(complaints) => Self::caused_by(call, kind, complaints.clone()),
            None => Self::new(call, kind),
        }
    }

    /// Why the call failed.
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// The call that failed.
    pub fn call(&self) -> &Call {
        &self.0.call
    }

    /// What Vault said, if it said anything.
    pub fn complaints(&self) -> Option<&Complaints> {
        self.0.source.as_ref()?.downcast_ref()
    }

    /// Whether Vault's complaints hold a text.
    pub(super) fn says(&self, text: &str) -> bool {
        let mut complaints = self.complaints().into_iter().flat_map(|all| &all.0);
        complaints.any(|complaint| complaint.contains(text))
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
        let Call { method, url } = &self.0.call;
        write!(f, "{method} {url}: {}", self.0.kind)
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
            Self::Sealed => write!(f, "the server is sealed"),
            Self::LoginRefused => write!(f, "the login was refused"),
            Self::LoginUnreadable { file } => write!(f, "{file} cannot be read"),
            Self::Unauthorized { .. } => write!(f, "the token was not accepted"),
            Self::Forbidden { .. } => write!(f, "not permitted"),
            Self::NoMount { mount } => write!(f, "nothing is mounted at {mount}"),
            Self::NotVersioned { mount } => {
                write!(f, "{mount} is not a key-value engine of version 2")
            }
            Self::NotFound => write!(f, "not found"),
            Self::Conflict => write!(f, "another writer changed the secret"),
            Self::NotReady => write!(f, "the mount is not ready yet"),
            Self::Limited { wait: Some(wait) } => {
                write!(f, "too many calls, asked to wait {} s", wait.as_secs())
            }
            Self::Limited { wait: None } => write!(f, "too many calls"),
            Self::Invalid => write!(f, "refused"),
            Self::Redirected {
                location: Some(location),
            } => write!(f, "answered with the address {location}"),
            Self::Redirected { location: None } => write!(f, "moved to another address"),
            Self::Server { status } => write!(f, "the server failed with status {status}"),
            Self::UnexpectedBody => write!(f, "the answer has an unexpected form"),
            Self::Unsendable => write!(f, "the request could not be put together"),
        }
    }
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.join("; "))
    }
}

impl std::error::Error for Complaints {}
