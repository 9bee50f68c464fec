//! The server: the router, and the loop that accepts connections.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodFilter;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::api_error::{ApiError, ErrorBody};
use super::call::Call;
use super::client::ClientAddress;
use super::middleware::{DropConnection, middleware};
use super::params::Raw;
use super::reply::ApiResult;
use super::route::Route;
use super::{auth, form};
use crate::instance::Instance;
use crate::{api, control, git_http};

/// Largest accepted body (GitLab `commits_body_uploader_helper.rb`).
const MAX_BODY_SIZE: usize = 300 * 1024 * 1024;

/// Builds the router of an instance.
pub(crate) fn router(instance: &Arc<Instance>) -> Router {
    let mut router = Router::new();
    for route in api::routes() {
        router = add(router, instance, route);
    }
    let fallback = Arc::clone(instance);
    router
        .merge(control::router(instance))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(move |request: Request| other(Arc::clone(&fallback), request))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(instance),
            middleware,
        ))
}

fn add(router: Router, instance: &Arc<Instance>, route: Route) -> Router {
    let path = format!("/api/v4{}", route.path);
    let Ok(filter) = MethodFilter::try_from(route.method.clone()) else {
        return router;
    };
    let instance = Arc::clone(instance);
    let route = Arc::new(route);
    let handler = move |captures: RawPathParams,
                        Extension(ClientAddress(address)): Extension<ClientAddress>,
                        request: Request| {
        let captures = captures
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let captures: Vec<_> = captures.collect();
        let (instance, route) = (Arc::clone(&instance), Arc::clone(&route));
        async move { api_response(instance, route, captures, address.ip().to_string(), request).await }
    };
    router.route(&path, axum::routing::on(filter, handler))
}

async fn api_response(
    instance: Arc<Instance>,
    route: Arc<Route>,
    captures: Vec<(String, String)>,
    address: String,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY_SIZE).collect().await else {
        let text = "413 Request Entity Too Large";
        return ApiError::message(StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
    };
    let body = body.to_bytes();
    // Handlers block on files and injected latency.
    let result = tokio::task::spawn_blocking(move || {
        let query = parts.uri.query().unwrap_or_default();
        let raw = parameters(&route, query, &parts.headers, &body);
        let now = instance.now();
        let (raw, malformed) = match raw {
            Ok(raw) => (raw, None),
            Err(api_error) => (Raw(form::parse(query)), Some(api_error)),
        };
        let identity = {
            let state = instance.store.read();
            auth::identify(&state, &route, &parts.headers, &raw, now)
        };
        let mut call = Call {
            instance: &instance,
            identity: auth::Identity::default(),
            method: parts.method.clone(),
            path: parts.uri.path(),
            query,
            headers: &parts.headers,
            body,
            captures,
            raw,
            address,
            now,
        };
        let throttle = instance.throttle_api(identity.as_ref().ok(), &call.address, now)?;
        let result = handle(&route, &mut call, identity, malformed)
            .map_err(|api_error| api_error.with_texts(&instance.store.read().switches.get().texts));
        let mut response = result.into_response();
        response.headers_mut().extend(throttle);
        Ok::<Response, ApiError>(response)
    })
    .await;
    match result {
        Ok(response) => response.into_response(),
        Err(error) => {
            tracing::error!(%error, "an endpoint panicked");
            ApiError::internal().into_response()
        }
    }
}

fn handle(
    route: &Route,
    call: &mut Call<'_>,
    identity: Result<auth::Identity, ApiError>,
    malformed: Option<ApiError>,
) -> ApiResult {
    call.identity = identity?;
    if let Some(malformed) = malformed {
        return Err(malformed);
    }
    if let Some(token) = call.identity.token {
        call.instance.record_use(token, call.now);
    }
    if let Some(limited) = route.limit {
        call.count(limited, "")?;
    }
    route.handle(call)
}

/// Parses the parameters of query and body; path segments take precedence.
fn parameters(
    route: &Route,
    query: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Raw, ApiError> {
    let mut map = form::parse(query);
    if body.is_empty() {
        return Ok(Raw(map));
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("application/x-www-form-urlencoded");
    let media = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_commit = route.path.ends_with("/repository/commits");
    match media.as_str() {
        "application/json" => match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(object)) => map.extend(object),
            Ok(_) => {}
            Err(_) if is_commit => {
                let shape = ErrorBody::MessageAndError("Invalid json".to_owned());
                return Err(ApiError::new(StatusCode::BAD_REQUEST, shape));
            }
            Err(_) => return Err(ApiError::parameter("problem while parsing body")),
        },
        "application/x-www-form-urlencoded" => {
            map.extend(form::parse(&String::from_utf8_lossy(body)));
        }
        "multipart/form-data" => map.extend(multipart(kind, body)),
        _ if is_commit => {
            return Err(ApiError::bad_request(format!(
                "Unsupported Content-Type: {media}"
            )));
        }
        _ => {
            let text = format!("The provided content-type '{media}' is not supported.");
            let shape = ErrorBody::Error(text);
            return Err(ApiError::new(StatusCode::NOT_ACCEPTABLE, shape));
        }
    }
    Ok(Raw(map))
}

/// Parses the text fields of a multipart form.
fn multipart(kind: &str, body: &[u8]) -> Map<String, Value> {
    let mut map = Map::new();
    let boundary = kind
        .split("boundary=")
        .nth(1)
        .unwrap_or_default()
        .trim_matches('"');
    let text = String::from_utf8_lossy(body);
    for part in text.split(&format!("--{boundary}")) {
        let Some((head, content)) = part.split_once("\r\n\r\n") else {
            continue;
        };
        let name = head
            .split("name=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        if let Some(name) = name {
            let content = content.strip_suffix("\r\n").unwrap_or(content);
            form::insert(&mut map, name, content.to_owned());
        }
    }
    map
}

async fn method_not_allowed() -> Response {
    let shape = ErrorBody::Error("405 Not Allowed".to_owned());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, shape).into_response()
}

/// Serves paths that match no API route: unknown and old API paths, and git.
async fn other(instance: Arc<Instance>, request: Request) -> Response {
    let path = request.uri().path();
    if path == "/api/v3" || path.starts_with("/api/v3/") {
        let text = "API V3 is no longer supported. Use API V4 instead.";
        return ApiError::new(StatusCode::GONE, ErrorBody::Error(text.to_owned())).into_response();
    }
    if path.starts_with("/api/") {
        let shape = ErrorBody::Error("404 Not Found".to_owned());
        return ApiError::new(StatusCode::NOT_FOUND, shape).into_response();
    }
    git_http::serve(instance, request).await
}

/// Accepts connections until `stop` is set, then waits for the running requests.
pub(crate) async fn accept(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let Ok((stream, address)) = accepted else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(ClientAddress(address));
            let response = service.call(request.map(Body::new));
            async move { sendable(response.await) }
        });
        let mut stop = stop.clone();
        connections.spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => {}
                () = stopped(&mut stop) => {
                    connection.as_mut().graceful_shutdown();
                    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), connection).await;
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
}

/// Waits until `stop` is set.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which also means stop.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Turns the marker of a dropped call into an error, which closes the connection.
fn sendable(response: Result<Response, Infallible>) -> Result<Response, std::io::Error> {
    match response {
        Ok(response) if response.extensions().get::<DropConnection>().is_some() => {
            Err(std::io::ErrorKind::ConnectionAborted.into())
        }
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
