//! Endpoints that the `gitlab` crate lacks, composes in a form that we cannot use, or whose body is a
//! struct of ours as it is.

use std::borrow::Cow;

use gitlab::api::{BodyError, Endpoint, QueryParams};
use http::Method;
use serde::Serialize;

/// An endpoint with a JSON body, or none. It has no `Debug`: the body may hold secrets.
pub(super) struct JsonEndpoint<B = ()> {
    method: Method,
    /// Relative to the API and percent-encoded.
    endpoint: String,
    parameters: Vec<(&'static str, Cow<'static, str>)>,
    body: Option<B>,
}

impl JsonEndpoint {
    /// Makes a read.
    pub(super) fn get(endpoint: String) -> Self {
        Self {
            method: Method::GET,
            endpoint,
            parameters: Vec::new(),
            body: None,
        }
    }
}

impl<B: Serialize> JsonEndpoint<B> {
    /// Makes a creation.
    pub(super) fn post(endpoint: String, body: B) -> Self {
        Self {
            method: Method::POST,
            endpoint,
            parameters: Vec::new(),
            body: Some(body),
        }
    }

    /// Makes a change.
    pub(super) fn put(endpoint: String, body: B) -> Self {
        Self {
            method: Method::PUT,
            ..Self::post(endpoint, body)
        }
    }

    /// Adds a query parameter.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }
}

impl<B: Serialize> Endpoint for JsonEndpoint<B> {
    fn method(&self) -> Method {
        self.method.clone()
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.endpoint.clone().into()
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = QueryParams::default();
        for (name, value) in &self.parameters {
            parameters.push(*name, value);
        }
        parameters
    }

    fn body(&self) -> Result<Option<(&'static str, Vec<u8>)>, BodyError> {
        match &self.body {
            Some(body) => Ok(Some(("application/json", serde_json::to_vec(body)?))),
            None => Ok(None),
        }
    }
}
