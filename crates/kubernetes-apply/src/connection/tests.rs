//! Calls to servers that answer as a script says, or not at all.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{once, pending};
use http::{HeaderMap, Method, Response, StatusCode, header};
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::request::ApiRequest;
use super::transport_error::ConnectFailure;
use super::{Access, CallError, Connection, ExecPlugins, Limits, TransportError, TrustFailure};

/// Short ones, so that tests of failures end soon.
fn limits() -> Limits {
    Limits {
        first_retry: Duration::from_millis(5),
        open_circuit_after: Duration::from_millis(500),
        ..Limits::default()
    }
}

/// A server that answers the n-th request as the script says, and counts them.
struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

type Answer = (StatusCode, HeaderMap, String);

fn status(code: u16, message: &str) -> Answer {
    let body = json!({"kind": "Status", "apiVersion": "v1", "code": code, "message": message});
    (
        StatusCode::from_u16(code).unwrap(),
        HeaderMap::new(),
        body.to_string(),
    )
}

fn success() -> Answer {
    (
        StatusCode::OK,
        HeaderMap::new(),
        json!({"kind": "Pod"}).to_string(),
    )
}

impl Server {
    async fn start(script: impl Fn(usize) -> Answer + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, count) = (script.clone(), count.clone());
                let service = service_fn(move |_| {
                    let (status, headers, body) = script(count.fetch_add(1, Ordering::SeqCst));
                    let mut answer = Response::new(Full::new(Bytes::from(body)));
                    *answer.status_mut() = status;
                    *answer.headers_mut() = headers;
                    async { Ok::<_, Infallible>(answer) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn send(server: &str, request: &ApiRequest) -> Result<StatusCode, CallError> {
    let connection = Connection::new(&Access::new(server).unwrap(), limits()).unwrap();
    connection.send(request).await.map(|(status, _)| status)
}

fn post() -> ApiRequest {
    ApiRequest::new(Method::POST, "/api/v1/namespaces".to_owned()).json(None, &json!({}))
}

fn get() -> ApiRequest {
    ApiRequest::get("/api/v1/namespaces/shop?a=b".to_owned())
}

#[tokio::test]
async fn a_post_is_sent_once_whatever_the_server_answers() {
    for code in [500, 503, 504] {
        let server = Server::start(move |_| status(code, "unavailable")).await;
        let error = send(&server.url, &post()).await.unwrap_err();
        assert_eq!(server.requests(), 1, "{code}");
        assert!(error.may_have_happened());
        assert_eq!(
            error.to_string(),
            format!("POST /api/v1/namespaces: unavailable ({code} )")
        );
    }
}

#[tokio::test]
async fn a_call_that_was_not_processed_is_sent_again() {
    let webhook = "failed calling webhook \"a\": no endpoints available for service \"a\"";
    for answer in [status(429, "slow down"), status(500, webhook)] {
        let script = move |attempt| {
            if attempt < 2 {
                answer.clone()
            } else {
                success()
            }
        };
        let server = Server::start(script).await;
        assert_eq!(send(&server.url, &post()).await.unwrap(), StatusCode::OK);
        assert_eq!(server.requests(), 3);
    }
}

#[tokio::test]
async fn a_read_is_sent_again_until_the_server_has_recovered() {
    let script = |attempt| {
        if attempt < 3 {
            status(503, "starting")
        } else {
            success()
        }
    };
    let server = Server::start(script).await;
    assert_eq!(send(&server.url, &get()).await.unwrap(), StatusCode::OK);
    assert_eq!(server.requests(), 4);
}

#[tokio::test]
async fn a_wait_that_is_longer_than_the_call_may_take_ends_it() {
    let server = Server::start(|_| {
        let (code, mut headers, body) = status(429, "slow down");
        headers.insert(header::RETRY_AFTER, "3600".parse().unwrap());
        (code, headers, body)
    })
    .await;
    let error = send(&server.url, &post()).await.unwrap_err();
    assert_eq!(server.requests(), 1);
    assert_eq!(error.status().unwrap().code, 429);
    assert!(!error.may_have_happened());
}

#[tokio::test]
async fn a_page_of_something_else_is_not_the_answer_of_an_api_server() {
    for code in [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::FOUND] {
        let server = Server::start(move |_| (code, HeaderMap::new(), "<html>".to_owned())).await;
        let error = send(&server.url, &get()).await.unwrap_err();
        assert!(
            matches!(error.transport(), Some(TransportError::NotTheApi { status, .. }) if *status == code),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_opens_the_circuit() {
    // A socket that is bound and does not listen refuses connections and keeps its port.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    let error = send(&url, &post()).await.unwrap_err();
    let Some(TransportError::CircuitOpen { cause, .. }) = error.transport() else {
        panic!("{error}");
    };
    let reason = ConnectFailure::Refused;
    assert_eq!(**cause, TransportError::Unreachable { reason });
    assert!(!error.may_have_happened());
}

#[tokio::test]
async fn a_server_that_says_nothing_opens_the_circuit_before_its_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let error = send(&url, &get()).await.unwrap_err();
    assert!(
        matches!(error.transport(), Some(TransportError::CircuitOpen { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_stops_halfway_ends_with_the_deadline_of_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(|_| async {
            let begun = once(async { Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"{"))) });
            let body = StreamBody::new(Box::pin(begun.chain(pending())));
            Ok::<_, Infallible>(Response::new(body))
        });
        let http = hyper::server::conn::http1::Builder::new();
        http.serve_connection(TokioIo::new(stream), service).await
    });
    let limits = Limits {
        request: Duration::from_millis(50),
        ..limits()
    };
    let connection = Connection::new(&Access::new(&url).unwrap(), limits).unwrap();
    let error = connection.send(&post()).await.unwrap_err();
    assert_eq!(
        error.transport(),
        Some(&TransportError::Interrupted { timed_out: true })
    );
    assert!(error.may_have_happened());
}

#[tokio::test]
async fn only_a_server_that_accepts_no_connection_is_silent() {
    let limits = Limits {
        request: Duration::from_millis(200),
        ..limits()
    };
    // It accepts TCP, and never says anything.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let access = Access::new(&format!("https://{address}")).unwrap();
    let connection = Connection::new(&access, limits.clone()).unwrap();
    assert!(connection.send(&post()).await.unwrap_err().is_silence());

    // The same behind a proxy, and as a proxy that never connects.
    let kubeconfig = format!(
        "current-context: a\ncontexts: [{{name: a, context: {{cluster: c}}}}]\n\
         clusters: [{{name: c, cluster: {{server: 'https://k8s.example.com', proxy-url: 'http://{address}'}}}}]"
    );
    let access = Access::parse(&kubeconfig, None, ExecPlugins::Refused).unwrap();
    let connection = Connection::new(&access, limits.clone()).unwrap();
    assert!(!connection.send(&post()).await.unwrap_err().is_silence());

    // It agrees on TLS, and never answers.
    let (url, _) = silent_tls_server().await;
    let kubeconfig = format!(
        "current-context: a\ncontexts: [{{name: a, context: {{cluster: c}}}}]\n\
         clusters: [{{name: c, cluster: {{server: '{url}', insecure-skip-tls-verify: true}}}}]"
    );
    let access = Access::parse(&kubeconfig, None, ExecPlugins::Refused).unwrap();
    let connection = Connection::new(&access, limits).unwrap();
    let error = connection.send(&post()).await.unwrap_err();
    assert!(!error.is_silence(), "{error}");
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_from_a_server_that_is_down() {
    let error = send("http://nowhere.invalid", &get()).await.unwrap_err();
    let cause = error.transport().unwrap().cause();
    let reason = ConnectFailure::Unresolved;
    assert_eq!(*cause, TransportError::Unreachable { reason });
}

/// Starts a server that speaks TLS and nothing else, and returns its URL and its certificate.
async fn tls_server() -> (String, String) {
    start_tls_server(true).await
}

/// Starts a server that speaks TLS and never answers.
async fn silent_tls_server() -> (String, String) {
    start_tls_server(false).await
}

async fn start_tls_server(answers: bool) -> (String, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let der = STANDARD.encode(certified.cert.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n");
    let key =
        rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = service_fn(move |_| async move {
                    if !answers {
                        std::future::pending::<()>().await;
                    }
                    let body = Full::new(Bytes::from_static(b"{}"));
                    Ok::<_, Infallible>(Response::new(body))
                });
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (format!("https://127.0.0.1:{port}"), pem)
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_says_what_was_trusted() {
    let (url, pem) = tls_server().await;
    let error = send(&url, &get()).await.unwrap_err();
    let shown = error.to_string();
    assert!(
        shown.ends_with("so those of Mozilla are trusted)"),
        "{shown}"
    );

    // The certificate is for localhost, not for 127.0.0.1.
    let access = Access::new(&url).unwrap();
    let access = access.with_certificate_authority(pem.as_bytes()).unwrap();
    let connection = Connection::new(&access, limits()).unwrap();
    let error = connection.send(&get()).await.unwrap_err();
    assert!(
        matches!(
            error.transport(),
            Some(TransportError::Untrusted {
                reason: TrustFailure::WrongHost,
                ..
            })
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_given_certificate_and_the_name_in_it_are_trusted() {
    let (url, pem) = tls_server().await;
    let data = STANDARD.encode(pem);
    let kubeconfig = format!(
        "current-context: a\ncontexts: [{{name: a, context: {{cluster: c}}}}]\n\
         clusters: [{{name: c, cluster: {{server: '{url}', tls-server-name: localhost, \
         certificate-authority-data: {data}}}}}]\n"
    );
    let access = Access::parse(&kubeconfig, None, super::ExecPlugins::Refused).unwrap();
    let connection = Connection::new(&access, limits()).unwrap();
    let (status, _) = connection.send(&get()).await.unwrap();
    assert_eq!(status, StatusCode::OK);
}

/// Starts a proxy that makes connections, and counts them.
async fn connect_proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let target = head.split(' ').nth(1).unwrap().to_owned();
                let mut upstream = TcpStream::connect(target).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut upstream).await;
            });
        }
    });
    (url, connections)
}

#[tokio::test]
async fn the_proxy_of_the_kubeconfig_is_used() {
    let (url, pem) = tls_server().await;
    let (proxy, connections) = connect_proxy().await;
    let data = STANDARD.encode(pem);
    let kubeconfig = format!(
        "current-context: a\ncontexts: [{{name: a, context: {{cluster: c}}}}]\n\
         clusters: [{{name: c, cluster: {{server: '{url}', tls-server-name: localhost, \
         proxy-url: '{proxy}', certificate-authority-data: {data}}}}}]\n"
    );
    let access = Access::parse(&kubeconfig, None, super::ExecPlugins::Refused).unwrap();
    let connection = Connection::new(&access, limits()).unwrap();
    connection.send(&get()).await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (under_way, most.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (under_way, most) = counts.clone();
            let service = service_fn(move |_| {
                let (under_way, most) = (under_way.clone(), most.clone());
                async move {
                    let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    let body = Full::new(Bytes::from_static(b"{}"));
                    Ok::<_, Infallible>(Response::new(body))
                }
            });
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    });
    let limits = Limits {
        concurrency: 3,
        ..Limits::default()
    };
    let connection = Connection::new(&Access::new(&url).unwrap(), limits).unwrap();
    let request = get();
    let calls = (0..30).map(|_| connection.send(&request));
    let outcomes = futures_util::future::join_all(calls).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert!(most.load(Ordering::SeqCst) <= 3);
}

/// Starts a server that reads what a client sends first, answers with these bytes and hangs up; returns its port.
async fn answering(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut begun = [0; 4096];
            let _ = stream.read(&mut begun).await;
            let _ = stream.write_all(answer).await;
        }
    });
    port
}

#[tokio::test]
async fn a_tls_alert_is_an_answer() {
    // A fatal handshake_failure.
    let port = answering(&[21, 3, 3, 0, 2, 2, 40]).await;
    let error = send(&format!("https://127.0.0.1:{port}"), &get()).await;
    let error = error.unwrap_err();
    let transport = error.transport().unwrap();
    assert!(
        matches!(transport, TransportError::TlsRefused { reason } if reason.contains("HandshakeFailure")),
        "{error}"
    );
    assert!(!error.is_silence());
}

#[tokio::test]
async fn only_what_gives_no_answer_at_all_is_silent() {
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = closed.local_addr().unwrap().port();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent.local_addr().unwrap().port();
    let hanging_up = answering(b"").await;
    for (url, is_silence) in [
        (format!("https://127.0.0.1:{closed}"), true),
        (format!("http://127.0.0.1:{silent}"), true),
        ("https://nowhere.invalid".to_owned(), true),
        (format!("http://127.0.0.1:{hanging_up}"), false),
        (format!("https://127.0.0.1:{hanging_up}"), false),
    ] {
        let error = send(&url, &get()).await.unwrap_err();
        assert_eq!(error.is_silence(), is_silence, "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_fails_tells_nothing_about_the_server() {
    let bad_gateway = answering(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = closed.local_addr().unwrap().port();
    for proxy in [bad_gateway, closed] {
        let kubeconfig = format!(
            "current-context: a\ncontexts: [{{name: a, context: {{cluster: c}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'https://10.0.0.1:6443', \
             proxy-url: 'http://127.0.0.1:{proxy}'}}}}]\n"
        );
        let access = Access::parse(&kubeconfig, None, super::ExecPlugins::Refused).unwrap();
        let connection = Connection::new(&access, limits()).unwrap();
        let error = connection.send(&get()).await.unwrap_err();
        let transport = error.transport().unwrap();
        let reason = ConnectFailure::Proxy;
        assert_eq!(*transport.cause(), TransportError::Unreachable { reason });
        assert!(!error.is_silence());
    }
}
