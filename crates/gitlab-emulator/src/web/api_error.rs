//! Error responses in the formats of GitLab's components (GitLab `lib/api/helpers.rb`,
//! `lib/api/api.rb`).

use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use super::params::{FieldError, Problem};
use crate::domain::invalid::Invalid;
use crate::domain::switches::Texts;
use crate::domain::time::Moment;

/// An error response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) body: ErrorBody,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// Format of the body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ErrorBody {
    /// `{"message":"..."}`, the common case.
    Message(String),
    /// `{"message":{"field":["..."]}}`, from record validation.
    Fields(Invalid),
    /// `{"message":["..."]}`, from validation of protected branches.
    Messages(Vec<String>),
    /// `{"message":{"error":"..."}}`, from the application rate limiter.
    Nested(String),
    /// `{"error":"..."}`, from Grape's validation, unknown routes and hooks.
    Error(String),
    /// `{"error":"..."}`, from Grape's validation, before its texts are chosen.
    Parameters(Vec<FieldError>),
    /// `{"error":["..."]}`, from the project limit.
    Errors(Vec<String>),
    /// `{"error":"...","error_description":"..."}`, from the OAuth layer.
    OAuth {
        error: &'static str,
        description: String,
        scope: Option<String>,
    },
    /// `{"message":"...","error":"..."}`, from malformed JSON in the commits API.
    MessageAndError(String),
    /// Plain text, from `Rack::Attack` and git over HTTP.
    Text(String),
    /// JSON of an injected fault.
    Json(Value),
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, body: ErrorBody) -> Self {
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }

    pub(crate) fn message(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, ErrorBody::Message(message.into()))
    }

    /// 400 with the text of a service.
    pub(crate) fn rejected(message: impl Into<String>) -> Self {
        Self::message(StatusCode::BAD_REQUEST, message)
    }

    /// 400 `400 Bad request - <reason>`.
    pub(crate) fn bad_request(reason: impl std::fmt::Display) -> Self {
        Self::rejected(format!("400 Bad request - {reason}"))
    }

    /// 400 of Grape's validation.
    pub(crate) fn parameters(field_errors: Vec<FieldError>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorBody::Parameters(field_errors))
    }

    /// 400 of Grape's validation with a text.
    pub(crate) fn parameter(text: impl Into<String>) -> Self {
        Self::parameters(vec![FieldError::Other(text.into())])
    }

    /// 400 of Grape's validation for one parameter.
    pub(crate) fn problem(name: &str, problem: Problem) -> Self {
        Self::parameters(vec![FieldError::One(name.to_owned(), problem)])
    }

    /// Renders errors of Grape's validation as text.
    #[must_use]
    pub(crate) fn with_texts(mut self, texts: &Texts) -> Self {
        if let ErrorBody::Parameters(field_errors) = &self.body {
            let field_errors: Vec<String> = field_errors
                .iter()
                .map(|field_error| field_error.text(texts))
                .collect();
            self.body = ErrorBody::Error(field_errors.join(", "));
        }
        self
    }

    /// 400 with the errors of a record.
    pub(crate) fn invalid(invalid: Invalid) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorBody::Fields(invalid))
    }

    /// 401 `401 Unauthorized`.
    pub(crate) fn unauthorized() -> Self {
        Self::message(StatusCode::UNAUTHORIZED, "401 Unauthorized")
    }

    /// 401 of the OAuth layer.
    pub(crate) fn invalid_token(description: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            ErrorBody::OAuth {
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

    /// 404 `404 Not found`, for a record that a lookup missed.
    pub(crate) fn no_record() -> Self {
        Self::message(StatusCode::NOT_FOUND, "404 Not found")
    }

    /// 409 with a text.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::message(StatusCode::CONFLICT, message)
    }

    /// 422 with a text under `error`.
    pub(crate) fn unprocessable(error: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            ErrorBody::Error(error.into()),
        )
    }

    /// 429 of the application's rate limiter.
    pub(crate) fn too_many(text: &str) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorBody::Nested(text.to_owned()),
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

    /// 301 to the current address of a moved project.
    pub(crate) fn moved(location: &str) -> Self {
        let text = format!("This resource has been moved permanently to {location}");
        Self::new(StatusCode::MOVED_PERMANENTLY, ErrorBody::Text(text))
            .with_header(header::LOCATION, location)
    }

    /// 429 of `Rack::Attack`, with its seven headers.
    pub(crate) fn throttled(text: &str, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        let mut api_error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorBody::Text(text.to_owned()),
        );
        api_error.headers = headers;
        api_error
    }

    pub(crate) fn json(&self) -> Option<Value> {
        Some(match &self.body {
            ErrorBody::Message(message) => json!({ "message": message }),
            ErrorBody::Fields(invalid) => {
                let fields: Map<String, Value> = invalid
                    .fields()
                    .iter()
                    .map(|(field, messages)| (field.clone(), json!(messages)))
                    .collect();
                json!({ "message": fields })
            }
            ErrorBody::Messages(messages) => json!({ "message": messages }),
            ErrorBody::Nested(error) => json!({ "message": { "error": error } }),
            ErrorBody::Error(error) => json!({ "error": error }),
            ErrorBody::Errors(errors) => json!({ "error": errors }),
            ErrorBody::OAuth {
                error,
                description,
                scope: None,
            } => {
                json!({ "error": error, "error_description": description })
            }
            ErrorBody::OAuth {
                error,
                description,
                scope: Some(scope),
            } => {
                json!({ "error": error, "error_description": description, "scope": scope })
            }
            ErrorBody::MessageAndError(text) => json!({ "message": text, "error": text }),
            ErrorBody::Json(value) => value.clone(),
            ErrorBody::Text(_) | ErrorBody::Parameters(_) => return None,
        })
    }
}

/// Returns the headers that `Rack::Attack` adds to counted requests; only refused ones have
/// `Retry-After`.
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

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(invalid)
    }
}

impl From<crate::git::Error> for ApiError {
    fn from(error: crate::git::Error) -> Self {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "could not access a repository"
        );
        Self::internal()
    }
}
