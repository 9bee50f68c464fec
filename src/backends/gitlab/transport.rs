//! How a call reaches GitLab: one attempt after the other, behind the gate, and what comes back.

use async_trait::async_trait;
use bytes::Bytes;
use gitlab::api::{ApiError, AsyncClient, RestClient};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use tokio::time::Instant;
use url::Url;

use crate::backends::http_client::http_client;
use crate::backends::trust::is_certificate_refused;
use crate::secret;

use super::address::Address;
use super::classify::classify;
use super::error::{Call, Error, Kind};
use super::limit::{Gate, Scope, wait_when_used_up};
use super::options::{Limits, Options, SetupError};
use super::refusal::Refusal;
use super::retry::Retry;

/// How many redirections of a moved project are followed.
const MOST_REDIRECTIONS: usize = 3;

/// The connection to one GitLab.
#[derive(Debug)]
pub(super) struct Transport {
    address: Address,
    client: reqwest::Client,
    authorization: HeaderValue,
    gate: Gate,
    limits: Limits,
}

/// Whether a call waits when GitLab limits it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum WhenLimited {
    Wait,
    Fail,
}

/// A request that can be sent more than once.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Transport {
    pub(super) fn new(options: &Options) -> Result<Self, SetupError> {
        let address = Address::parse(&options.url)?;
        let authorization =
            secret::header_value("Bearer ", &options.token).map_err(SetupError::Token)?;
        let limits = &options.limits;
        let client = http_client(limits.connect, limits.request, options.ca_pem.as_deref())?;
        Ok(Self {
            address,
            client: client.build().map_err(SetupError::Client)?,
            authorization,
            gate: Gate::default(),
            limits: options.limits.clone(),
        })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Sends until there is a success or a failure that is final. Dropping the future cancels.
    pub(super) async fn send(
        &self,
        outgoing: &Outgoing,
        when_limited: WhenLimited,
    ) -> Result<Response<Bytes>, Error> {
        let begun = Instant::now();
        let mut retry = Retry::new(&outgoing.method, &self.limits);
        let route = Scope::Route(format!(
            "{} {}",
            outgoing.method,
            self.address.route(&outgoing.url)
        ));
        loop {
            if let Err(wait) = self.gate.pass(&route, begun + self.limits.call).await {
                let limited = Kind::Limited {
                    wait: Some(wait),
                    everything: true,
                };
                return Err(Error::new(
                    call(&outgoing.method, &outgoing.url, None),
                    limited,
                ));
            }
            let failure = match self.attempt(outgoing).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            let unreachable = match failure.kind() {
                Kind::Unreachable => self.gate.unreachable(),
                _ => std::time::Duration::ZERO,
            };
            if when_limited == WhenLimited::Fail && is_limited_on_its_own(failure.kind()) {
                return Err(failure);
            }
            let Some(wait) = retry.after(failure.kind(), begun.elapsed(), unreachable) else {
                return Err(failure);
            };
            tracing::debug!(error = %failure, ?wait, "gitlab call is tried again");
            match failure.kind() {
                Kind::Limited {
                    everything: true, ..
                } => self.gate.close(Scope::Everything, wait),
                Kind::Limited {
                    everything: false, ..
                } => self.gate.close(route.clone(), wait),
                _ => tokio::time::sleep(wait).await,
            }
        }
    }

    /// Sends once, and follows the redirections of a project that was moved within this GitLab.
    async fn attempt(&self, outgoing: &Outgoing) -> Result<Response<Bytes>, Error> {
        let mut url = outgoing.url.clone();
        for _ in 0..MOST_REDIRECTIONS {
            let response = self.exchange(outgoing, &url).await?;
            match self.moved_to(outgoing, &response) {
                Some(next) => url = next,
                None => return judge(&outgoing.method, &url, response),
            }
        }
        let location = Some(url.to_string());
        Err(Error::new(
            call(&outgoing.method, &url, None),
            Kind::Redirected { location },
        ))
    }

    async fn exchange(&self, outgoing: &Outgoing, url: &Url) -> Result<Response<Bytes>, Error> {
        let call = call(&outgoing.method, url, None);
        if !self.address.covers(url) {
            let location = Some(url.to_string());
            return Err(Error::new(call, Kind::Redirected { location }));
        }
        let begun = Instant::now();
        let sent = self
            .client
            .request(outgoing.method.clone(), url.clone())
            .headers(outgoing.headers.clone())
            .header(header::AUTHORIZATION, self.authorization.clone())
            .body(outgoing.body.clone())
            .send()
            .await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => return Err(broken(call, error)),
        };
        self.gate.reached();
        if let Some(wait) = wait_when_used_up(response.headers()) {
            self.gate.close(Scope::Everything, wait);
        }
        let response: Response<reqwest::Body> = response.into();
        let (parts, body) = response.into_parts();
        let body = http_body_util::BodyExt::collect(body)
            .await
            .map_err(|error| broken(call, error))?
            .to_bytes();
        tracing::debug!(
            method = %outgoing.method,
            path = url.path(),
            status = parts.status.as_u16(),
            milliseconds = begun.elapsed().as_millis(),
            "gitlab call"
        );
        Ok(Response::from_parts(parts, body))
    }

    /// The address that a permanent redirection of a read points to, if it is in this GitLab
    /// (GitLab answers reads of a moved project by its old path like this, `lib/api/helpers.rb`).
    fn moved_to(&self, outgoing: &Outgoing, response: &Response<Bytes>) -> Option<Url> {
        if outgoing.method != Method::GET || response.status() != StatusCode::MOVED_PERMANENTLY {
            return None;
        }
        let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
        let next = outgoing.url.join(location).ok()?;
        self.address.covers(&next).then_some(next)
    }
}

fn judge(method: &Method, url: &Url, response: Response<Bytes>) -> Result<Response<Bytes>, Error> {
    if response.status().is_success() {
        return Ok(response);
    }
    let refusal = Refusal::parse(response.body());
    let kind = classify(response.status(), response.headers(), &refusal);
    let request_id = response.headers().get("x-request-id");
    let error = Error::new(call(method, url, request_id), kind);
    if refusal.complaints.0.is_empty() {
        return Err(error);
    }
    Err(error.caused_by(refusal.complaints))
}

/// A limit of this kind of call only; a throttle of the whole client is waited for by everybody.
fn is_limited_on_its_own(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Limited {
            everything: false,
            ..
        }
    )
}

pub(super) fn call(method: &Method, url: &Url, request_id: Option<&HeaderValue>) -> Call {
    let mut shown = url.clone();
    shown.set_query(None);
    Call {
        method: method.clone(),
        url: shown.into(),
        request_id: request_id
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned),
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
    Error::new(call, kind).caused_by(error.without_url())
}

impl RestClient for Transport {
    type Error = Error;

    fn rest_endpoint(&self, endpoint: &str) -> Result<Url, ApiError<Error>> {
        Ok(self.address.endpoint(endpoint)?)
    }
}

#[async_trait]
impl AsyncClient for Transport {
    async fn rest_async(
        &self,
        request: http::request::Builder,
        body: Vec<u8>,
    ) -> Result<Response<Bytes>, ApiError<Error>> {
        let outgoing = Outgoing::of(self, request, body).map_err(ApiError::client)?;
        self.send(&outgoing, WhenLimited::Wait)
            .await
            .map_err(ApiError::client)
    }
}

impl Outgoing {
    fn of(
        transport: &Transport,
        request: http::request::Builder,
        body: Vec<u8>,
    ) -> Result<Self, Error> {
        let unsendable = || {
            Error::new(
                call(&Method::GET, transport.address.root(), None),
                Kind::Unsendable,
            )
        };
        let (parts, body) = request
            .body(body)
            .map_err(|error| unsendable().caused_by(error))?
            .into_parts();
        let url =
            Url::parse(&parts.uri.to_string()).map_err(|error| unsendable().caused_by(error))?;
        Ok(Self {
            method: parts.method,
            url,
            headers: parts.headers,
            body: body.into(),
        })
    }
}
