//! Which servers are trusted.

use super::super::{Kind, Login, Options, SetupError, Vault};
use super::server::{limits, place};
use crate::backends::http::tests::private_server;
use crate::backends::http::{CaError, TransportError, TrustFailure};

const ANSWER: &str = r#"{"data":{"ttl":0,"data":{"id":"7"},"metadata":{"version":1}}}"#;

fn client(address: &str, ca_pem: Option<String>) -> Result<Vault, SetupError> {
    Vault::new(Options {
        address: address.to_owned(),
        namespace: None,
        ca_pem,
        login: Login::Token("t".into()),
        manage_mounts: false,
        limits: limits(),
    })
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_given() {
    let (address, pem) = private_server(ANSWER).await;
    let vault = client(&address, Some(pem)).unwrap();
    assert_eq!(
        vault.read_secret(&place()).await.unwrap().unwrap().version,
        1
    );
    let error = client(&address, None)
        .unwrap()
        .policies()
        .await
        .unwrap_err();
    let reason = TrustFailure::UnknownAuthority { private_ca: false };
    let untrusted = TransportError::Untrusted { reason };
    assert_eq!(*error.kind(), Kind::from(untrusted), "{error:?}");
}

#[tokio::test]
async fn what_no_header_can_carry_is_refused_when_the_client_is_set_up() {
    let (address, _) = private_server(ANSWER).await;
    assert!(matches!(
        client(&address, Some("nothing".to_owned())),
        Err(SetupError::Ca(CaError::Empty))
    ));
    let options = |login, namespace: Option<&str>| Options {
        address: address.clone(),
        namespace: namespace.map(str::to_owned),
        ca_pem: None,
        login: Login::Token(login),
        manage_mounts: false,
        limits: limits(),
    };
    let token = Vault::new(options("two\nlines".into(), None));
    assert!(matches!(
        token,
        Err(SetupError::Header { name: "token", .. })
    ));
    let namespace = Vault::new(options("t".into(), Some("two\nlines")));
    assert!(matches!(
        namespace,
        Err(SetupError::Header {
            name: "namespace",
            ..
        })
    ));
}
