//! Successful responses, and the conversion to HTTP.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::api_error::{ApiError, ErrorBody};
use crate::domain::token::hex;

/// The result of an endpoint.
pub(crate) type ApiResult = Result<Reply, ApiError>;

/// A successful response.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content: Content,
}

/// The body of a response.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Json(Value),
    Bytes { kind: &'static str, bytes: Bytes },
    Empty,
}

impl Reply {
    fn new(status: StatusCode, content: Content) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content,
        }
    }

    /// 200 with JSON.
    pub(crate) fn ok(value: Value) -> Self {
        Self::new(StatusCode::OK, Content::Json(value))
    }

    /// 201 with JSON.
    pub(crate) fn created(value: Value) -> Self {
        Self::new(StatusCode::CREATED, Content::Json(value))
    }

    /// 202, for work that is done later.
    pub(crate) fn accepted() -> Self {
        Self::new(
            StatusCode::ACCEPTED,
            Content::Json(json!({ "message": "202 Accepted" })),
        )
    }

    /// 204.
    pub(crate) fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT, Content::Empty)
    }

    /// 200 with bytes of a content type.
    pub(crate) fn bytes(kind: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self::new(
            StatusCode::OK,
            Content::Bytes {
                kind,
                bytes: bytes.into(),
            },
        )
    }

    /// 200 without a body, for HEAD.
    pub(crate) fn empty() -> Self {
        Self::new(StatusCode::OK, Content::Empty)
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            self.headers.push((name, value));
        }
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = match self.content {
            Content::Json(value) => json_response(&value),
            Content::Bytes { kind, bytes } => {
                let mut response = Response::new(Body::from(bytes));
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
                response
            }
            Content::Empty => Response::new(Body::empty()),
        };
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = match (&self.body, self.json()) {
            (ErrorBody::Text(text), _) => {
                let mut response = Response::new(Body::from(text.clone()));
                let kind = HeaderValue::from_static("text/plain");
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                response
            }
            (_, Some(value)) => json_response(&value),
            (_, None) => Response::new(Body::empty()),
        };
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

fn json_response(value: &Value) -> Response {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let tag = hex(Sha256::digest(&bytes).get(..16).unwrap_or_default());
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{tag}\"")) {
        headers.insert(header::ETAG, tag);
    }
    response
}
