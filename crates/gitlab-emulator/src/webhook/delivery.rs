//! Webhook deliveries: sent over HTTP, and recorded.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use crate::domain::hook::{Hook, HookEvent};
use crate::domain::hook_health::{AlertStatus, DeliveryResult};
use crate::domain::hook_url::is_valid_url;
use crate::domain::table::Id;
use crate::domain::time::Moment;
use crate::instance::Instance;
use crate::web::server::stopped;

/// GitLab's timeout for receivers.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Number of recorded deliveries.
const MAX_DELIVERIES: usize = 1000;
/// Recorded part of a response in bytes.
const MAX_RESPONSE_BODY_SIZE: usize = 8 * 1024;
/// The status of a delivery without a response.
const INTERNAL_ERROR: &str = "internal error";

/// A delivery to make.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) hook: Id<Hook>,
    pub(crate) event: HookEvent,
    pub(crate) payload: Value,
    pub(crate) idempotency_key: String,
}

impl Request {
    /// Creates a request with a new idempotency key.
    pub(crate) fn new(hook: Id<Hook>, event: HookEvent, payload: Value) -> Self {
        Self {
            hook,
            event,
            payload,
            idempotency_key: new_uuid(),
        }
    }
}

/// The receiver's response.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    pub(crate) status: u16,
    pub(crate) body: String,
    headers: Map<String, Value>,
}

/// An error that kept a receiver from responding, with GitLab's text.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// The hook was deleted.
    #[error("Hook not found")]
    NoHook,
    /// The hook is disabled.
    #[error("Hook disabled")]
    Disabled,
    /// The request failed.
    #[error("{0}")]
    Failed(String),
}

/// A delivery that was made.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    id: u64,
    #[serde(skip)]
    request: RecordedRequest,
    url: String,
    trigger: &'static str,
    request_headers: Map<String, Value>,
    request_data: Value,
    response_headers: Map<String, Value>,
    response_body: String,
    execution_duration: f64,
    response_status: String,
    created_at: String,
}

/// The parts of a delivery that are not shown.
#[derive(Clone, Debug)]
struct RecordedRequest {
    hook: Id<Hook>,
    event: HookEvent,
    /// The URL with its variables filled in.
    target: String,
    idempotency_key: String,
    at: Moment,
}

impl Delivery {
    /// Returns whether the hook had this URL, variables included.
    pub(crate) fn has_target(&self, target: &str) -> bool {
        self.request.target == target
    }

    /// Returns the time of the delivery.
    pub(crate) const fn at(&self) -> Moment {
        self.request.at
    }

    /// Returns the status of the response; `None` if there was none.
    pub(crate) fn status(&self) -> Option<u16> {
        self.response_status.parse().ok()
    }

    /// Returns the same request again.
    pub(crate) fn repeat(&self) -> Request {
        Request {
            hook: self.request.hook,
            event: self.request.event,
            payload: self.request_data.clone(),
            idempotency_key: self.request.idempotency_key.clone(),
        }
    }
}

/// Recorded deliveries, and the number of queued ones.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    recorded: Mutex<Vec<Delivery>>,
    queued: AtomicUsize,
    verifying_client: OnceLock<Option<Client>>,
    lenient_client: OnceLock<Option<Client>>,
}

impl Deliveries {
    /// Returns the deliveries of a hook, newest first.
    pub(crate) fn for_hook(&self, hook: Id<Hook>) -> Vec<Delivery> {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded
            .iter()
            .rev()
            .filter(|delivery| delivery.request.hook == hook)
            .cloned()
            .collect()
    }

    /// Returns a delivery of a hook.
    pub(crate) fn find(&self, hook: Id<Hook>, id: u64) -> Option<Delivery> {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded
            .iter()
            .find(|delivery| delivery.request.hook == hook && delivery.id == id)
            .cloned()
    }

    /// Records that a delivery was queued.
    pub(crate) fn begin(&self) {
        self.queued.fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self) {
        self.queued.fetch_sub(1, Ordering::SeqCst);
    }

    /// Returns whether no delivery is queued.
    pub(crate) fn is_idle(&self) -> bool {
        self.queued.load(Ordering::SeqCst) == 0
    }

    fn record(&self, mut delivery: Delivery) {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        delivery.id = recorded.last().map_or(1, |last| last.id + 1);
        recorded.push(delivery);
        if recorded.len() > MAX_DELIVERIES {
            recorded.remove(0);
        }
    }

    fn client(&self, verifies_certificates: bool) -> Option<&Client> {
        let client = if verifies_certificates {
            &self.verifying_client
        } else {
            &self.lenient_client
        };
        client
            .get_or_init(|| new_client(verifies_certificates))
            .as_ref()
    }
}

fn new_client(verifies_certificates: bool) -> Option<Client> {
    // Fails if another user of rustls in this process installed a provider first, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_danger_accept_invalid_certs(!verifies_certificates)
        .build()
        .inspect_err(|error| tracing::error!(%error, "could not create the client for webhooks"))
        .ok()
}

/// Makes the queued deliveries until `stop` is set.
pub(crate) async fn run(
    instance: Arc<Instance>,
    mut requests: UnboundedReceiver<Request>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let request = tokio::select! {
            request = requests.recv() => request,
            () = stopped(&mut stop) => return,
        };
        let Some(request) = request else { return };
        let instance = Arc::clone(&instance);
        tokio::spawn(async move {
            if let Err(error) = deliver(&instance, request).await {
                tracing::debug!(%error, "could not deliver a webhook");
            }
            instance.deliveries.end();
        });
    }
}

/// Makes a delivery unless the hook is disabled.
pub(crate) async fn deliver(
    instance: &Instance,
    request: Request,
) -> Result<Receipt, DeliveryError> {
    let is_disabled = {
        let state = instance.store.read();
        let hook = state.hooks.get(request.hook).ok_or(DeliveryError::NoHook)?;
        let rule = state.switches.get().hook_auto_disabling;
        hook.health.status(rule, instance.now()) != AlertStatus::Executable
    };
    if is_disabled {
        return Err(DeliveryError::Disabled);
    }
    deliver_always(instance, request).await
}

/// Makes a delivery even if the hook is disabled, records it and updates the hook's health.
pub(crate) async fn deliver_always(
    instance: &Instance,
    request: Request,
) -> Result<Receipt, DeliveryError> {
    let (hook, is_valid) = {
        let state = instance.store.read();
        let hook = state.hooks.get(request.hook).ok_or(DeliveryError::NoHook)?;
        let is_valid = is_valid_url(&hook.target(), state.settings.get());
        (hook.clone(), is_valid)
    };
    let headers = headers(instance, &hook, &request);
    let started = Instant::now();
    let result = if is_valid {
        send(instance, &hook, headers.clone(), &request.payload).await
    } else {
        Err(DeliveryError::Failed("URL is blocked".to_owned()))
    };
    let now = instance.now();
    let receipt = result.as_ref().ok();
    instance.deliveries.record(Delivery {
        id: 0,
        // The shown URL has no values of variables, which are secret.
        url: hook.url.clone(),
        trigger: request.event.trigger(),
        request_headers: shown_headers(&hook, &headers),
        response_headers: receipt.map_or_else(Map::new, |receipt| receipt.headers.clone()),
        response_body: receipt.map_or_else(String::new, |receipt| receipt.body.clone()),
        response_status: receipt.map_or_else(
            || INTERNAL_ERROR.to_owned(),
            |receipt| receipt.status.to_string(),
        ),
        execution_duration: started.elapsed().as_secs_f64(),
        created_at: now.to_string(),
        request: RecordedRequest {
            hook: hook.id,
            event: request.event,
            target: hook.target(),
            idempotency_key: request.idempotency_key,
            at: now,
        },
        request_data: request.payload,
    });
    let outcome = match receipt.map(|receipt| receipt.status) {
        Some(200..=399) => DeliveryResult::Success,
        Some(400..=499) => DeliveryResult::ClientError,
        Some(_) | None => DeliveryResult::Failure,
    };
    instance.store.change(|state| {
        let rule = state.switches.get().hook_auto_disabling;
        let before = state.hooks.get(hook.id).map(|hook| hook.health);
        let mut after = before.unwrap_or_default();
        after.record(outcome, rule, now);
        if before != Some(after)
            && let Some(hook) = state.hooks.get_mut(hook.id)
        {
            hook.health = after;
        }
    });
    result
}

async fn send(
    instance: &Instance,
    hook: &Hook,
    headers: HeaderMap,
    payload: &Value,
) -> Result<Receipt, DeliveryError> {
    let failed = |error: reqwest::Error| DeliveryError::Failed(error.without_url().to_string());
    let client = instance
        .deliveries
        .client(hook.verifies_certificates)
        .ok_or_else(|| DeliveryError::Failed(INTERNAL_ERROR.to_owned()))?;
    let response = client
        .post(hook.target())
        .headers(headers)
        .json(payload)
        .send()
        .await
        .map_err(failed)?;
    let status = response.status().as_u16();
    let headers = json_headers(response.headers());
    let body = response.bytes().await.map_err(failed)?;
    let body = body.get(..MAX_RESPONSE_BODY_SIZE).unwrap_or(&body);
    Ok(Receipt {
        status,
        body: String::from_utf8_lossy(body).into_owned(),
        headers,
    })
}

fn headers(instance: &Instance, hook: &Hook, request: &Request) -> HeaderMap {
    let version = instance.store.read().switches.get().version.clone();
    let mut named = vec![
        ("user-agent".to_owned(), format!("GitLab/{version}")),
        (
            "idempotency-key".to_owned(),
            request.idempotency_key.clone(),
        ),
        (
            "x-gitlab-event".to_owned(),
            request.event.header().to_owned(),
        ),
        ("x-gitlab-webhook-uuid".to_owned(), new_uuid()),
        ("x-gitlab-instance".to_owned(), instance.url().to_owned()),
        ("x-gitlab-event-uuid".to_owned(), new_uuid()),
    ];
    if let Some(token) = &hook.token {
        named.push(("x-gitlab-token".to_owned(), token.clone()));
    }
    named.extend(
        hook.custom_headers
            .iter()
            .map(|pair| (pair.key.clone(), pair.value.clone())),
    );
    named
        .into_iter()
        .filter_map(|(name, value)| {
            Some((
                HeaderName::try_from(name).ok()?,
                HeaderValue::try_from(value).ok()?,
            ))
        })
        .collect()
}

/// Returns the headers of a request without the secret values.
fn shown_headers(hook: &Hook, headers: &HeaderMap) -> Map<String, Value> {
    let mut shown = json_headers(headers);
    let secret = hook.custom_headers.iter().map(|pair| pair.key.as_str());
    for name in secret.chain(["x-gitlab-token"]) {
        if let Some(value) = shown.get_mut(&name.to_ascii_lowercase()) {
            *value = json!("[REDACTED]");
        }
    }
    shown
}

fn json_headers(headers: &HeaderMap) -> Map<String, Value> {
    headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), json!(text))
        })
        .collect()
}

fn new_uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}
