//! ECDSA on P-521 with SHA-512: Go's client uses it, and ring does not support it.

use p521::ecdsa::signature::Verifier;
use p521::ecdsa::{Signature, VerifyingKey};
use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};

/// The signature algorithms for keys on P-521.
pub(crate) static ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[&EcdsaP521Sha512],
    mapping: &[(SignatureScheme::ECDSA_NISTP521_SHA512, &[&EcdsaP521Sha512])],
};

#[derive(Debug)]
struct EcdsaP521Sha512;

impl SignatureVerificationAlgorithm for EcdsaP521Sha512 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
        let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }
}

#[cfg(test)]
mod tests {
    use p521::ecdsa::SigningKey;
    use p521::ecdsa::signature::Signer;

    use super::*;

    #[test]
    fn a_signature_is_valid_only_for_its_message_and_key() {
        // Numbers below the order of the curve.
        let [key, other] =
            [0, 1].map(|byte| SigningKey::from_slice(&[[byte; 33], [1; 33]].concat()).unwrap());
        let point = |key: &SigningKey| key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        let signature: Signature = key.sign(b"handshake");
        let der = signature.to_der();

        let verify = |key: &[u8], message: &[u8], signature: &[u8]| {
            EcdsaP521Sha512
                .verify_signature(key, message, signature)
                .is_ok()
        };
        assert!(verify(&point(&key), b"handshake", der.as_bytes()));
        assert!(!verify(&point(&key), b"handshakes", der.as_bytes()));
        assert!(!verify(&point(&other), b"handshake", der.as_bytes()));
        assert!(!verify(&point(&key), b"handshake", &[]));
        assert!(!verify(&[], b"handshake", der.as_bytes()));
    }
}
