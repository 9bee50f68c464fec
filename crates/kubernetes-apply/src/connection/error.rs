//! A call that failed.

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};
use http_resilience::{CircuitError, OpenCircuit};
use serde_json::Value;

use super::transport_error::TransportError;

/// A call that failed.
///
/// The display text names the call and why it failed. Clones share the failure.
#[derive(Clone, Debug)]
pub struct CallError(Arc<Failure>);

#[derive(Clone, Debug)]
struct Failure {
    call: Call,
    kind: CallFailure,
    /// Whether an attempt of the call may have taken effect.
    uncertain: bool,
    /// Whether silence tells nothing about the server: it has said something before, or a proxy is in between.
    has_contact: bool,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// The call that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// The path, without query.
    pub path: String,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallFailure {
    /// No usable answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The API server answered that it does not do it.
    #[error(transparent)]
    Refused(#[from] ApiStatus),
}

/// The answer of an API server that does not do what it was asked for: a `Status`.
#[derive(Clone, PartialEq, thiserror::Error)]
#[error("{message} ({code} {reason})")]
pub struct ApiStatus {
    /// The HTTP status.
    pub code: u16,
    /// The reason in one word, such as `NotFound`.
    pub reason: String,
    /// The text for people.
    pub message: String,
    /// The fields at fault, such as `spec.replicas`.
    pub fields: Vec<String>,
    json: Value,
}

impl CallError {
    pub(super) fn new(call: &Call, kind: impl Into<CallFailure>) -> Self {
        let kind = kind.into();
        let uncertain = kind.may_have_happened();
        Self(Arc::new(Failure {
            call: call.clone(),
            kind,
            uncertain,
            has_contact: false,
            source: None,
        }))
    }

    pub(super) fn caused_by(self, source: Box<dyn std::error::Error + Send + Sync>) -> Self {
        let failure = Arc::unwrap_or_clone(self.0);
        Self(Arc::new(Failure {
            source: Some(source.into()),
            ..failure
        }))
    }

    /// Notes that an earlier attempt of the call may have taken effect.
    pub(super) fn after_uncertain_attempt(self) -> Self {
        let failure = Arc::unwrap_or_clone(self.0);
        Self(Arc::new(Failure {
            uncertain: true,
            ..failure
        }))
    }

    /// Notes that the server has said something before, or that a proxy is in between.
    pub(super) fn after_contact(self) -> Self {
        let failure = Arc::unwrap_or_clone(self.0);
        Self(Arc::new(Failure {
            has_contact: true,
            ..failure
        }))
    }

    /// Returns whether nothing has ever answered at the address: its name does not exist, no connection was made, or time
    /// ran out before the first answer, be it one of the TLS handshake.
    ///
    /// A proxy or a name server that fails, a connection that breaks, and a server that stops in the middle of an answer
    /// tell nothing about the API server.
    pub fn is_silence(&self) -> bool {
        !self.0.has_contact && self.transport().is_some_and(TransportError::is_silence)
    }

    /// Returns why the call failed.
    pub fn kind(&self) -> &CallFailure {
        &self.0.kind
    }

    /// Returns the call that failed.
    pub fn call(&self) -> &Call {
        &self.0.call
    }

    /// Returns whether the call may have taken effect although it failed.
    pub fn may_have_happened(&self) -> bool {
        self.0.uncertain
    }

    /// Returns the failure of the transport, if it is one.
    pub fn transport(&self) -> Option<&TransportError> {
        match &self.0.kind {
            CallFailure::Transport(transport) => Some(transport),
            CallFailure::Refused(_) => None,
        }
    }

    /// Returns the answer of the API server, if it is one.
    pub fn status(&self) -> Option<&ApiStatus> {
        match &self.0.kind {
            CallFailure::Transport(_) => None,
            CallFailure::Refused(status) => Some(status),
        }
    }

    /// Returns whether the API server gave this reason, such as `NotFound`.
    pub fn is_refused_for(&self, reason: &str) -> bool {
        self.status().is_some_and(|status| status.reason == reason)
    }
}

impl CircuitError for CallError {
    fn is_answer(&self) -> bool {
        self.transport().is_none_or(TransportError::is_answer)
    }

    fn may_have_happened(&self) -> bool {
        Self::may_have_happened(self)
    }

    fn because_of(&self, open: &OpenCircuit<Self>, was_sent: bool) -> Self {
        let Some(cause) = open.cause.transport() else {
            // An answer opens no circuit.
            return self.clone();
        };
        let kind = TransportError::CircuitOpen {
            since: open.since,
            cause: Arc::new(cause.clone()),
        };
        let error = Self::new(self.call(), kind);
        if was_sent {
            error.after_uncertain_attempt()
        } else {
            error
        }
    }
}

impl CallFailure {
    fn may_have_happened(&self) -> bool {
        match self {
            Self::Transport(transport) => transport.may_have_happened(),
            // A server that timed out or failed may have done it.
            Self::Refused(status) => status.code >= 500 && !status.is_unprocessed(),
        }
    }
}

impl ApiStatus {
    /// Reads a `Status`; `None` if the answer is none.
    pub(super) fn parse(code: StatusCode, body: &[u8], quotes_secrets: bool) -> Option<Self> {
        let json: Value = serde_json::from_slice(body).ok()?;
        let text = |field| json.get(field).and_then(Value::as_str);
        if text("kind") != Some("Status") || text("apiVersion") != Some("v1") {
            return None;
        }
        let fields = causes(&json)
            .iter()
            .filter_map(|cause| cause.get("field")?.as_str());
        let fields: Vec<String> = fields.map(str::to_owned).collect();
        let mut status = Self {
            code: code.as_u16(),
            reason: text("reason").unwrap_or_default().to_owned(),
            message: text("message").unwrap_or_default().to_owned(),
            fields,
            json: Value::Null,
        };
        if quotes_secrets && matches!(status.code, 400 | 422 | 500) {
            status.message = match status.fields.as_slice() {
                [] => {
                    "the server refuses the Secret; its message is not shown, for it may quote it"
                        .to_owned()
                }
                fields => format!(
                    "the server refuses fields of the Secret: {}",
                    fields.join(", ")
                ),
            };
        } else {
            status.json = json;
        }
        Some(status)
    }

    /// Reads the answer to a path that the server does not have, which is a text.
    pub(super) fn unknown_path(code: StatusCode, body: &[u8]) -> Option<Self> {
        let is_unknown =
            code == StatusCode::NOT_FOUND && body.trim_ascii() == b"404 page not found";
        is_unknown.then(|| Self {
            code: code.as_u16(),
            reason: "NotFound".to_owned(),
            message: "the server does not have this path".to_owned(),
            fields: Vec::new(),
            json: Value::Null,
        })
    }

    /// Returns the whole answer.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Returns whether the answer says that one object does not exist, and names it.
    ///
    /// A server that does not serve the kind answers with the same status code and reason, and names none.
    pub fn says_gone(&self, name: &str) -> bool {
        let named = self.json.pointer("/details/name").and_then(Value::as_str);
        self.code == 404 && self.reason == "NotFound" && named == Some(name)
    }

    /// Returns how long the server asks to wait.
    pub(super) fn requested_wait(&self) -> Option<std::time::Duration> {
        let seconds = self.json.pointer("/details/retryAfterSeconds")?.as_u64()?;
        (seconds > 0).then(|| std::time::Duration::from_secs(seconds))
    }

    /// Whether the answer is that of a webhook that cannot be called, so the request was not processed.
    pub(super) fn is_webhook_not_ready(&self) -> bool {
        let is_call = self.message.contains("failed calling webhook")
            || self.message.contains("conversion webhook");
        self.code >= 500 && is_call
    }

    /// Whether the answer is that of a server that has just started and does not know all roles yet, so the
    /// request was not processed. A binding to a role that never existed is answered in the same way.
    pub(super) fn is_authorizer_not_ready(&self) -> bool {
        self.code == 403 && self.message.contains("RBAC: ") && self.message.contains(" not found")
    }

    /// Whether the request was certainly not processed.
    pub(super) fn is_unprocessed(&self) -> bool {
        self.code == 429 || self.is_webhook_not_ready()
    }
}

fn causes(status: &Value) -> &[Value] {
    let causes = status.pointer("/details/causes").and_then(Value::as_array);
    causes.map_or(&[], Vec::as_slice)
}

impl fmt::Debug for ApiStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiStatus({self})")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.call, self.0.kind)
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref();
        source.map(|source| source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(json: &Value, quotes_secrets: bool) -> Option<ApiStatus> {
        let code = StatusCode::from_u16(u16::try_from(json["code"].as_u64()?).ok()?).ok()?;
        ApiStatus::parse(code, json.to_string().as_bytes(), quotes_secrets)
    }

    #[test]
    fn only_an_answer_that_names_the_object_says_that_it_is_gone() {
        let gone = json!({"kind": "Status", "apiVersion": "v1", "code": 404, "reason": "NotFound",
                          "details": {"name": "web", "kind": "deployments"}});
        assert!(parse(&gone, false).unwrap().says_gone("web"));
        let not_served = json!({"kind": "Status", "apiVersion": "v1", "code": 404, "reason": "NotFound",
                                "message": "the server could not find the requested resource"});
        assert!(!parse(&not_served, false).unwrap().says_gone("web"));
        assert!(ApiStatus::parse(StatusCode::NOT_FOUND, b"<html>", false).is_none());
        assert_eq!(parse(&json!({"kind": "Pod", "code": 404}), false), None);
    }

    #[test]
    fn what_a_server_says_about_a_secret_is_not_shown() {
        let status = json!({"kind": "Status", "apiVersion": "v1", "code": 422, "reason": "Invalid",
                            "message": "data[a]: Invalid value: \"s3cr3t\"",
                            "details": {"causes": [{"field": "data[a]", "message": "s3cr3t"}]}});
        let shown = format!("{:?}", parse(&status, true).unwrap());
        assert!(
            !shown.contains("s3cr3t") && shown.contains("data[a]"),
            "{shown}"
        );
        assert!(
            !parse(&status, true)
                .unwrap()
                .json()
                .to_string()
                .contains("s3cr3t")
        );
    }
}
