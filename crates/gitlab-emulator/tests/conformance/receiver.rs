//! A receiver of webhooks.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::support::TestInstance;

type Received = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// A receiver that records requests and responds with a chosen status.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: Received,
    status: Arc<AtomicU16>,
}

impl Receiver {
    /// Starts a receiver that responds with 200, and allows local webhooks.
    pub(crate) async fn start(gitlab: &TestInstance) -> Self {
        let local = json!({ "allow_local_requests_from_web_hooks_and_services": true });
        gitlab.root().put("/application/settings", local).await.ok();
        let received = Received::default();
        let status = Arc::new(AtomicU16::new(200));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (into, answer) = (Arc::clone(&received), Arc::clone(&status));
        let router = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
            into.lock()
                .unwrap()
                .push((headers, serde_json::from_slice(&body).unwrap()));
            let status = StatusCode::from_u16(answer.load(Ordering::SeqCst)).unwrap();
            std::future::ready((status, "the receiver's text"))
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            received,
            status,
        }
    }

    /// Sets the status of the following responses.
    pub(crate) fn respond(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Waits for pending deliveries, then returns and forgets the received ones.
    pub(crate) async fn take(&self, gitlab: &TestInstance) -> Vec<(HeaderMap, Value)> {
        gitlab.emulator.wait_until_idle().await;
        std::mem::take(&mut *self.received.lock().unwrap())
    }
}
