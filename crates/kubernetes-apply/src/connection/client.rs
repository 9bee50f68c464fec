//! How a call reaches a cluster: one attempt after the other until its outcome is final.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use http_resilience::{CircuitBreaker, CircuitCall, RetryBudget, RetryReason};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tower::ServiceExt;

use super::access::{Access, AccessError};
use super::error::{ApiStatus, CallError, CallFailure};
use super::limits::Limits;
use super::request::{ApiRequest, Repeat};
use super::service::{self, HttpService, ServiceError};
use super::transport_error::{TransportError, Trust};

/// The largest answer that is read.
const MAX_ANSWER: usize = 256 << 20;

/// For how long a server that did not answer may refuse what it permits, once it answers again.
const COMING_BACK: Duration = Duration::from_secs(30);

/// The connection to one cluster.
pub(crate) struct Connection {
    http: HttpService,
    trust: Trust,
    limits: Limits,
    breaker: CircuitBreaker<CallError>,
    turns: Semaphore,
    /// When a call last got no answer.
    unanswered_at: Mutex<Option<Instant>>,
    /// Whether a connection is made by answers of the server, as with TLS.
    uses_tls: bool,
    /// Whether silence tells nothing about the server: it has said something before, or a proxy is in between.
    has_contact: AtomicBool,
}

/// The failure of one attempt, and how long the header of its answer asks to wait.
struct AttemptError {
    error: CallError,
    wait: Option<Duration>,
}

impl Connection {
    /// Sets up a connection; nothing is sent.
    pub(crate) fn new(access: &Access, limits: Limits) -> Result<Self, AccessError> {
        let (http, is_proxied) =
            service::new(access.config(), limits.connect).map_err(|error| match error {
                ServiceError::Credential => AccessError::Credential,
                error => AccessError::Unusable(Box::new(error)),
            })?;
        Ok(Self {
            http,
            trust: access.trust(),
            breaker: CircuitBreaker::new(
                "Kubernetes",
                limits.open_circuit_after,
                limits.probe_interval,
            ),
            turns: Semaphore::new(limits.concurrency.max(1)),
            unanswered_at: Mutex::new(None),
            uses_tls: access.config().cluster_url.scheme_str() == Some("https"),
            has_contact: AtomicBool::new(is_proxied),
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
        let is_repeatable = request.repeat == Repeat::Same;
        let Limits {
            call, first_retry, ..
        } = self.limits;
        let mut retries = RetryBudget::new(is_repeatable, call, first_retry);
        let no_answer = TransportError::Interrupted { timed_out: true };
        let circuit = self.breaker.begin(CallError::new(&request.call, no_answer));
        let mut attempts = 0_u32;
        let mut uncertain = false;
        let outcome = loop {
            attempts += 1;
            let failed = match self.attempt(request, &circuit, retries.deadline()).await {
                Ok(answer) => break Ok(answer),
                Err(failed) => failed,
            };
            let AttemptError { error, wait } = failed;
            let kind = error.kind();
            let wait = wait.or_else(|| kind.requested_wait());
            let reason = self.retry_reason(kind);
            let Some(pause) = reason.and_then(|reason| retries.pause_after(reason, wait)) else {
                break Err(error);
            };
            tracing::warn!(%error, ?pause, "a call is sent again");
            uncertain |= error.may_have_happened();
            if let Err(open) = circuit.sleep_until(Instant::now() + pause).await {
                break Err(open);
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
            let error = if uncertain {
                error.after_uncertain_attempt()
            } else {
                error
            };
            if self.has_contact.load(Ordering::Relaxed) {
                error.after_contact()
            } else {
                error
            }
        })
    }

    /// Returns why a call may succeed later. A server that has just come back does not know all bindings yet, and
    /// refuses what it permits a moment later.
    fn retry_reason(&self, failure: &CallFailure) -> Option<RetryReason> {
        let mut unanswered_at = self
            .unanswered_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let has_just_come_back = unanswered_at.is_some_and(|at| at.elapsed() < COMING_BACK);
        match failure {
            CallFailure::Transport(
                TransportError::Unreachable { .. } | TransportError::Interrupted { .. },
            ) => {
                *unanswered_at = Some(Instant::now());
                failure.retry_reason()
            }
            CallFailure::Refused(status)
                if has_just_come_back && matches!(status.code, 401 | 403) =>
            {
                Some(RetryReason::NotReady)
            }
            _ => failure.retry_reason(),
        }
    }

    async fn attempt(
        &self,
        request: &ApiRequest,
        circuit: &CircuitCall<'_, CallError>,
        deadline: Instant,
    ) -> Result<(StatusCode, Value), AttemptError> {
        let _turn = match self.turns.try_acquire() {
            Ok(turn) => Some(turn),
            // The semaphore is never closed, so waiting for it ends with a turn.
            Err(_) => circuit.wait(self.turns.acquire()).await?.ok(),
        };
        let failed = |kind: TransportError| CallError::new(&request.call, kind);
        let mut sending = build(request).ok_or_else(|| failed(TransportError::Unsendable))?;
        let _contact = self.uses_tls.then(|| Contact {
            connection: capture_connection(&mut sending),
            has_contact: &self.has_contact,
        });
        let deadline = deadline.min(Instant::now() + self.limits.request);
        let head = async {
            match timeout_at(deadline, self.http.clone().oneshot(sending)).await {
                Ok(Ok(answer)) => {
                    self.has_contact.store(true, Ordering::Relaxed);
                    Ok(answer)
                }
                Ok(Err(error)) => match TransportError::classify(error.as_ref(), self.trust) {
                    // The output of a command that fetches a credential may quote it.
                    TransportError::NoCredential => Err(failed(TransportError::NoCredential)),
                    kind => Err(failed(kind).caused_by(error)),
                },
                Err(_) => Err(failed(TransportError::Interrupted { timed_out: true })),
            }
        };
        let (parts, body) = circuit.attempt(head).await?.into_parts();
        let body = async { read(body, deadline).await.map_err(failed) };
        let body = circuit.rest(body).await?;
        check(request, &Response::from_parts(parts, body))
    }
}

/// Notes at the end of an attempt whether TLS was agreed on for it, also if the attempt is dropped.
struct Contact<'a> {
    connection: CaptureConnection,
    has_contact: &'a AtomicBool,
}

impl Drop for Contact<'_> {
    fn drop(&mut self) {
        if self.connection.connection_metadata().is_some() {
            self.has_contact.store(true, Ordering::Relaxed);
        }
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
    let body = ApiStatus::parse(status, answer.body(), request.quotes_secrets)
        .or_else(|| ApiStatus::unknown_path(status, answer.body()));
    let failure = match body.filter(|_| !status.is_success()) {
        Some(body) => CallFailure::Refused(body),
        None => TransportError::NotTheApi { status, wait }.into(),
    };
    Err(AttemptError {
        error: CallError::new(&request.call, failure),
        wait,
    })
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

impl From<CallError> for AttemptError {
    fn from(error: CallError) -> Self {
        Self { error, wait: None }
    }
}
