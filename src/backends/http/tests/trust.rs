//! Why a server is not trusted.

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::private_server::{pem, serve};
use super::{get, install_crypto_provider, limits};
use crate::backends::http::{Error, TransportError, TrustFailure};

fn untrusted(error: &Error<TransportError>) -> TrustFailure {
    match error.kind() {
        TransportError::Untrusted { reason } => *reason,
        other => panic!("{other:?}"),
    }
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new(vec![host.to_owned()]).unwrap()
}

fn self_signed(host: &str, is_ca: IsCa) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = params(host);
    params.is_ca = is_ca;
    (params.self_signed(&key).unwrap(), key)
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_when_it_is_given_unless_it_is_an_authoritys() {
    let authority = IsCa::Ca(BasicConstraints::Unconstrained);
    for (is_ca, trusted) in [
        (IsCa::NoCa, true),
        (IsCa::ExplicitNoCa, true),
        (authority, false),
    ] {
        let (certificate, key) = self_signed("localhost", is_ca);
        let url = serve("{}", &certificate, &key).await;
        let pem = pem(&certificate);
        match get(&url, &limits(), Some(&pem)).await {
            Ok(_) => assert!(trusted),
            Err(error) => {
                assert!(!trusted, "{error:?}");
                assert_eq!(untrusted(&error), TrustFailure::AuthorityAsServer);
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_authority_is_reported_with_whether_private_ones_were_given() {
    let mut ca = params("authority");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name
        .push(rcgen::DnType::CommonName, "authority");
    let issuer = Issuer::new(ca, KeyPair::generate().unwrap());
    let key = KeyPair::generate().unwrap();
    let certificate = params("localhost").signed_by(&key, &issuer).unwrap();
    let url = serve("{}", &certificate, &key).await;
    // What a server shows is not the authority that signed it.
    let pem = pem(&certificate);
    for (given, private_ca) in [(None, false), (Some(pem.as_str()), true)] {
        let error = get(&url, &limits(), given).await.unwrap_err();
        assert_eq!(
            untrusted(&error),
            TrustFailure::UnknownAuthority { private_ca }
        );
    }
}

#[tokio::test]
async fn a_certificate_of_another_host_is_reported() {
    let (certificate, key) = self_signed("elsewhere", IsCa::NoCa);
    let url = serve("{}", &certificate, &key).await;
    let error = get(&url, &limits(), Some(&pem(&certificate)))
        .await
        .unwrap_err();
    assert_eq!(untrusted(&error), TrustFailure::WrongHost);
}

#[tokio::test]
async fn a_port_without_tls_fails_at_once() {
    install_crypto_provider();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let refusal = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(refusal).await;
        }
    });
    let error = get(&url, &limits(), None).await.unwrap_err();
    assert_eq!(*error.kind(), TransportError::NotTls);
}
