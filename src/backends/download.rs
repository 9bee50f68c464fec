//! Files that anybody may download.
//!
//! No credentials are sent, so redirections to other hosts are followed, as release pages need it, but never
//! from `https` to anything else.

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, Method, Response, StatusCode};
use url::Url;

use super::http::{
    self as base, Call, ErrorKind, HttpClient, Limits, RateLimit, Request, RetryReason, Server,
    SetupError, TransportError, WhenLimited, requested_wait,
};

/// A download that did not succeed.
pub type Error = base::Error<Kind>;

/// Why a download failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Kind {
    /// No usable answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The HTTP client could not be set up.
    #[error("{0}")]
    Setup(String),
    /// 404: there is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The server refuses to give the file to somebody without credentials, or for another reason.
    #[error("refused with status {0}")]
    Refused(StatusCode),
    /// One server redirects to the other.
    #[error("too many redirections")]
    TooManyRedirections,
}

const SERVER: Server = Server {
    name: "download",
    limits_on_all_calls: &[],
};

/// How many redirections are followed.
const REDIRECTIONS: usize = 5;

/// What comes of one request.
enum Answer {
    File(Bytes),
    Elsewhere(Url),
}

/// A client for downloads, with one circuit breaker for all of them.
pub(crate) struct Downloader {
    http: Result<HttpClient, Kind>,
}

impl Downloader {
    /// Makes a client; nothing is sent. If that fails, every download fails with the reason.
    pub(crate) fn new(limits: &Limits) -> Self {
        let http = HttpClient::new(&SERVER, limits, None, HeaderMap::new());
        Self {
            http: http.map_err(Kind::from),
        }
    }

    /// Downloads a file of at most `max_size` bytes.
    pub(crate) async fn get(&self, url: &Url, max_size: usize) -> Result<Bytes, Error> {
        let http = self.http.as_ref();
        let http = http.map_err(|kind| Error::new(Call::new(Method::GET, url), kind.clone()))?;
        let mut url = url.clone();
        for _ in 0..=REDIRECTIONS {
            let request = Request {
                call: Call::new(Method::GET, &url),
                method: Method::GET,
                url: url.clone(),
                headers: HeaderMap::new(),
                body: Bytes::new(),
                route: url.host_str().unwrap_or_default().to_owned(),
                repeatable: true,
                when_limited: WhenLimited::Wait,
                max_answer: max_size,
            };
            match http
                .send(&request, |answer| check(&request, answer))
                .await?
            {
                Answer::File(file) => return Ok(file),
                Answer::Elsewhere(location) => url = location,
            }
        }
        Err(Error::new(
            Call::new(Method::GET, &url),
            Kind::TooManyRedirections,
        ))
    }
}

fn check(request: &Request, answer: Response<Bytes>) -> Result<Answer, Error> {
    let (parts, body) = answer.into_parts();
    let kind = match parts.status {
        StatusCode::OK => return Ok(Answer::File(body)),
        StatusCode::NOT_FOUND | StatusCode::GONE => Kind::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Kind::Transport(TransportError::Limited {
            limit: RateLimit::Route,
            wait: requested_wait(&parts.headers),
        }),
        status if status.is_redirection() => match location(&request.url, &parts.headers) {
            Some(location) => return Ok(Answer::Elsewhere(location)),
            None => TransportError::redirected(&parts.headers).into(),
        },
        status if status.is_server_error() => Kind::Transport(TransportError::Server {
            status,
            wait: requested_wait(&parts.headers),
        }),
        status => Kind::Refused(status),
    };
    Err(Error::new(request.call.answered_with(&parts.headers), kind))
}

/// Returns where a redirection leads, unless it is less protected than the address that it comes from.
fn location(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let to = from.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let is_protected = to.scheme() == "https" || (to.scheme() == "http" && from.scheme() == "http");
    is_protected.then_some(to)
}

impl From<SetupError> for Kind {
    fn from(error: SetupError) -> Self {
        Self::Setup(crate::error_chain::error_chain(&error))
    }
}

impl ErrorKind for Kind {
    fn transport(&self) -> Option<&TransportError> {
        match self {
            Self::Transport(error) => Some(error),
            _ => None,
        }
    }

    fn retry_reason(&self) -> Option<RetryReason> {
        self.transport()?.retry_reason()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::convert::Infallible;
    use std::sync::Arc;

    use http_body_util::Full;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpListener;

    use super::super::http::tests::install_crypto_provider;
    use super::*;

    /// Serves files by path; a file that begins with `->` is a redirection.
    async fn serve(files: &[(&'static str, &'static str)]) -> String {
        install_crypto_provider();
        let files: Arc<HashMap<_, _>> = Arc::new(files.iter().copied().collect());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let files = Arc::clone(&files);
                let service = service_fn(move |request: http::Request<_>| {
                    let _: &hyper::body::Incoming = request.body();
                    let response = match files.get(request.uri().path()) {
                        None => Response::builder().status(404).body(Full::default()),
                        Some(file) => match file.strip_prefix("->") {
                            Some(location) => Response::builder()
                                .status(302)
                                .header(LOCATION, location)
                                .body(Full::default()),
                            None => Ok(Response::new(Full::<Bytes>::from(*file))),
                        },
                    };
                    std::future::ready(Ok::<_, Infallible>(response.unwrap()))
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        address
    }

    async fn get(address: &str, path: &str, max_size: usize) -> Result<Bytes, Kind> {
        let url = format!("{address}{path}").parse().unwrap();
        let downloader = Downloader::new(&Limits::default());
        let outcome = downloader.get(&url, max_size).await;
        outcome.map_err(|error| error.kind().clone())
    }

    #[tokio::test]
    async fn redirections_are_followed_to_the_file() {
        let server = serve(&[("/a", "->/b"), ("/b", "->c"), ("/c", "content")]).await;
        assert_eq!(get(&server, "/a", 7).await.unwrap(), "content");
    }

    #[tokio::test]
    async fn what_cannot_be_the_file_is_an_error() {
        let server = serve(&[
            ("/large", "content"),
            ("/loop", "->/loop"),
            ("/plain", "->ftp://example.com/file"),
        ])
        .await;
        assert_eq!(
            get(&server, "/large", 6).await,
            Err(TransportError::TooLarge.into())
        );
        assert_eq!(get(&server, "/absent", 9).await, Err(Kind::NotFound));
        assert_eq!(
            get(&server, "/loop", 9).await,
            Err(Kind::TooManyRedirections)
        );
        let location = Some("ftp://example.com/file".to_owned());
        assert_eq!(
            get(&server, "/plain", 9).await,
            Err(TransportError::Redirected { location }.into())
        );
    }

    #[test]
    fn a_protected_address_never_leads_to_an_unprotected_one() {
        let from: Url = "https://example.com/a".parse().unwrap();
        let to = |target: &'static str| {
            let headers = HeaderMap::from_iter([(LOCATION, target.parse().unwrap())]);
            location(&from, &headers).map(String::from)
        };
        assert_eq!(to("http://example.com/b"), None);
        assert_eq!(
            to("https://other.example.com/b").as_deref(),
            Some("https://other.example.com/b")
        );
        assert_eq!(to("/b").as_deref(), Some("https://example.com/b"));
    }
}
