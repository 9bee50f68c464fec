//! Mutual TLS between a client and the provider that it started (`AutoMTLS` of go-plugin).
//!
//! The client creates a certificate for this one connection and passes it in the environment. The provider responds with
//! its own in the handshake line. Each side accepts exactly the other's certificate: equal bytes, and proof of the key
//! in the handshake. Chains, names and dates are not checked, since there are only two parties.
//!
//! The usual verifiers do not work here: Go's client certificate is a certificate authority, which webpki rejects for
//! clients, and its key is on P-521, which ring does not support ([`p521`]).

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use time::OffsetDateTime;

use super::error::Error;
use client_verifier::PinnedClient;

mod client_verifier;
pub(crate) mod p521;

/// The validity of the certificate, the same as on Go's side (go-plugin `mtls.go`).
const VALID_FOR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// How far in the past the validity starts, because the clocks of host and container may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(3600);

/// The TLS configuration of the server, and the certificate for the handshake line.
pub(super) struct ServerIdentity {
    pub(super) config: Arc<rustls::ServerConfig>,
    pub(super) certificate: CertificateDer<'static>,
}

impl ServerIdentity {
    /// Creates a key and certificate for a server that accepts only the client with the certificate `client` (PEM).
    pub(super) fn new(client: &str) -> Result<Self, Error> {
        let client =
            CertificateDer::from_pem_slice(client.as_bytes()).map_err(Error::ClientCertificate)?;
        let (certificate, key) = self_signed().map_err(Error::ServerCertificate)?;
        let config = server_config(client, certificate.clone(), key).map_err(Error::Tls)?;
        Ok(Self {
            config: Arc::new(config),
            certificate,
        })
    }
}

/// Creates a key on P-256, which ring generates fastest, and its certificate for `localhost`, the name that Go checks.
fn self_signed() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(["localhost".to_owned()])?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = OffsetDateTime::now_utc();
    params.not_before = now - CLOCK_SKEW;
    params.not_after = now + VALID_FOR;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.der().clone(), key.into()))
}

fn server_config(
    client: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<rustls::ServerConfig, rustls::Error> {
    let ring = Arc::new(ring_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::clone(&ring))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(PinnedClient::new(client, &ring)))
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    // There is one client and one connection, so sessions are never resumed.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Returns the cryptography for every connection, whatever else is compiled into the program.
pub(crate) fn ring_provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}
