//! Endpoints that the `gitlab` crate lacks or composes in a form that we cannot use.

use std::borrow::Cow;

use gitlab::api::{BodyError, Endpoint, QueryParams};
use http::Method;
use serde::Serialize;

/// An endpoint with a JSON body, or none.
#[derive(Debug)]
pub(super) struct Local<B = ()> {
    method: Method,
    endpoint: String,
    parameters: Vec<(&'static str, Cow<'static, str>)>,
    body: Option<B>,
}

impl Local {
    /// A read; `endpoint` is relative to the API and percent-encoded.
    pub(super) fn get(endpoint: String) -> Self {
        Self {
            method: Method::GET,
            endpoint,
            parameters: Vec::new(),
            body: None,
        }
    }

    /// A creation or action without parameters.
    pub(super) fn post(endpoint: String) -> Self {
        Self {
            method: Method::POST,
            endpoint,
            parameters: Vec::new(),
            body: None,
        }
    }
}

impl<B: Serialize> Local<B> {
    /// A creation or action with a JSON body.
    pub(super) fn post_json(endpoint: String, body: B) -> Self {
        Self {
            method: Method::POST,
            endpoint,
            parameters: Vec::new(),
            body: Some(body),
        }
    }

    /// A change with a JSON body.
    pub(super) fn put_json(endpoint: String, body: B) -> Self {
        Self {
            method: Method::PUT,
            endpoint,
            parameters: Vec::new(),
            body: Some(body),
        }
    }

    /// Adds a query parameter.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }
}

impl<B: Serialize> Endpoint for Local<B> {
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
