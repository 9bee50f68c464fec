//! The gateway of a worker: it passes calls of hooks on to the `EventSource`s.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::Error;

/// Where calls go: the URL of a running `EventSource` by path.
type Routes = Arc<Mutex<BTreeMap<String, String>>>;

/// A server on loopback that passes calls on by their paths, until this process ends.
#[derive(Debug)]
pub(super) struct Gateway {
    address: SocketAddr,
    routes: Routes,
}

impl Gateway {
    pub(super) fn start() -> Result<Self, Error> {
        let failure = |source| Error::Start {
            command: "the gateway".to_owned(),
            source,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failure)?;
        let address = (Ipv4Addr::LOCALHOST, 0);
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .map_err(failure)?;
        let address = listener.local_addr().map_err(failure)?;
        // Fails if a provider is already installed, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .map_err(|source| failure(io::Error::other(source)))?;
        let routes = Routes::default();
        let shared = Arc::clone(&routes);
        std::thread::spawn(move || runtime.block_on(accept(listener, client, shared)));
        Ok(Self { address, routes })
    }

    /// Returns the URL. Its host is one that an `Ingress` of webhooks may have; all names below `localhost` are loopback
    /// (RFC 6761 section 6.3), although not every resolver knows.
    pub(super) fn url(&self) -> String {
        format!("http://webhook.localhost:{}", self.address.port())
    }

    /// Replaces the routes: the URLs of running `EventSource`s by path.
    pub(super) fn set_routes(&self, routes: BTreeMap<String, String>) {
        *self.routes.lock().unwrap_or_else(PoisonError::into_inner) = routes;
    }
}

async fn accept(listener: TcpListener, client: reqwest::Client, routes: Routes) {
    loop {
        // An attempt to connect may fail by itself, such as one that was given up.
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let (client, routes) = (client.clone(), Arc::clone(&routes));
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let (client, routes) = (client.clone(), Arc::clone(&routes));
                async move { pass_on(&client, &routes, request).await }
            });
            // A connection ends with an error when its client goes away.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn pass_on(
    client: &reqwest::Client,
    routes: &Routes,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let target = {
        let routes = routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.get(&path).cloned()
    };
    let Some(target) = target else {
        return Ok(answer(
            StatusCode::NOT_FOUND,
            "no event source listens here\n",
        ));
    };
    let (mut parts, body) = request.into_parts();
    for name in [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::HOST,
        header::TRANSFER_ENCODING,
    ] {
        parts.headers.remove(name);
    }
    let call = client
        .request(parts.method, format!("{target}{path}"))
        .headers(parts.headers)
        .body(body.collect().await?.to_bytes());
    let answered = match call.send().await {
        Ok(response) => {
            let status = response.status();
            response.bytes().await.map(|body| (status, body))
        }
        Err(error) => Err(error),
    };
    Ok(match answered {
        Ok((status, body)) => answer(status, body),
        Err(_) => answer(
            StatusCode::BAD_GATEWAY,
            "the event source does not answer\n",
        ),
    })
}

fn answer(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.into()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_passed_on_by_their_whole_path() {
        let (gateway, target) = (Gateway::start().unwrap(), Gateway::start().unwrap());
        let call = |path: &str| {
            let client = reqwest::blocking::Client::builder().no_proxy().build();
            let url = format!("http://{}{path}", gateway.address);
            let response = client.unwrap().post(url).body("{}").send().unwrap();
            (response.status().as_u16(), response.text().unwrap())
        };
        let nowhere = (404, "no event source listens here\n".to_owned());
        assert_eq!(call("/a"), nowhere);
        let [port] = crate::free_ports::free_ports("nothing").unwrap();
        gateway.set_routes(BTreeMap::from([
            ("/a".to_owned(), format!("http://{}", target.address)),
            ("/b".to_owned(), format!("http://127.0.0.1:{port}")),
        ]));
        // The target is a gateway without routes.
        assert_eq!(call("/a"), nowhere);
        assert_eq!(call("/b").0, 502);
        assert_eq!(call("/a/b"), nowhere);
    }
}
