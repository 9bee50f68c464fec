//! Forwards a call to the server.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Request, Response, StatusCode, header};

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

/// Closes the connection without a response.
type ConnectionError = Box<dyn std::error::Error + Send + Sync>;

impl Forward {
    pub(super) fn new(upstream: &str, prefix: &'static str) -> Result<Self, Error> {
        // Fails if a provider is already installed, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            // A connection belongs to the runtime that made it, which ends when the proxy is
            // closed.
            .pool_max_idle_per_host(0)
            .build();
        Ok(Self {
            upstream: upstream.to_owned(),
            prefix,
            client: client.map_err(|source| Error::Server {
                server: "proxy",
                path: upstream.to_owned(),
                source,
            })?,
        })
    }

    async fn forward(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Full<Bytes>>, ConnectionError> {
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
        Ok(forwarded.body(Full::new(response.bytes().await?))?)
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
) -> Result<Response<Full<Bytes>>, ConnectionError> {
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts, body.collect().await?.to_bytes());
    let (number, failure) = shared
        .journal()
        .record_call(&request, shared.forward.prefix);
    let hold = match failure {
        Some(Failure::Respond { status, body }) => {
            shared.journal().record_status(number, status);
            let response = Response::builder().status(StatusCode::from_u16(status)?);
            return Ok(response.body(Full::from(body))?);
        }
        Some(Failure::Hold(Hold::BeforeEffect)) => {
            shared.journal().held.push(number);
            return std::future::pending().await;
        }
        Some(Failure::DropResponse) => {
            shared.forward.forward(request).await?;
            return Err("the response is dropped".into());
        }
        Some(Failure::Delay(time)) => {
            tokio::time::sleep(time).await;
            None
        }
        Some(Failure::Hold(hold)) => Some(hold),
        None => None,
    };
    let response = shared.forward.forward(request).await?;
    if let Some(hold) = hold {
        shared.journal().held.push(number);
        match hold {
            Hold::For(time) => tokio::time::sleep(time).await,
            Hold::BeforeEffect | Hold::AfterEffect => std::future::pending().await,
        }
    }
    shared
        .journal()
        .record_status(number, response.status().as_u16());
    Ok(response)
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
