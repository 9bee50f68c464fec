//! The HTTP base against servers that do not answer, and servers for tests of back ends.

mod log;
mod outage;
mod private_server;
mod trust;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};

pub(in crate::backends) use self::log::Log;
pub(in crate::backends) use self::private_server::private_server;
use super::{
    Call, Error, HttpClient, Limits, MAX_ANSWER, Request, Server, TransportError, WhenLimited,
};

/// Installs the TLS library's crypto provider; one that is there already is as good.
pub(in crate::backends) fn install_crypto_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Short ones, so that tests of failures end soon.
fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(5),
        request: Duration::from_secs(60),
        call: Duration::from_secs(60),
        first_retry: Duration::from_millis(5),
        open_circuit_after: Duration::from_millis(500),
        probe_interval: Duration::from_secs(5),
    }
}

/// Returns a port that refuses connections, and that nobody else is given, until the socket listens.
pub(in crate::backends) fn bind_without_listening() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}

fn client(limits: &Limits, ca_pem: Option<&str>) -> HttpClient {
    install_crypto_provider();
    let server = Server {
        name: "test",
        limits_on_all_calls: &[],
    };
    HttpClient::new(&server, limits, ca_pem, HeaderMap::new()).unwrap()
}

fn request(url: &str, method: Method) -> Request {
    let url = url.parse().unwrap();
    Request {
        call: Call::new(method.clone(), &url),
        repeatable: method == Method::GET,
        method,
        url,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        route: String::new(),
        when_limited: WhenLimited::Wait,
        max_answer: MAX_ANSWER,
    }
}

async fn get(
    url: &str,
    limits: &Limits,
    ca_pem: Option<&str>,
) -> Result<Response<Bytes>, Error<TransportError>> {
    let client = client(limits, ca_pem);
    client.send(&request(url, Method::GET), accept).await
}

/// Takes every answer as a success.
#[expect(clippy::unnecessary_wraps, reason = "it has the form of a check")]
fn accept(answer: Response<Bytes>) -> Result<Response<Bytes>, Error<TransportError>> {
    Ok(answer)
}

/// Serves one answer to every request, and counts the requests.
pub(in crate::backends) fn answer_all(
    listener: TcpListener,
    answer: &'static str,
) -> Arc<AtomicUsize> {
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            let service = service_fn(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
                let response = Response::new(Full::<Bytes>::from(answer));
                std::future::ready(Ok::<_, Infallible>(response))
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    requests
}
