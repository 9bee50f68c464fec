//! How a call reaches a cluster: one attempt after the other until its outcome is final.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tower::{BoxError, ServiceExt};

use super::access::{Access, AccessError};
use super::circuit_breaker::{CircuitBreaker, CircuitCall};
use super::error::{CallError, CallFailure, Refusal};
use super::limits::Limits;
use super::request::ApiRequest;
use super::retry::RetryBudget;
use super::service::{self, HttpService, ServiceError};
use super::transport_error::{TransportError, Trust};

/// The largest answer that is read.
const MAX_ANSWER: usize = 256 << 20;

/// The connection to one cluster.
pub(crate) struct Connection {
    http: HttpService,
    trust: Trust,
    limits: Limits,
    breaker: CircuitBreaker,
    turns: Semaphore,
}

/// The failure of one attempt, and how long its answer asks to wait.
struct AttemptError {
    failure: Box<CallFailure>,
    wait: Option<Duration>,
    source: Option<BoxError>,
}

impl Connection {
    /// Sets up a connection; nothing is sent.
    pub(crate) fn new(access: &Access, limits: Limits) -> Result<Self, AccessError> {
        let http = service::new(access.config(), limits.connect).map_err(|error| match error {
            ServiceError::Credential => AccessError::Credential,
            error => AccessError::Unusable(Box::new(error)),
        })?;
        Ok(Self {
            http,
            trust: access.trust(),
            breaker: CircuitBreaker::new(&limits),
            turns: Semaphore::new(limits.concurrency.max(1)),
            limits,
        })
    }

    /// Sends a request until its outcome is final, and returns the status and the JSON of the answer.
    /// Dropping the future cancels the call.
    pub(crate) async fn send(
        &self,
        request: &ApiRequest,
    ) -> Result<(StatusCode, Value), CallError> {
        let started = Instant::now();
        let mut retries = RetryBudget::new(request.repeat, &self.limits);
        let circuit = self.breaker.begin();
        let mut attempts = 0_u32;
        let mut uncertain = false;
        let outcome = loop {
            attempts += 1;
            let failed = match self.attempt(request, &circuit, retries.deadline()).await {
                Ok(answer) => break Ok(answer),
                Err(failed) => failed,
            };
            let pause = retries.pause_after(&failed.failure, failed.wait);
            let mut error = CallError::new(&request.call, *failed.failure);
            if let Some(source) = failed.source {
                error = error.caused_by(source);
            }
            let Some(pause) = pause else { break Err(error) };
            tracing::warn!(%error, ?pause, "a call is sent again");
            uncertain |= error.may_have_happened();
            if let Err(open) = circuit.sleep(pause).await {
                break Err(CallError::new(&request.call, open));
            }
        };
        tracing::debug!(
            method = %request.call.method,
            path = request.call.path,
            attempts,
            milliseconds = started.elapsed().as_millis(),
            status = outcome.as_ref().ok().map(|(status, _)| status.as_u16()),
            error = outcome.as_ref().err().map(tracing::field::display),
            "Kubernetes call"
        );
        outcome.map_err(|error| {
            if uncertain {
                error.after_uncertain_attempt()
            } else {
                error
            }
        })
    }

    async fn attempt(
        &self,
        request: &ApiRequest,
        circuit: &CircuitCall<'_>,
        deadline: Instant,
    ) -> Result<(StatusCode, Value), AttemptError> {
        let _turn = match self.turns.try_acquire() {
            Ok(turn) => Some(turn),
            // The semaphore is never closed, so waiting for it ends with a turn.
            Err(_) => circuit
                .rest(async { Ok(self.turns.acquire().await) })
                .await?
                .ok(),
        };
        let sending = build(request).ok_or(TransportError::Unsendable)?;
        let deadline = deadline.min(Instant::now() + self.limits.request);
        let mut source = None;
        let head = async {
            match timeout_at(deadline, self.http.clone().oneshot(sending)).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => {
                    let kind = TransportError::classify(error.as_ref(), self.trust);
                    // The output of a command that fetches a credential may quote it.
                    source = (kind != TransportError::NoCredential).then_some(error);
                    Err(kind)
                }
                Err(_) => Err(TransportError::Interrupted { timed_out: true }),
            }
        };
        let answer = match circuit.attempt(head).await {
            Ok(answer) => answer,
            Err(kind) => {
                return Err(AttemptError {
                    source,
                    ..kind.into()
                });
            }
        };
        let (parts, body) = answer.into_parts();
        let body = circuit.rest(read(body, deadline)).await?;
        check(request, &Response::from_parts(parts, body))
    }
}

fn build(request: &ApiRequest) -> Option<Request<Full<Bytes>>> {
    let mut sending = Request::builder()
        .method(request.call.method.clone())
        .uri(&request.uri)
        .header(header::ACCEPT, request.accept)
        .header(
            header::USER_AGENT,
            concat!("kubernetes-apply/", env!("CARGO_PKG_VERSION")),
        );
    if let Some(content_type) = request.content_type {
        sending = sending.header(header::CONTENT_TYPE, content_type);
    }
    sending.body(Full::new(request.body.clone())).ok()
}

async fn read(body: Incoming, deadline: Instant) -> Result<Bytes, TransportError> {
    let reading = Limited::new(body, MAX_ANSWER).collect();
    match timeout_at(deadline, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(TransportError::TooLarge)
        }
        Ok(Err(_)) => Err(TransportError::Interrupted { timed_out: false }),
        Err(_) => Err(TransportError::Interrupted { timed_out: true }),
    }
}

/// Decides what an answer means.
fn check(
    request: &ApiRequest,
    answer: &Response<Bytes>,
) -> Result<(StatusCode, Value), AttemptError> {
    let status = answer.status();
    let wait = retry_after(answer.headers());
    if status.is_success()
        && let Ok(json) = serde_json::from_slice(answer.body())
    {
        return Ok((status, json));
    }
    let refusal = Refusal::parse(status, answer.body(), request.quotes_secrets)
        .or_else(|| Refusal::unknown_path(status, answer.body()));
    let failure = match refusal.filter(|_| !status.is_success()) {
        Some(refusal) => CallFailure::Refused(refusal),
        None => TransportError::NotTheApi { status, wait }.into(),
    };
    Err(AttemptError {
        failure: Box::new(failure),
        wait,
        source: None,
    })
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

impl From<TransportError> for AttemptError {
    fn from(kind: TransportError) -> Self {
        Self {
            failure: Box::new(kind.into()),
            wait: None,
            source: None,
        }
    }
}
