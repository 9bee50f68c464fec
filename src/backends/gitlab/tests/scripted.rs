//! A server that gives prepared answers, for tests of what a real GitLab does not do on demand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::super::{GitLab, Limits, Options};
use crate::backends::http::tests::install_crypto_provider;

/// What the server does with one request.
#[derive(Clone)]
pub(super) enum Answer {
    Respond(Response<Full<Bytes>>),
    /// Closes the connection after the request was read.
    Hang,
}

/// A request as the server saw it: method, path with query, body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Recorded {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) authorization: String,
    pub(super) body: String,
}

#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    seen: Mutex<Vec<Recorded>>,
}

pub(super) struct ScriptedServer {
    pub(super) url: String,
    script: Arc<Script>,
}

pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Answer::Respond(response.body(Full::from(body.to_owned())).unwrap())
}

impl ScriptedServer {
    /// Starts a server that gives the answers in order, and 500 when there are none left.
    pub(super) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let script = Arc::new(Script {
            answers: Mutex::new(answers.into_iter().collect()),
            seen: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = Arc::clone(&shared);
                let service = service_fn(move |request| reply(Arc::clone(&script), request));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, script }
    }

    pub(super) fn client(&self) -> GitLab {
        client(&self.url)
    }

    pub(super) fn seen(&self) -> Vec<Recorded> {
        self.script.seen.lock().unwrap().clone()
    }
}

/// A client with short limits.
pub(super) fn client(url: &str) -> GitLab {
    install_crypto_provider();
    GitLab::new(&Options {
        url: url.to_owned(),
        token: "glpat-s3cr3t".into(),
        ca_pem: None,
        limits: Limits {
            connect: Duration::from_millis(50),
            request: Duration::from_secs(2),
            call: Duration::from_secs(5),
            first_retry: Duration::from_millis(5),
            open_circuit_after: Duration::from_millis(300),
            probe_interval: Duration::from_secs(5),
        },
    })
    .unwrap()
}

async fn reply(
    script: Arc<Script>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let authorization = parts
        .headers
        .get("authorization")
        .unwrap()
        .to_str()?
        .to_owned();
    script.seen.lock().unwrap().push(Recorded {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        authorization,
        body: String::from_utf8(body.to_vec())?,
    });
    let next = script.answers.lock().unwrap().pop_front();
    match next {
        Some(Answer::Respond(response)) => Ok(response),
        Some(Answer::Hang) => Err("closed".into()),
        None => Ok(Response::builder().status(500).body(Full::default())?),
    }
}
