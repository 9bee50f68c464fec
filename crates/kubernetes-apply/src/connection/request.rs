//! A request before it is sent.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::error::Call;

/// What a request does when it is sent twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Repeat {
    /// The same as once.
    Same,
    /// Something else, or nobody knows.
    Other,
}

/// A request that can be sent more than once.
///
/// It has no `Debug`: its body may hold secrets.
#[derive(Clone)]
pub(crate) struct ApiRequest {
    /// How errors and logs name it.
    pub(crate) call: Call,
    /// Path and query.
    pub(crate) uri: String,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) accept: &'static str,
    pub(crate) body: Bytes,
    pub(crate) repeat: Repeat,
    /// Whether what the server says about the object may be shown: it may quote values of a Secret.
    pub(crate) quotes_secrets: bool,
}

const JSON: &str = "application/json";

impl ApiRequest {
    /// Makes a request without a body. `uri` is path and query.
    pub(crate) fn new(method: Method, uri: String) -> Self {
        let path = uri.split('?').next().unwrap_or_default().to_owned();
        let repeat = if method == Method::GET {
            Repeat::Same
        } else {
            Repeat::Other
        };
        Self {
            call: Call { method, path },
            uri,
            content_type: None,
            accept: JSON,
            body: Bytes::new(),
            repeat,
            quotes_secrets: false,
        }
    }

    pub(crate) fn get(uri: String) -> Self {
        Self::new(Method::GET, uri)
    }

    /// Adds a JSON body.
    pub(crate) fn json(mut self, content_type: Option<&'static str>, body: &Value) -> Self {
        self.body = body.to_string().into();
        self.content_type = Some(content_type.unwrap_or(JSON));
        self
    }

    pub(crate) fn accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    /// Says that sending it twice does the same as sending it once.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Same;
        self
    }

    pub(crate) fn quoting_secrets(mut self, quotes_secrets: bool) -> Self {
        self.quotes_secrets = quotes_secrets;
        self
    }
}
