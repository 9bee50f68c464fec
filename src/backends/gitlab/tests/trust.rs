//! Which servers are trusted.

use std::time::{Duration, Instant};

use super::super::*;
use crate::backends::http_client::AuthorityError;
use crate::backends::private_server::private_server;

const VERSION: &str = r#"{"version":"19.5.1-ee"}"#;

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
    let (url, pem) = private_server(VERSION).await;
    let version = client(&url, Some(pem)).unwrap().version().await.unwrap();
    assert_eq!(version.version, "19.5.1-ee");
}

#[tokio::test]
async fn an_unknown_authority_is_told_at_once() {
    let (url, _) = private_server(VERSION).await;
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
        assert_eq!(
            matches!(error, SetupError::Authority(AuthorityError::Empty)),
            empty,
            "{error:?}"
        );
    }
}
