//! How a call reaches a server: one attempt after the other until its outcome is final.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::{BodyExt, Limited};
use http_resilience::{CircuitBreaker, CircuitCall, RetryBudget};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder};
use terraform_plugin::waiting::waiting_for;
use tokio::time::{Instant, timeout_at};

use super::error::{Call, Error, ErrorKind};
use super::options::{CaError, Limits, SetupError};
use super::rate_limiter::{RateLimit, RateLimiter};
use super::request::Request;
use super::transport_error::{ConnectFailure, TransportError};
use super::trust::handshake_error;

type BoxError = Box<dyn StdError + Send + Sync>;

/// What a client needs to know about the kind of its server.
pub(in crate::backends) struct Server {
    /// How logs name it.
    pub(in crate::backends) name: &'static str,
    /// The names of its rate limits that count all calls.
    pub(in crate::backends) limits_on_all_calls: &'static [&'static str],
}

/// An HTTP client of one server.
#[derive(Debug)]
pub(in crate::backends) struct HttpClient {
    server: &'static str,
    client: Client,
    private_ca: bool,
    limits: Limits,
    breaker: CircuitBreaker<Error<TransportError>>,
    limiter: RateLimiter,
}

impl HttpClient {
    /// Sets up a client; nothing is sent.
    ///
    /// `ca_pem` are authorities that are trusted besides the system's; `headers` go with every request.
    pub(in crate::backends) fn new(
        server: &Server,
        limits: &Limits,
        ca_pem: Option<&str>,
        headers: HeaderMap,
    ) -> Result<Self, SetupError> {
        let builder = client_builder(ca_pem)?
            .connect_timeout(limits.connect)
            .default_headers(headers);
        Ok(Self {
            server: server.name,
            client: builder.build().map_err(SetupError::Client)?,
            private_ca: ca_pem.is_some(),
            limits: limits.clone(),
            breaker: CircuitBreaker::new(
                server.name,
                limits.open_circuit_after,
                limits.probe_interval,
            ),
            limiter: RateLimiter::new(server.name, server.limits_on_all_calls),
        })
    }

    /// Returns the retries of a call that consists of several requests.
    pub(in crate::backends) fn retries(&self, repeatable: bool) -> RetryBudget {
        RetryBudget::new(repeatable, self.limits.call, self.limits.first_retry)
    }

    /// Returns the limit that an answer names.
    pub(in crate::backends) fn named_limit(&self, headers: &HeaderMap) -> Option<RateLimit> {
        self.limiter.named_limit(headers)
    }

    /// Returns for how long rate limits have held calls back so far.
    pub(in crate::backends) fn held_for(&self) -> Duration {
        self.limiter.held_for()
    }

    /// Sends a request until its outcome is final. Dropping the future cancels the call.
    ///
    /// `check` decides what an answer means.
    pub(in crate::backends) async fn send<K: ErrorKind, T>(
        &self,
        request: &Request,
        check: impl Fn(Response<Bytes>) -> Result<T, Error<K>>,
    ) -> Result<T, Error<K>> {
        let started = Instant::now();
        let mut retries = self.retries(request.repeatable);
        let no_answer = TransportError::Interrupted { timed_out: true };
        let no_answer = Error::new(request.call.clone(), no_answer);
        let circuit = self.breaker.begin(no_answer);
        let call = request.call.clone();
        let _waiting = waiting_for(move || format!("the answer to {} {}", call.method, call.url));
        let mut attempts = 0_u32;
        let mut uncertain = false;
        let mut status;
        let outcome = loop {
            attempts += 1;
            let answer = self.attempt(request, &circuit, retries.deadline()).await;
            status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
            let error = match answer.map_err(|error| embed(&error)).and_then(&check) {
                Ok(accepted) => break Ok(accepted),
                Err(error) => error,
            };
            let Some(wait) = self.wait_after(&error, request, &mut retries) else {
                break Err(error);
            };
            uncertain |= error.may_have_happened();
            let is_limited = matches!(error.transport(), Some(TransportError::Limited { .. }));
            let _held = is_limited.then(|| self.limiter.hold());
            if let Err(error) = circuit.sleep_until(Instant::now() + wait).await {
                break Err(embed(&error));
            }
        };
        let outcome = outcome.map_err(|error| {
            if uncertain {
                error.after_uncertain_attempt()
            } else {
                error
            }
        });
        tracing::debug!(
            method = %request.call.method,
            path = request.url.path(),
            status,
            attempts,
            milliseconds = started.elapsed().as_millis(),
            error = outcome.as_ref().err().map(tracing::field::display),
            "{} call",
            self.server
        );
        outcome
    }

    /// Decides what comes after a failure: the wait before the next attempt, or `None` if the failure is final.
    fn wait_after<K: ErrorKind>(
        &self,
        error: &Error<K>,
        request: &Request,
        retries: &mut RetryBudget,
    ) -> Option<Duration> {
        let Some(TransportError::Limited { limit, wait }) = error.transport() else {
            let wait = pause_after(retries, error.kind())?;
            tracing::warn!(server = self.server, %error, ?wait, "a call is sent again");
            return Some(wait);
        };
        if request.fails_at(limit) {
            if let Some(wait) = wait {
                self.limiter.block(&request.route, limit, *wait);
            }
            return None;
        }
        let wait = pause_after(retries, error.kind())?;
        self.limiter.block(&request.route, limit, wait);
        Some(wait)
    }

    /// Sends once, as soon as no rate limit holds the call back.
    async fn attempt(
        &self,
        request: &Request,
        circuit: &CircuitCall<'_, Error<TransportError>>,
        deadline: Instant,
    ) -> Result<Response<Bytes>, Error<TransportError>> {
        while let Some((lifted_at, limit)) = self.limiter.blocked_until(&request.route) {
            if lifted_at >= deadline || request.fails_at(&limit) {
                let wait = Some(lifted_at.duration_since(Instant::now()));
                let limited = TransportError::Limited { limit, wait };
                return Err(Error::new(request.call.clone(), limited));
            }
            let call = request.call.clone();
            let _waiting = waiting_for(move || {
                format!("a rate limit that holds back {} {}", call.method, call.url)
            });
            let _held = self.limiter.hold();
            circuit.sleep_until(lifted_at).await?;
        }
        let sending = self
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .build()
            .map_err(|error| self.transport_error(&request.call, error))?;
        let deadline = deadline.min(Instant::now() + self.limits.request);
        let head = self.within(deadline, &request.call, self.client.execute(sending));
        let answer: Response<reqwest::Body> = circuit.attempt(head).await?.into();
        self.limiter.observe(&request.route, answer.headers());
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, request.max_answer);
        let body = self.within(deadline, &request.call, body.collect());
        let body = circuit.rest(body).await?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    async fn within<T, E: Into<BoxError>>(
        &self,
        deadline: Instant,
        call: &Call,
        exchange: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error<TransportError>> {
        let timed_out = TransportError::Interrupted { timed_out: true };
        let outcome = timeout_at(deadline, exchange).await;
        outcome
            .map_err(|_| Error::new(call.clone(), timed_out))?
            .map_err(|error| match error.into().downcast::<reqwest::Error>() {
                Ok(error) => self.transport_error(call, *error),
                // Only the limit of the body fails in another way.
                Err(_) => Error::new(call.clone(), TransportError::TooLarge),
            })
    }

    fn transport_error(&self, call: &Call, error: reqwest::Error) -> Error<TransportError> {
        let kind = if let Some(handshake) = handshake_error(&error, self.private_ca) {
            handshake
        } else if error.is_builder() {
            TransportError::Unsendable
        } else if error.is_connect() {
            let reason = connect_failure(&error);
            TransportError::Unreachable { reason }
        } else {
            let timed_out = error.is_timeout();
            TransportError::Interrupted { timed_out }
        };
        if is_source_readable(&kind) {
            Error::caused_by(call.clone(), kind, error.without_url())
        } else {
            Error::new(call.clone(), kind)
        }
    }
}

/// Decides after a failure: the wait before the next attempt, or `None` if the failure is final.
pub(in crate::backends) fn pause_after(
    retries: &mut RetryBudget,
    failure: &impl ErrorKind,
) -> Option<Duration> {
    let requested = failure.transport().and_then(TransportError::requested_wait);
    retries.pause_after(failure.retry_reason()?, requested)
}

/// Makes a failure of the transport an error of a back end.
fn embed<K: ErrorKind>(error: &Error<TransportError>) -> Error<K> {
    error.with_kind(error.kind().clone())
}

fn client_builder(ca_pem: Option<&str>) -> Result<ClientBuilder, CaError> {
    let client = Client::builder().redirect(Policy::none()).tcp_nodelay(true);
    let Some(pem) = ca_pem else {
        return Ok(client);
    };
    let certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(CaError::NotPem)?;
    if certificates.is_empty() {
        return Err(CaError::Empty);
    }
    Ok(client.tls_certs_merge(certificates))
}

fn connect_failure(error: &reqwest::Error) -> ConnectFailure {
    if error.is_timeout() {
        return ConnectFailure::TimedOut;
    }
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.to_string() == "dns error" {
            return ConnectFailure::Unresolved;
        }
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        if io == Some(io::ErrorKind::ConnectionRefused) {
            return ConnectFailure::Refused;
        }
        source = cause.source();
    }
    ConnectFailure::Other
}

/// Whether the HTTP library's own text is fit for users: for a failed look-up it is a dump of the query.
fn is_source_readable(kind: &TransportError) -> bool {
    let reason = ConnectFailure::Unresolved;
    !matches!(kind, TransportError::NotTls) && *kind != TransportError::Unreachable { reason }
}
