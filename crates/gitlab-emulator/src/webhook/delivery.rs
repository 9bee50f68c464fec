//! Webhook deliveries: sent over HTTP, and recorded.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use crate::domain::hook::Hook;
use crate::domain::table::Id;
use crate::instance::Instance;
use crate::web::server::stopped;

/// GitLab's timeout for receivers.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Number of recorded deliveries.
const MAX_DELIVERIES: usize = 1000;

/// A delivery to make.
pub(crate) struct Request {
    pub(crate) hook: Hook,
    /// Name of the event, such as `Push Hook`.
    pub(crate) event: &'static str,
    pub(crate) payload: Value,
}

/// A delivery that was made.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    id: u64,
    #[serde(skip)]
    hook: Id<Hook>,
    url: String,
    trigger: &'static str,
    request_data: Value,
    response_status: String,
    execution_duration: f64,
}

/// Recorded deliveries, newest first, and the number of pending ones.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    made: Mutex<Vec<Delivery>>,
    waiting: AtomicUsize,
}

impl Deliveries {
    /// Returns the deliveries of a hook, newest first.
    pub(crate) fn for_hook(&self, hook: Id<Hook>) -> Vec<Delivery> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter()
            .rev()
            .filter(|delivery| delivery.hook == hook)
            .cloned()
            .collect()
    }

    /// Records that a delivery is pending.
    pub(crate) fn begin(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns whether no delivery is pending.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0
    }

    fn end(&self, mut delivery: Delivery) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        delivery.id = made.last().map_or(1, |last| last.id + 1);
        made.push(delivery);
        if made.len() > MAX_DELIVERIES {
            made.remove(0);
        }
        drop(made);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Makes the queued deliveries until `stop` is set.
pub(crate) async fn run(
    instance: Arc<Instance>,
    mut requests: UnboundedReceiver<Request>,
    mut stop: watch::Receiver<bool>,
) {
    let (strict, lenient) = (client(true), client(false));
    loop {
        let request = tokio::select! {
            request = requests.recv() => request,
            () = stopped(&mut stop) => return,
        };
        let Some(request) = request else { return };
        let client = if request.hook.verifies_certificates {
            strict.clone()
        } else {
            lenient.clone()
        };
        let instance = Arc::clone(&instance);
        tokio::spawn(async move {
            let delivery = deliver(&instance, client, request).await;
            instance.deliveries.end(delivery);
        });
    }
}

fn client(verifies_certificates: bool) -> Option<Client> {
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

async fn deliver(instance: &Instance, client: Option<Client>, request: Request) -> Delivery {
    let Request {
        hook,
        event,
        payload,
    } = request;
    let started = Instant::now();
    let sent = match client {
        Some(client) => {
            client
                .post(hook.target())
                .headers(headers(instance, &hook, event))
                .json(&payload)
                .send()
                .await
        }
        None => return Delivery::failed(&hook, event, payload),
    };
    let status = match sent {
        Ok(response) => response.status().as_u16().to_string(),
        Err(error) => {
            tracing::debug!(%error, "could not deliver a webhook");
            "internal error".to_owned()
        }
    };
    Delivery {
        response_status: status,
        execution_duration: started.elapsed().as_secs_f64(),
        ..Delivery::failed(&hook, event, payload)
    }
}

impl Delivery {
    fn failed(hook: &Hook, trigger: &'static str, request_data: Value) -> Self {
        Self {
            id: 0,
            hook: hook.id,
            // Without the values of the variables, which are secret.
            url: hook.url.clone(),
            trigger,
            request_data,
            response_status: "internal error".to_owned(),
            execution_duration: 0.0,
        }
    }
}

fn headers(instance: &Instance, hook: &Hook, event: &str) -> HeaderMap {
    let version = instance.store.read().switches.get().version.clone();
    let uuid = || uuid::Uuid::new_v4().to_string();
    let event_uuid = uuid();
    let mut named = vec![
        ("user-agent".to_owned(), format!("GitLab/{version}")),
        ("idempotency-key".to_owned(), uuid()),
        ("x-gitlab-event".to_owned(), event.to_owned()),
        ("x-gitlab-webhook-uuid".to_owned(), uuid()),
        ("x-gitlab-instance".to_owned(), instance.url().to_owned()),
        ("x-gitlab-event-uuid".to_owned(), event_uuid),
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
