//! Which servers are trusted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::super::*;

/// Starts a server with a certificate that only the returned PEM makes trusted.
async fn private_server() -> (String, String) {
    super::scripted::install_crypto_provider();
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(issued.cert.der())
    );
    let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = service_fn(async |_| {
                    let body = Full::<Bytes>::from(r#"{"version":"19.5.1-ee"}"#);
                    Ok::<_, std::convert::Infallible>(Response::new(body))
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    (url, pem)
}

fn client(url: &str, ca_pem: Option<String>) -> Result<GitLab, SetupError> {
    let url = url.to_owned();
    GitLab::new(&Options {
        url,
        token: "t".into(),
        ca_pem,
        limits: Limits::default(),
    })
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_given() {
    let (url, pem) = private_server().await;
    let version = client(&url, Some(pem)).unwrap().version().await.unwrap();
    assert_eq!(version.version, "19.5.1-ee");
}

#[tokio::test]
async fn an_unknown_authority_is_told_at_once() {
    let (url, _) = private_server().await;
    let begun = Instant::now();
    let error = client(&url, None).unwrap().version().await.unwrap_err();
    assert_eq!(*error.kind(), Kind::Untrusted, "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn what_is_no_certificate_is_refused_when_the_client_is_set_up() {
    super::scripted::install_crypto_provider();
    for (pem, empty) in [
        ("nothing", true),
        ("-----BEGIN CERTIFICATE-----\n!\n", false),
    ] {
        let error = client("https://localhost", Some(pem.to_owned())).unwrap_err();
        assert_eq!(matches!(error, SetupError::NoAuthority), empty, "{error:?}");
    }
}
