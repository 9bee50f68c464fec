//! A failed call, as one type for all back ends.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, Method};
use http_resilience::{CircuitError, OpenCircuit, RetryReason};

use super::transport_error::TransportError;

/// The cause of an error, or the errors in the body of an answer.
type Source = Arc<dyn std::error::Error + Send + Sync>;

/// A call that did not succeed.
///
/// Callers match on [`Error::kind`]; the display text names the call and why it failed. Its source
/// is the error that caused it, or the errors in the body of the answer. Clones share the failure.
#[derive(Clone, Debug)]
pub struct Error<K>(Arc<Failure<K>>);

#[derive(Clone, Debug)]
struct Failure<K> {
    call: Call,
    kind: K,
    /// Whether an earlier attempt of the same call may have taken effect.
    uncertain: bool,
    source: Option<Source>,
}

/// The call that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The HTTP method, or `LIST` for a listing in Vault.
    pub method: Method,
    /// The URL, without query.
    pub url: String,
    /// The server's `X-Request-Id`, by which its administrator finds the call in the logs.
    pub request_id: Option<String>,
}

/// What the errors of a back end are sorted by.
pub trait ErrorKind:
    std::error::Error + Clone + From<TransportError> + Send + Sync + 'static
{
    /// Returns the failure of the transport, if it is one.
    fn transport(&self) -> Option<&TransportError>;

    /// Returns why the same call may succeed later, if it may.
    fn retry_reason(&self) -> Option<RetryReason> {
        self.transport()?.retry_reason()
    }
}

/// One error in the body of an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldError {
    /// The parameter in the API's spelling, such as `path`, if the answer names it.
    pub field: Option<String>,
    /// The text.
    pub text: String,
}

/// All errors in the body of an answer; kept as the source of an [`Error`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::backends) struct FieldErrors(pub(in crate::backends) Vec<FieldError>);

impl Call {
    pub(in crate::backends) fn new(method: Method, url: &url::Url) -> Self {
        let mut shown = url.clone();
        shown.set_query(None);
        Self {
            method,
            url: shown.into(),
            request_id: None,
        }
    }

    /// Adds the request id of an answer, if it has one.
    pub(in crate::backends) fn answered_with(&self, headers: &HeaderMap) -> Self {
        let id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
        Self {
            request_id: id.map(str::to_owned),
            ..self.clone()
        }
    }
}

impl<K> Error<K> {
    /// Makes an error without a source.
    pub(in crate::backends) fn new(call: Call, kind: impl Into<K>) -> Self {
        Self::with_source(call, kind, None)
    }

    /// Makes an error with its cause.
    pub(in crate::backends) fn caused_by(
        call: Call,
        kind: impl Into<K>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::with_source(call, kind, Some(Arc::new(source)))
    }

    /// Makes an error with those in the body of the answer.
    pub(in crate::backends) fn refused(call: Call, kind: impl Into<K>, body: FieldErrors) -> Self {
        let source = (!body.0.is_empty()).then(|| Arc::new(body) as Source);
        Self::with_source(call, kind, source)
    }

    fn with_source(call: Call, kind: impl Into<K>, source: Option<Source>) -> Self {
        Self(Arc::new(Failure {
            call,
            kind: kind.into(),
            uncertain: false,
            source,
        }))
    }

    /// Returns the same failure with another kind.
    pub(in crate::backends) fn with_kind<L>(&self, kind: impl Into<L>) -> Error<L> {
        let failure = &self.0;
        Error(Arc::new(Failure {
            call: failure.call.clone(),
            kind: kind.into(),
            uncertain: failure.uncertain,
            source: failure.source.clone(),
        }))
    }

    /// Returns why the call failed.
    pub fn kind(&self) -> &K {
        &self.0.kind
    }

    /// Returns the call that failed.
    pub fn call(&self) -> &Call {
        &self.0.call
    }

    /// Returns the errors in the body of the answer, with the parameters at fault.
    pub fn field_errors(&self) -> &[FieldError] {
        let source = self.0.source.as_deref();
        let body = source.and_then(|source| source.downcast_ref::<FieldErrors>());
        body.map_or(&[], |body| &body.0)
    }

    /// Returns whether an error in the body of the answer contains a text.
    pub(in crate::backends) fn mentions(&self, text: &str) -> bool {
        let mut errors = self.field_errors().iter();
        errors.any(|error| error.text.contains(text))
    }
}

impl<K: ErrorKind> Error<K> {
    /// Returns the failure of the transport, if it is one.
    pub fn transport(&self) -> Option<&TransportError> {
        self.kind().transport()
    }

    /// Returns whether the call may have taken effect although it failed.
    pub fn may_have_happened(&self) -> bool {
        let transport = self.transport();
        self.0.uncertain || transport.is_some_and(TransportError::may_have_happened)
    }

    /// Notes that an attempt of the call may have taken effect.
    pub(super) fn after_uncertain_attempt(self) -> Self {
        let failure = Arc::unwrap_or_clone(self.0);
        Self(Arc::new(Failure {
            uncertain: true,
            ..failure
        }))
    }
}

impl CircuitError for Error<TransportError> {
    fn is_answer(&self) -> bool {
        self.kind().is_answer()
    }

    fn may_have_happened(&self) -> bool {
        Self::may_have_happened(self)
    }

    fn because_of(&self, open: &OpenCircuit<Self>, was_sent: bool) -> Self {
        let kind = TransportError::CircuitOpen {
            since: open.since,
            cause: Arc::new(open.cause.kind().clone()),
        };
        let error = Self::caused_by(self.call().clone(), kind, open.cause.clone());
        if was_sent {
            error.after_uncertain_attempt()
        } else {
            error
        }
    }
}

impl<K: fmt::Display> fmt::Display for Error<K> {
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

impl<K: fmt::Debug + fmt::Display> std::error::Error for Error<K> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref();
        source.map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl FieldErrors {
    /// Returns whether one of the texts contains one of the phrases, whatever the case.
    pub(in crate::backends) fn contain_any(&self, phrases: &[&str]) -> bool {
        self.0.iter().any(|error| {
            let text = error.text.to_lowercase();
            phrases.iter().any(|phrase| text.contains(phrase))
        })
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, FieldError { field, text }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            match field {
                Some(field) => write!(f, "{separator}{field} {text}")?,
                None => write!(f, "{separator}{text}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for FieldErrors {}
