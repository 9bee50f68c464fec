//! The server: the router of all surfaces, and the loop that accepts connections.

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

use super::around::{Dropped, around};
use super::call::Call;
use super::client::ClientAddress;
use super::params::Raw;
use super::refusal::{Refusal, Shape};
use super::reply::Answer;
use super::route::Route;
use super::{auth, form};
use crate::instance::Instance;
use crate::{api, control, git_http};

/// The largest body of a commit (GitLab `commits_body_uploader_helper.rb`).
const LARGEST_BODY: usize = 300 * 1024 * 1024;

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
            around,
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
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        let text = "413 Request Entity Too Large";
        return Refusal::message(StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
    };
    let body = body.to_bytes();
    // Endpoints work on files and take as long as that takes.
    let answer = tokio::task::spawn_blocking(move || {
        let query = parts.uri.query().unwrap_or_default();
        let raw = parameters(&route, query, &parts.headers, &body);
        let now = instance.now();
        let (raw, malformed) = match raw {
            Ok(raw) => (raw, None),
            Err(refusal) => (Raw(form::parse(query)), Some(refusal)),
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
        let answer = answer(&route, &mut call, identity, malformed)
            .map_err(|refusal| refusal.worded(&instance.store.read().switches.get().texts));
        let mut response = answer.into_response();
        response.headers_mut().extend(throttle);
        Ok::<Response, Refusal>(response)
    })
    .await;
    match answer {
        Ok(answer) => answer.into_response(),
        Err(error) => {
            tracing::error!(%error, "an endpoint panicked");
            Refusal::internal().into_response()
        }
    }
}

fn answer(
    route: &Route,
    call: &mut Call<'_>,
    identity: Result<auth::Identity, Refusal>,
    malformed: Option<Refusal>,
) -> Answer {
    call.identity = identity?;
    if let Some(malformed) = malformed {
        return Err(malformed);
    }
    if let Some(token) = call.identity.token {
        call.instance.note_use(token, call.now);
    }
    if let Some(limited) = route.limit {
        call.count(limited, "")?;
    }
    route.answer(call)
}

/// Reads the parameters of query and body; the segments of the path go before both.
fn parameters(
    route: &Route,
    query: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Raw, Refusal> {
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
                let shape = Shape::MessageAndError("Invalid json".to_owned());
                return Err(Refusal::new(StatusCode::BAD_REQUEST, shape));
            }
            Err(_) => return Err(Refusal::parameter("problem while parsing body")),
        },
        "application/x-www-form-urlencoded" => {
            map.extend(form::parse(&String::from_utf8_lossy(body)));
        }
        "multipart/form-data" => map.extend(multipart(kind, body)),
        _ if is_commit => {
            return Err(Refusal::bad_request(format!(
                "Unsupported Content-Type: {media}"
            )));
        }
        _ => {
            let text = format!("The provided content-type '{media}' is not supported.");
            let shape = Shape::Error(text);
            return Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, shape));
        }
    }
    Ok(Raw(map))
}

/// Reads the text fields of a multipart form.
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
    let shape = Shape::Error("405 Not Allowed".to_owned());
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, shape).into_response()
}

/// Answers what no route of the API matches: old and unknown API paths, and git.
async fn other(instance: Arc<Instance>, request: Request) -> Response {
    let path = request.uri().path();
    if path == "/api/v3" || path.starts_with("/api/v3/") {
        let text = "API V3 is no longer supported. Use API V4 instead.";
        return Refusal::new(StatusCode::GONE, Shape::Error(text.to_owned())).into_response();
    }
    if path.starts_with("/api/") {
        let shape = Shape::Error("404 Not Found".to_owned());
        return Refusal::new(StatusCode::NOT_FOUND, shape).into_response();
    }
    git_http::serve(instance, request).await
}

/// Accepts connections until told to stop, then lets running requests end.
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
            let answer = service.call(request.map(Body::new));
            async move { sendable(answer.await) }
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

/// Waits until the emulator is told to stop.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody can tell any more, which is the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Turns the answer of a dropped call into an error, upon which the connection ends.
fn sendable(answer: Result<Response, Infallible>) -> Result<Response, std::io::Error> {
    match answer {
        Ok(response) if response.extensions().get::<Dropped>().is_some() => {
            Err(std::io::ErrorKind::ConnectionAborted.into())
        }
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
