//! Client certificates for tests.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, SignatureAlgorithm};
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, SigningKey};

use super::Error;
use super::p521_key;

/// A certificate and its key. `Debug` does not show the key.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    certificate: CertificateDer<'static>,
    key: Arc<dyn SigningKey>,
}

impl ClientIdentity {
    /// Returns a key on P-521, like Terraform's. It is the same in every test, because generating one is slow.
    pub fn p521() -> Result<Self, Error> {
        let certificate = p521_key::certificate().map_err(Error::TestCertificate)?;
        Ok(Self {
            certificate,
            key: Arc::new(p521_key::signing_key()?),
        })
    }

    /// Generates a key on P-256.
    pub fn p256() -> Result<Self, Error> {
        Self::generate(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    /// Generates a key on P-384.
    pub fn p384() -> Result<Self, Error> {
        Self::generate(&rcgen::PKCS_ECDSA_P384_SHA384)
    }

    /// Generates a key with a certificate like Go's: a certificate authority for `localhost`.
    fn generate(algorithm: &'static SignatureAlgorithm) -> Result<Self, Error> {
        let made = || {
            let key = KeyPair::generate_for(algorithm)?;
            let mut params = CertificateParams::new(["localhost".to_owned()])?;
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            Ok((params.self_signed(&key)?.der().clone(), key))
        };
        let (certificate, key) = made().map_err(Error::Identity)?;
        let key = any_ecdsa_type(&key.into()).map_err(Error::Tls)?;
        Ok(Self { certificate, key })
    }

    /// Combines this identity's key with the certificate of `owner`, like a thief of the certificate.
    #[must_use]
    pub fn showing_certificate_of(self, owner: &Self) -> Self {
        Self {
            certificate: owner.certificate.clone(),
            ..self
        }
    }

    /// Returns the certificate in the format of `PLUGIN_CLIENT_CERT`.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.certificate);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    pub(super) fn certified_key(&self) -> CertifiedKey {
        CertifiedKey::new(vec![self.certificate.clone()], Arc::clone(&self.key))
    }
}
