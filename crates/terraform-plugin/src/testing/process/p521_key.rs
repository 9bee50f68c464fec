//! A key on P-521 with which `rustls` can sign, and its certificate.
//!
//! The certificate was created with `openssl` after the fields of go-plugin `mtls.go`. The key is only for tests and not
//! a secret.

use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::{DerSignature, Signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, pem};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use super::Error;

const CERTIFICATE: &[u8] = include_bytes!("p521_client.pem");

/// The private scalar of the certificate's key.
const SCALAR: [u8; 66] = [1; 66];

#[derive(Debug, Clone)]
pub(super) struct P521Key(p521::ecdsa::SigningKey);

pub(super) fn certificate() -> Result<CertificateDer<'static>, pem::Error> {
    CertificateDer::from_pem_slice(CERTIFICATE)
}

pub(super) fn signing_key() -> Result<P521Key, Error> {
    p521::ecdsa::SigningKey::from_slice(&SCALAR)
        .map(P521Key)
        .map_err(|_| Error::TestKey)
}

impl SigningKey for P521Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&self.scheme())
            .then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for P521Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signature: Signature = self
            .0
            .try_sign(message)
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(DerSignature::from(signature).as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}
