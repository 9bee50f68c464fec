//! Mutual TLS between a client and the provider that it started (`AutoMTLS` of go-plugin).
//!
//! The client makes a certificate for this one connection and passes it in the environment. The
//! provider answers with one of its own in the handshake line. Each side admits exactly the other's
//! certificate: equal bytes, and proof of the key in the handshake. No chain is built, no name and
//! no date is looked at; there is nobody else to be told apart.
//!
//! The usual verifiers do not work here: Go's client certificate is a certificate authority, which
//! webpki refuses in a client, and its key is on P-521, which ring does not know ([`p521`]).

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

/// Validity that Go's side gives its certificate as well (go-plugin `mtls.go`).
const VALID_FOR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// How far into the past a certificate is valid: clocks of host and container may differ.
const CLOCK_SKEW: Duration = Duration::from_secs(3600);

/// TLS settings of the server, and the certificate that the client is told.
pub(super) struct ServerIdentity {
    pub(super) config: Arc<rustls::ServerConfig>,
    pub(super) certificate: CertificateDer<'static>,
}

impl ServerIdentity {
    /// Makes a new key and certificate, for a server that admits the owner of the certificate
    /// `client` (PEM) and nobody else.
    pub(super) fn admitting(client: &str) -> Result<Self, Error> {
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

/// A P-256 key, which ring makes fastest, and its certificate for `localhost`, the name that Go
/// checks.
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
    // There is one client and one connection: nothing to resume.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// The cryptography used for every connection, whatever else is compiled into the program.
pub(crate) fn ring_provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}
