//! Middleware of all requests: journal, faults, latency and common response headers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::fault::{Failure, Fault};
use super::journal::JournalEntry;
use crate::instance::Instance;

/// Prefix of the control endpoints, which bypass the middleware.
const CONTROL: &str = "/-/emulator";
const API: &str = "/api/";

/// Marks a response that must not be sent; the connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DropConnection;

/// Handles a request with journal, faults, latency and common headers.
pub(crate) async fn middleware(
    State(instance): State<Arc<Instance>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with(CONTROL) {
        return next.run(request).await;
    }
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|matched| matched.as_str().trim_start_matches("/api/v4").to_owned());
    let started = Instant::now();
    let number = instance.journal.begin(JournalEntry {
        number: 0,
        method: method.to_string(),
        path: path.clone(),
        route: route.unwrap_or_else(|| git_service(&path)),
        query: without_tokens(request.uri().query().unwrap_or_default()),
        status: None,
        began_at: instance.now().millis(),
        took: None,
        held: false,
    });
    let not_modified = request.headers().get(header::IF_NONE_MATCH).cloned();
    let is_api_read = path.starts_with(API) && matches!(method, Method::GET | Method::HEAD);
    if is_api_read {
        let millis = instance.store.read().switches.get().latency_read;
        sleep(millis).await;
    }
    let fault = instance.faults.take(method.as_str(), &path);
    let mut response = match fault {
        Some(fault) => faulty(&instance, number, fault, request, next).await,
        None => next.run(request).await,
    };
    if path.starts_with(API) {
        add_headers(&mut response);
    }
    if is_api_read && response.status() == StatusCode::OK {
        response = conditional(response, not_modified.as_ref());
    }
    let is_dropped = response.extensions().get::<DropConnection>().is_some();
    let status = (!is_dropped).then(|| response.status().as_u16());
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    instance.journal.end(number, status, took);
    response
}

async fn faulty(
    instance: &Instance,
    number: u64,
    fault: Fault,
    request: Request,
    next: Next,
) -> Response {
    let mut inner = None;
    let mut waiting = Some((request, next));
    if (fault.after_effect || matches!(fault.failure, Failure::Hang { millis: Some(_) }))
        && let Some((request, next)) = waiting.take()
    {
        inner = Some(next.run(request).await);
    }
    if let Some(api_error) = fault.failure.api_error(instance.now()) {
        return api_error.into_response();
    }
    if matches!(fault.failure, Failure::Hang { .. }) {
        instance.journal.hold(number);
    }
    match (&fault.failure, inner) {
        (
            Failure::Hang {
                millis: Some(millis),
            },
            Some(inner),
        ) => {
            sleep(*millis).await;
            inner
        }
        (Failure::Hang { .. }, _) => std::future::pending().await,
        _ => {
            let mut response = Response::default();
            response.extensions_mut().insert(DropConnection);
            response
        }
    }
}

fn add_headers(response: &mut Response) {
    let request_id = uuid::Uuid::new_v4().simple().to_string();
    let fixed = [
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "Origin"),
        (header::CACHE_CONTROL, "max-age=0, private, must-revalidate"),
        (
            HeaderName::from_static("x-gitlab-meta"),
            r#"{"version":"1"}"#,
        ),
        (HeaderName::from_static("x-runtime"), "0.01"),
        (HeaderName::from_static("x-request-id"), request_id.as_str()),
    ];
    for (name, value) in fixed {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().entry(name).or_insert(value);
        }
    }
}

/// Responds 304 if the client has the current version.
fn conditional(response: Response, known: Option<&HeaderValue>) -> Response {
    let Some(known) = known.and_then(|known| known.to_str().ok()) else {
        return response;
    };
    let tag = response
        .headers()
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok());
    let is_known = tag.is_some_and(|tag| known.split(',').any(|known| known.trim() == tag));
    if !is_known {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, axum::body::Body::empty())
}

fn git_service(path: &str) -> String {
    ["info/refs", "git-upload-pack", "git-receive-pack"]
        .into_iter()
        .find(|service| path.ends_with(service))
        .unwrap_or_default()
        .to_owned()
}

fn without_tokens(query: &str) -> String {
    let pairs: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !matches!(name, "private_token" | "access_token" | "job_token")
        })
        .collect();
    pairs.join("&")
}

async fn sleep(millis: u64) {
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
