//! How a call reaches Vault: one attempt after the other, and what comes back.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::backends::trust::is_certificate_refused;

use crate::backends::http_client::http_client;

use super::address::Address;
use super::classify::{classify, complaints};
use super::error::{Call, Error, Kind};
use super::options::{Limits, Options, SetupError};
use super::reach::Reach;
use super::request::Request;
use super::retry::Retry;

/// The header that carries the token.
const TOKEN: &str = "x-vault-token";

/// The header that names the namespace.
const NAMESPACE: &str = "x-vault-namespace";

/// The header without which a listener may refuse a request (its `require_request_header`).
const REQUEST: &str = "x-vault-request";

/// The connection to one Vault.
#[derive(Debug)]
pub(super) struct Transport {
    address: Address,
    client: reqwest::Client,
    namespace: Option<HeaderValue>,
    reach: Reach,
    limits: Limits,
}

/// An answer: a success, or the statement that there is no such thing.
///
/// It has no `Debug`: the body may hold secrets.
pub(super) struct Answer {
    call: Call,
    status: StatusCode,
    body: Bytes,
}

impl Transport {
    pub(super) fn new(options: &Options) -> Result<Self, SetupError> {
        let address = Address::parse(&options.address)?;
        let namespace = options.namespace.as_deref().map(HeaderValue::from_str);
        let limits = &options.limits;
        let client = http_client(limits.connect, limits.request, options.ca_pem.as_deref())?;
        Ok(Self {
            address,
            client: client.build().map_err(SetupError::Client)?,
            namespace: namespace.transpose().map_err(SetupError::Namespace)?,
            reach: Reach::default(),
            limits: options.limits.clone(),
        })
    }

    /// How a request is named in errors.
    pub(super) fn call(&self, request: &Request) -> Call {
        request.call(&self.address)
    }

    /// Sends until there is an answer or a failure that is final. Dropping the future cancels.
    pub(super) async fn send(
        &self,
        request: &Request,
        token: Option<&HeaderValue>,
    ) -> Result<Answer, Error> {
        let begun = Instant::now();
        let mut retry = Retry::new(request.repeatable, &self.limits);
        loop {
            let attempted = Instant::now();
            let failure = match self.attempt(request, token).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let failing = if is_failing(failure.kind()) {
                self.reach.failed(attempted)
            } else {
                self.reach.answered();
                Duration::ZERO
            };
            let Some(wait) = retry.after(failure.kind(), begun.elapsed(), failing) else {
                return Err(failure);
            };
            tracing::debug!(error = %failure, ?wait, "vault call is tried again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        token: Option<&HeaderValue>,
    ) -> Result<Answer, Error> {
        let begun = Instant::now();
        let url = request.url(&self.address);
        let path = url.path().to_owned();
        let mut sending = self
            .client
            .request(request.method(), url)
            .header(REQUEST, "true")
            .body(request.body.clone());
        if let Some(namespace) = &self.namespace {
            sending = sending.header(NAMESPACE, namespace.clone());
        }
        if let Some(token) = token {
            sending = sending.header(TOKEN, token.clone());
        }
        let broken = |error| broken(self.call(request), error);
        let response = sending.send().await.map_err(broken)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(broken)?;
        tracing::debug!(
            method = %self.call(request).method,
            path,
            status = status.as_u16(),
            milliseconds = begun.elapsed().as_millis(),
            "vault call"
        );
        if status.is_success() {
            self.reach.answered();
            let call = self.call(request);
            return Ok(Answer { call, status, body });
        }
        let complaints = complaints(&body);
        let call = self.call(request);
        match classify(status, &headers, &complaints, request) {
            Kind::NotFound => Ok(Answer { call, status, body }),
            kind if complaints.0.is_empty() => Err(Error::new(call, kind)),
            kind => Err(Error::caused_by(call, kind, complaints)),
        }
    }
}

/// Whether a failure is one of the server as a whole.
fn is_failing(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Unreachable | Kind::Interrupted { .. } | Kind::Server { .. }
    )
}

impl Answer {
    /// Whether there is such a thing.
    pub(super) fn is_found(&self) -> bool {
        self.status != StatusCode::NOT_FOUND
    }

    /// Reads the whole body, whatever the status.
    ///
    /// What the parser has to say is left out: it may quote a secret.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|_| self.unexpected())
    }

    /// An error because the body is not as expected.
    pub(super) fn unexpected(&self) -> Error {
        Error::new(self.call.clone(), Kind::UnexpectedBody)
    }

    /// An error because there is no such thing where there has to be one.
    pub(super) fn not_found(&self) -> Error {
        Error::new(self.call.clone(), Kind::NotFound)
    }
}

fn broken(call: Call, error: reqwest::Error) -> Error {
    let kind = if is_certificate_refused(&error) {
        Kind::Untrusted
    } else if error.is_connect() {
        Kind::Unreachable
    } else if error.is_builder() {
        Kind::Unsendable
    } else {
        Kind::Interrupted {
            timed_out: error.is_timeout(),
        }
    };
    Error::caused_by(call, kind, error.without_url())
}
