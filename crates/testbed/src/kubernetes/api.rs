//! The test bed's own calls to the API server.

use std::time::Duration;

use reqwest::blocking::Client;
use reqwest::{Certificate, Method, StatusCode};
use serde_json::Value;

use crate::Error;

/// The name of the server in messages.
const NAME: &str = "kube-apiserver";

/// The timeout of the test bed's own calls.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// How often a request is made that the server has refused for the time being.
const ATTEMPTS: u32 = 100;

const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// A client with the administrator's permissions.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    url: String,
    token: String,
}

impl Api {
    /// Makes a client. `authority` is the PEM text of the server's certificate authority.
    pub(super) fn new(url: &str, authority: &str, token: &str) -> Result<Self, Error> {
        // Fails if a provider is already installed, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = outside_of_runtime(|| {
            Client::builder()
                .no_proxy()
                .tls_certs_only([Certificate::from_pem(authority.as_bytes())?])
                // The server may close an idle connection just when it is reused.
                .pool_max_idle_per_host(0)
                .timeout(REQUEST_LIMIT)
                .build()
        });
        Ok(Self {
            client: client.map_err(failure(url))?,
            url: url.to_owned(),
            token: token.to_owned(),
        })
    }

    /// Makes a request; returns null for a response without a body, and the text of a response that
    /// is not JSON. It is repeated while the server asks for patience, as after a new definition.
    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        for _ in 1..ATTEMPTS {
            match self.request_once(method.clone(), path, body) {
                Err(Error::Refused { status, .. }) if status == StatusCode::TOO_MANY_REQUESTS => {
                    std::thread::sleep(RETRY_INTERVAL);
                }
                result => return result,
            }
        }
        self.request_once(method, path, body)
    }

    fn request_once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let response = outside_of_runtime(|| {
            let response = request.send()?;
            Ok((response.status(), response.text()?))
        });
        let (status, text) = response.map_err(failure(path))?;
        if !status.is_success() {
            return Err(Error::Refused {
                server: NAME,
                path: path.to_owned(),
                status: status.as_u16(),
                text,
            });
        }
        Ok(serde_json::from_str(&text).unwrap_or(match text.as_str() {
            "" => Value::Null,
            _ => Value::String(text),
        }))
    }

    /// Reads an object; returns `None` if it does not exist.
    pub(super) fn get_if_found(&self, path: &str) -> Result<Option<Value>, Error> {
        match self.request(Method::GET, path, None) {
            Ok(object) => Ok(Some(object)),
            Err(Error::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Runs blocking work on a thread of its own, since tests may run in an asynchronous runtime.
fn outside_of_runtime<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(work);
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn failure(path: &str) -> impl FnOnce(reqwest::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Server {
        server: NAME,
        path,
        source,
    }
}
