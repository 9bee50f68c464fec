//! Git over HTTP: GitLab's access checks in front of git's own services
//! (GitLab `app/controllers/repositories/git_http_controller.rb`, `lib/gitlab/git_access.rb`).

mod access;
mod credential;
mod path;
mod process;
mod push;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;

pub(crate) use push::write_hooks;

use crate::instance::Instance;
use crate::web::client::ClientAddress;
use access::{AccessError, Grant};
use path::{Endpoint, GitPath, Service};

/// Serves a request outside the API.
pub(crate) async fn serve(instance: Arc<Instance>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let Some(GitPath {
        project,
        has_suffix,
        endpoint,
    }) = path::parse(&path)
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if request.method() == Method::HEAD {
        return StatusCode::FORBIDDEN.into_response();
    }
    if !has_suffix {
        return redirect(&instance, &path, &project, &query);
    }
    let service = match endpoint {
        Endpoint::InfoRefs => {
            let named = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("service="));
            match named.and_then(Service::from_name) {
                Some(service) => service,
                // Dumb HTTP is not supported.
                None => return StatusCode::FORBIDDEN.into_response(),
            }
        }
        Endpoint::Rpc(service) => service,
    };
    let (parts, body) = request.into_parts();
    let grant = match authorize(&instance, &project, service, &parts.headers) {
        Ok(grant) => grant,
        Err(refused) => return refused.into_response(),
    };
    let address = parts
        .extensions
        .get::<ClientAddress>()
        .map(|client| client.0.ip().to_string());
    if let Err(api_error) = instance.throttle_git(grant.user, &address.unwrap_or_default()) {
        return api_error.into_response();
    }
    let protocol = parts.headers.get("git-protocol").cloned();
    match endpoint {
        Endpoint::InfoRefs => advertise(&instance, &grant, service, protocol.as_ref()).await,
        Endpoint::Rpc(service) => {
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(_) => return StatusCode::BAD_REQUEST.into_response(),
            };
            let Ok(body) = decoded(&parts.headers, body) else {
                return StatusCode::BAD_REQUEST.into_response();
            };
            match service {
                Service::UploadPack => fetch(&instance, &grant, body, protocol.as_ref()),
                Service::ReceivePack => {
                    push::receive(&instance, &grant, body, protocol.as_ref()).await
                }
            }
        }
    }
}

fn redirect(instance: &Instance, path: &str, project: &str, query: &str) -> Response {
    let rest = path
        .trim_start_matches('/')
        .get(project.len()..)
        .unwrap_or_default();
    let query = if query.is_empty() {
        String::new()
    } else {
        format!("?{query}")
    };
    let location = format!("{}/{project}.git{rest}{query}", instance.url());
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn authorize(
    instance: &Instance,
    project: &str,
    service: Service,
    headers: &HeaderMap,
) -> Result<Grant, AccessError> {
    let now = instance.now();
    let actor = {
        let state = instance.store.read();
        credential::actor(instance, &state, headers, now)?
    };
    if service == Service::ReceivePack {
        access::create_on_push(instance, &actor, project, now);
    }
    let state = instance.store.read();
    access::check(&state, &actor, project, service, now)
}

/// Decompresses a request body; git compresses large ones.
fn decoded(headers: &HeaderMap, body: Bytes) -> std::io::Result<Bytes> {
    let is_gzip = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|value| value == "gzip");
    if !is_gzip {
        return Ok(body);
    }
    let mut plain = Vec::new();
    std::io::copy(&mut flate2::read::GzDecoder::new(body.as_ref()), &mut plain)?;
    Ok(plain.into())
}

async fn advertise(
    instance: &Instance,
    grant: &Grant,
    service: Service,
    protocol: Option<&HeaderValue>,
) -> Response {
    let folder = instance.repositories.path(grant.project.number());
    match process::advertise(instance, service, &folder, protocol).await {
        Ok(references) => {
            let name = service.name();
            let line = format!("# service={name}\n");
            let mut body = format!("{:04x}{line}0000", line.len() + 4).into_bytes();
            body.extend(references);
            git_response(
                &format!("application/x-{name}-advertisement"),
                Body::from(body),
            )
        }
        Err(error) => unavailable(&error),
    }
}

fn fetch(
    instance: &Instance,
    grant: &Grant,
    body: Bytes,
    protocol: Option<&HeaderValue>,
) -> Response {
    let folder = instance.repositories.path(grant.project.number());
    match process::upload_pack(instance, &folder, body, protocol) {
        Ok(stream) => git_response("application/x-git-upload-pack-result", stream),
        Err(error) => unavailable(&error),
    }
}

fn git_response(kind: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn unavailable(error: &std::io::Error) -> Response {
    tracing::error!(%error, "could not run git");
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}
