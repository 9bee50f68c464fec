//! Forwards a call to the server.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Request, Response, StatusCode, header};
use reqwest::Certificate;

use super::fault::Failure;
use super::{Journal, Shared};
use crate::{Call, Error, Hold};

/// The server behind the proxy.
#[derive(Debug)]
pub(super) struct Forward {
    upstream: String,
    prefix: &'static str,
    client: reqwest::Client,
}

/// The body of a response: of the proxy, or of the server.
type Body = Either<Full<Bytes>, reqwest::Body>;

/// Closes the connection without a response.
type ConnectionError = Box<dyn std::error::Error + Send + Sync>;

impl Forward {
    /// `authority` is the PEM text of a private certificate authority of the server.
    pub(super) fn new(
        upstream: &str,
        prefix: &'static str,
        authority: Option<&str>,
    ) -> Result<Self, Error> {
        let failure = |source| Error::Server {
            server: "proxy",
            path: upstream.to_owned(),
            source,
        };
        // Fails if a provider is already installed, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authority = authority.map(|pem| Certificate::from_pem(pem.as_bytes()));
        let authority = authority.transpose().map_err(failure)?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            // A connection belongs to the runtime that made it, which ends when the proxy is
            // closed.
            .pool_max_idle_per_host(0);
        let client = match authority {
            Some(authority) => client.tls_certs_only([authority]),
            None => client,
        };
        Ok(Self {
            upstream: upstream.to_owned(),
            prefix,
            client: client.build().map_err(failure)?,
        })
    }

    async fn forward(&self, request: Request<Bytes>) -> Result<Response<Body>, ConnectionError> {
        let (parts, body) = request.into_parts();
        let target = parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let response = self
            .client
            .request(parts.method, format!("{}{target}", self.upstream))
            .headers(end_to_end(parts.headers))
            .body(body)
            .send()
            .await?;
        let mut forwarded = Response::builder().status(response.status());
        if let Some(headers) = forwarded.headers_mut() {
            headers.extend(end_to_end(response.headers().clone()));
        }
        Ok(forwarded.body(Either::Right(response.into()))?)
    }

    /// Forwards a call, and reads the response to its end.
    async fn complete(&self, request: Request<Bytes>) -> Result<(), ConnectionError> {
        let response = self.forward(request).await?;
        response.into_body().collect().await?;
        Ok(())
    }
}

/// Removes hop-by-hop headers (RFC 9110 section 7.6.1), and the length, which is set anew.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::CONTENT_LENGTH,
        header::HOST,
    ] {
        headers.remove(name);
    }
    headers
}

/// Responds to a call, by the server or by a fault.
pub(super) async fn respond(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, ConnectionError> {
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts, body.collect().await?.to_bytes());
    let (number, failure) = shared
        .journal()
        .record_call(&request, shared.forward.prefix);
    if shared.is_black_hole.load(Ordering::Relaxed) {
        return std::future::pending().await;
    }
    let response = match failure {
        None => shared.forward.forward(request).await?,
        Some(Failure::Respond { status, body }) => own_response(status, body)?,
        Some(Failure::RespondAfterEffect { status, body }) => {
            shared.forward.complete(request).await?;
            own_response(status, body)?
        }
        Some(Failure::TooManyRequests { retry_after }) => {
            let mut response = own_response(429, String::new())?;
            let seconds = retry_after.as_secs().into();
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            response
        }
        Some(Failure::DropRequest) => return Err("the request is dropped".into()),
        Some(Failure::DropResponse) => {
            shared.forward.complete(request).await?;
            return Err("the response is dropped".into());
        }
        Some(Failure::Delay(time)) => {
            tokio::time::sleep(time).await;
            shared.forward.forward(request).await?
        }
        Some(Failure::Hold(Hold::BeforeEffect)) => {
            shared.journal().held.push(number);
            return std::future::pending().await;
        }
        Some(Failure::Hold(Hold::AfterEffect)) => {
            shared.forward.complete(request).await?;
            shared.journal().held.push(number);
            return std::future::pending().await;
        }
        Some(Failure::Hold(Hold::For(time))) => {
            let response = shared.forward.forward(request).await?;
            shared.journal().held.push(number);
            tokio::time::sleep(time).await;
            response
        }
    };
    shared
        .journal()
        .record_status(number, response.status().as_u16());
    Ok(response)
}

fn own_response(status: u16, body: String) -> Result<Response<Body>, ConnectionError> {
    let response = Response::builder().status(StatusCode::from_u16(status)?);
    Ok(response.body(Either::Left(Full::from(body)))?)
}

impl Journal {
    /// Records a call, and returns its number and how it fails, if it does.
    fn record_call(&mut self, request: &Request<Bytes>, prefix: &str) -> (u64, Option<Failure>) {
        let path = request.uri().path();
        let query = request.uri().query().unwrap_or_default();
        let call = Call {
            number: self.calls.len() as u64 + 1,
            // Clients of Vault list with GET, since proxies may not support the method LIST.
            method: match query {
                "list=true" => "LIST".to_owned(),
                _ => request.method().to_string(),
            },
            route: path.strip_prefix(prefix).unwrap_or(path).to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            status: None,
        };
        let failure = self.faults.iter_mut().find_map(|fault| fault.apply(&call));
        let number = call.number;
        self.calls.push(call);
        (number, failure)
    }

    fn record_status(&mut self, number: u64, status: u16) {
        let call = self.calls.iter_mut().find(|call| call.number == number);
        if let Some(call) = call {
            call.status = Some(status);
        }
    }
}
