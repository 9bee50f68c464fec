//! Refusals in the shapes in which GitLab's parts write them (GitLab `lib/api/helpers.rb`, `lib/api/api.rb`).

use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use super::params::{Complaint, Problem};
use crate::domain::invalid::Invalid;
use crate::domain::switches::Texts;
use crate::domain::time::Moment;

/// Why a request gets no ordinary answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) body: Shape,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// The shape of the body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// `{"message":"..."}`, the common case.
    Message(String),
    /// `{"message":{"field":["..."]}}`, validation of a record.
    Fields(Invalid),
    /// `{"message":["..."]}`, validation of protected branches.
    Messages(Vec<String>),
    /// `{"message":{"error":"..."}}`, the application's rate limiter.
    Nested(String),
    /// `{"error":"..."}`, Grape's validation, unknown routes, hooks.
    Error(String),
    /// `{"error":"..."}`, Grape's validation before its words are chosen.
    Parameters(Vec<Complaint>),
    /// `{"error":["..."]}`, the limit of projects.
    Errors(Vec<String>),
    /// `{"error":"...","error_description":"..."}`, the OAuth layer.
    OAuth {
        error: &'static str,
        description: String,
        scope: Option<String>,
    },
    /// `{"message":"...","error":"..."}`, malformed JSON for the commits API.
    MessageAndError(String),
    /// Plain text, from `Rack::Attack` and git over HTTP.
    Text(String),
    /// JSON that an injected fault brings along.
    Json(Value),
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, body: Shape) -> Self {
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }

    pub(crate) fn message(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, Shape::Message(message.into()))
    }

    /// 400 with the bare text of a service.
    pub(crate) fn rejected(message: impl Into<String>) -> Self {
        Self::message(StatusCode::BAD_REQUEST, message)
    }

    /// 400 `400 Bad request - <reason>`.
    pub(crate) fn bad_request(reason: impl std::fmt::Display) -> Self {
        Self::rejected(format!("400 Bad request - {reason}"))
    }

    /// 400 of Grape's validation.
    pub(crate) fn parameters(complaints: Vec<Complaint>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Shape::Parameters(complaints))
    }

    /// 400 of Grape's validation with a text.
    pub(crate) fn parameter(text: impl Into<String>) -> Self {
        Self::parameters(vec![Complaint::Other(text.into())])
    }

    /// 400 of Grape's validation for one parameter.
    pub(crate) fn problem(name: &str, problem: Problem) -> Self {
        Self::parameters(vec![Complaint::One(name.to_owned(), problem)])
    }

    /// Puts Grape's validation into words.
    #[must_use]
    pub(crate) fn worded(mut self, texts: &Texts) -> Self {
        if let Shape::Parameters(complaints) = &self.body {
            let complaints: Vec<String> = complaints
                .iter()
                .map(|complaint| complaint.text(texts))
                .collect();
            self.body = Shape::Error(complaints.join(", "));
        }
        self
    }

    /// 400 with the errors of a record.
    pub(crate) fn invalid(invalid: Invalid) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Shape::Fields(invalid))
    }

    /// 401 `401 Unauthorized`.
    pub(crate) fn unauthorized() -> Self {
        Self::message(StatusCode::UNAUTHORIZED, "401 Unauthorized")
    }

    /// 401 of the OAuth layer.
    pub(crate) fn invalid_token(description: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            Shape::OAuth {
                error: "invalid_token",
                description: description.to_owned(),
                scope: None,
            },
        )
    }

    /// 403 `403 Forbidden`.
    pub(crate) fn forbidden() -> Self {
        Self::message(StatusCode::FORBIDDEN, "403 Forbidden")
    }

    /// 403 `403 Forbidden - <reason>`.
    pub(crate) fn forbidden_because(reason: &str) -> Self {
        Self::message(StatusCode::FORBIDDEN, format!("403 Forbidden - {reason}"))
    }

    /// 404 `404 <Thing> Not Found`.
    pub(crate) fn not_found(thing: &str) -> Self {
        Self::message(StatusCode::NOT_FOUND, format!("404 {thing} Not Found"))
    }

    /// 404 `404 Not found`, of a record that a lookup missed.
    pub(crate) fn no_record() -> Self {
        Self::message(StatusCode::NOT_FOUND, "404 Not found")
    }

    /// 409 with a text.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::message(StatusCode::CONFLICT, message)
    }

    /// 422 with a text under `error`.
    pub(crate) fn unprocessable(error: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, Shape::Error(error.into()))
    }

    /// 429 of the application's rate limiter.
    pub(crate) fn too_many(text: &str) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            Shape::Nested(text.to_owned()),
        )
    }

    /// 500 of an unhandled error.
    pub(crate) fn internal() -> Self {
        Self::message(
            StatusCode::INTERNAL_SERVER_ERROR,
            "500 Internal Server Error",
        )
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// 301 to where a moved project is now.
    pub(crate) fn moved(location: &str) -> Self {
        let text = format!("This resource has been moved permanently to {location}");
        Self::new(StatusCode::MOVED_PERMANENTLY, Shape::Text(text))
            .with_header(header::LOCATION, location)
    }

    /// 429 of `Rack::Attack`, with its seven headers.
    pub(crate) fn throttled(text: &str, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        let mut refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, Shape::Text(text.to_owned()));
        refusal.headers = headers;
        refusal
    }

    pub(crate) fn json(&self) -> Option<Value> {
        Some(match &self.body {
            Shape::Message(message) => json!({ "message": message }),
            Shape::Fields(invalid) => {
                let fields: Map<String, Value> = invalid
                    .fields()
                    .iter()
                    .map(|(field, messages)| (field.clone(), json!(messages)))
                    .collect();
                json!({ "message": fields })
            }
            Shape::Messages(messages) => json!({ "message": messages }),
            Shape::Nested(error) => json!({ "message": { "error": error } }),
            Shape::Error(error) => json!({ "error": error }),
            Shape::Errors(errors) => json!({ "error": errors }),
            Shape::OAuth {
                error,
                description,
                scope: None,
            } => {
                json!({ "error": error, "error_description": description })
            }
            Shape::OAuth {
                error,
                description,
                scope: Some(scope),
            } => {
                json!({ "error": error, "error_description": description, "scope": scope })
            }
            Shape::MessageAndError(text) => json!({ "message": text, "error": text }),
            Shape::Json(value) => value.clone(),
            Shape::Text(_) | Shape::Parameters(_) => return None,
        })
    }
}

/// The headers that `Rack::Attack` adds to counted requests; only refused ones say when to come back.
pub(crate) fn rate_limit_headers(
    name: &str,
    limit_per_minute: u32,
    observed: u32,
    remaining: u32,
    reset: Moment,
    retry_after: Option<i64>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut values = vec![
        (HeaderName::from_static("ratelimit-name"), name.to_owned()),
        (
            HeaderName::from_static("ratelimit-limit"),
            limit_per_minute.to_string(),
        ),
        (
            HeaderName::from_static("ratelimit-observed"),
            observed.to_string(),
        ),
        (
            HeaderName::from_static("ratelimit-remaining"),
            remaining.to_string(),
        ),
        (
            HeaderName::from_static("ratelimit-reset"),
            reset.seconds().to_string(),
        ),
    ];
    if let Some(seconds) = retry_after {
        values.push((
            HeaderName::from_static("ratelimit-resettime"),
            reset.http_date(),
        ));
        values.push((header::RETRY_AFTER, seconds.to_string()));
    }
    values
        .into_iter()
        .filter_map(|(name, value)| Some((name, HeaderValue::from_str(&value).ok()?)))
        .collect()
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid)
    }
}

impl From<crate::git::Error> for Refusal {
    fn from(error: crate::git::Error) -> Self {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a repository failed"
        );
        Self::internal()
    }
}
