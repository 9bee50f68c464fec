//! Which servers are trusted.

use std::time::{Duration, Instant};

use super::super::*;
use crate::backends::http::tests::{install_crypto_provider, private_server};
use crate::backends::http::{TransportError, TrustFailure};

const USER: &str = r#"{"id":7,"username":"root"}"#;

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
    let (url, pem) = private_server(USER).await;
    let user = client(&url, Some(pem)).unwrap().current_user().await;
    assert_eq!(user.unwrap().username, "root");
}

#[tokio::test]
async fn an_unknown_authority_fails_at_once() {
    let (url, _) = private_server(USER).await;
    let started = Instant::now();
    let user = client(&url, None).unwrap().current_user().await;
    let error = user.unwrap_err();
    let reason = TrustFailure::UnknownAuthority { private_ca: false };
    let untrusted = TransportError::Untrusted { reason };
    assert_eq!(*error.kind(), untrusted.into(), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn what_is_no_certificate_is_refused_when_the_client_is_set_up() {
    install_crypto_provider();
    for (pem, empty) in [
        ("nothing", true),
        ("-----BEGIN CERTIFICATE-----\n!\n", false),
    ] {
        let error = client("https://localhost", Some(pem.to_owned())).unwrap_err();
        assert_eq!(
            matches!(error, SetupError::Ca(CaError::Empty)),
            empty,
            "{error:?}"
        );
    }
}
