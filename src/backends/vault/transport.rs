//! How a call reaches Vault, and what comes back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;

use super::Options;
use super::error::{Error, Kind};
use super::request::{Request, Verb};
use super::status::check_status;
use crate::backends::http::{
    ApiRoot, Call, HttpClient, Server, SetupError, TransportError, UserAgent, parse_json,
};

/// The header that carries the token.
const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");

/// The header that names the namespace.
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");

/// The header without which a listener may refuse a request (its `require_request_header`).
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

const SERVER: Server = Server {
    name: "vault",
    limits_on_all_calls: &[],
};

/// The connection to one Vault.
#[derive(Debug)]
pub(super) struct Transport {
    http: HttpClient,
    pub(super) api: ApiRoot,
}

/// An answer: a success, or the statement that there is no such thing.
///
/// It has no `Debug`: its body may hold secrets.
pub(super) struct Answer {
    pub(super) call: Call,
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Transport {
    pub(super) fn new(options: &Options, user_agent: &UserAgent) -> Result<Self, SetupError> {
        let mut headers = HeaderMap::from_iter([
            (REQUEST, HeaderValue::from_static("true")),
            (header::USER_AGENT, user_agent.header()),
        ]);
        if let Some(namespace) = &options.namespace {
            let namespace = HeaderValue::from_str(namespace);
            let namespace = namespace.map_err(|source| SetupError::Header {
                name: "namespace",
                source,
            })?;
            headers.insert(NAMESPACE, namespace);
        }
        let ca_pem = options.ca_pem.as_deref();
        Ok(Self {
            api: ApiRoot::parse(&options.address, "/v1")?,
            http: HttpClient::new(&SERVER, &options.limits, ca_pem, headers)?,
        })
    }

    pub(super) fn held_for(&self) -> Duration {
        self.http.held_for()
    }

    /// Makes a call without a body at a path below a mount.
    pub(super) fn request(&self, verb: Verb, mount: &str, path: &str) -> Request {
        Request::new(&self.api, verb, mount, path)
    }

    /// Sends until there is an answer or a final failure. Dropping the future cancels.
    pub(super) async fn send(
        &self,
        request: &Request,
        token: Option<&HeaderValue>,
    ) -> Result<Answer, Error> {
        let mut sending = request.http.clone();
        sending
            .headers
            .extend(token.map(|token| (TOKEN, token.clone())));
        let check = |answer| check_status(request, answer);
        self.http.send(&sending, check).await
    }
}

impl Answer {
    /// Returns whether there is such a thing.
    pub(super) fn is_found(&self) -> bool {
        self.status != StatusCode::NOT_FOUND
    }

    /// Reads the whole body, whatever the status.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let unexpected = TransportError::UnexpectedBody;
        parse_json(&self.body)
            .map_err(|source| Error::caused_by(self.call.clone(), unexpected, source))
    }

    /// Makes an error because the body is not as expected.
    pub(super) fn unexpected(&self) -> Error {
        Error::new(self.call.clone(), TransportError::UnexpectedBody)
    }

    /// Makes an error because there is no such thing where there must be one.
    pub(super) fn not_found(&self) -> Error {
        Error::new(self.call.clone(), Kind::NotFound)
    }
}
