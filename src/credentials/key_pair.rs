//! Key pairs for deploy keys, generated in memory.

use p256::SecretKey;
use p256::elliptic_curve::Generate as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use ssh_encoding::Decode as _;
use ssh_key::private::{EcdsaKeypair, EcdsaPrivateKey, KeypairData};
use ssh_key::public::EcdsaPublicKey;
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// The length of a private scalar of P-256, as SSH encodes it.
const SCALAR_LENGTH: [u8; 4] = [0, 0, 0, 32];

/// A key pair on the curve P-256.
#[derive(Debug)]
pub(super) struct KeyPair {
    /// `ecdsa-sha2-nistp256 AAAA…`, without a comment, because GitLab truncates comments.
    pub(super) public: String,
    /// OpenSSH's own format in PEM, unencrypted, with a final line feed.
    pub(super) private: Secret,
}

/// A key pair could not be generated, or a key not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyPairError {
    /// The operating system provides no random numbers.
    #[error("the operating system provides no random numbers: {reason}")]
    Random {
        /// The system's error.
        reason: String,
    },
    /// The key cannot be written or read in OpenSSH's format.
    #[error("the key is not in a format of OpenSSH: {reason}")]
    Format {
        /// The error of the parser or writer.
        reason: String,
    },
}

// `ssh_key::Error` implements `std::error::Error` only with features that add other kinds of keys.
impl From<ssh_key::Error> for KeyPairError {
    fn from(error: ssh_key::Error) -> Self {
        Self::Format {
            reason: error.to_string(),
        }
    }
}

impl KeyPair {
    /// Generates a pair, and wipes all copies of the private key but the one in the result.
    pub(super) fn generate() -> Result<Self, KeyPairError> {
        let secret = SecretKey::try_generate().map_err(|error| KeyPairError::Random {
            reason: error.to_string(),
        })?;
        let point = secret.public_key().to_sec1_point(false);
        let EcdsaPublicKey::NistP256(public) = EcdsaPublicKey::from_sec1_bytes(point.as_bytes())?
        else {
            return Err(ssh_key::Error::AlgorithmUnknown.into());
        };
        let private = ssh_scalar(&secret)?;
        let pair = KeypairData::Ecdsa(EcdsaKeypair::NistP256 { public, private });
        let pair = PrivateKey::new(pair, "")?;
        Ok(Self {
            public: pair.public_key().to_openssh()?,
            private: Secret::from(pair.to_openssh(LineEnding::LF)?.as_str()),
        })
    }
}

/// Converts a private scalar to the type of `ssh-key`, which can only be decoded from SSH's encoding:
/// a length, then the number.
fn ssh_scalar(secret: &SecretKey) -> Result<EcdsaPrivateKey<32>, KeyPairError> {
    let scalar = Zeroizing::new(secret.to_bytes());
    let wire = Zeroizing::new([SCALAR_LENGTH.as_slice(), scalar.as_slice()].concat());
    Ok(EcdsaPrivateKey::decode(&mut wire.as_slice())?)
}

/// Returns the fingerprint of a public key in OpenSSH's format: `SHA256:…`.
pub(super) fn fingerprint(public: &str) -> Result<String, KeyPairError> {
    let key = PublicKey::from_openssh(public)?;
    Ok(key.fingerprint(HashAlg::Sha256).to_string())
}

/// Returns whether two texts are the same public key, whatever their comments.
pub(super) fn is_same_key(one: &str, other: &str) -> bool {
    let key = |text| str::split_whitespace(text).take(2).collect::<Vec<_>>();
    key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
    };

    use super::*;
    use crate::secret::ExposeSecret as _;

    #[test]
    fn another_implementation_signs_with_the_private_half_and_verifies_with_the_public_one() {
        let pair = KeyPair::generate().unwrap();
        let private = PrivateKey::from_openssh(pair.private.expose_secret()).unwrap();
        assert!(!private.is_encrypted());
        let ssh_key::private::KeypairData::Ecdsa(scalar) = private.key_data() else {
            panic!("{:?}", private.algorithm());
        };
        let public = PublicKey::from_openssh(&pair.public).unwrap();
        let public = public.key_data().ecdsa().unwrap().as_sec1_bytes().to_vec();

        let random = SystemRandom::new();
        let signer = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            scalar.private_key_bytes(),
            &public,
            &random,
        )
        .unwrap();
        let signature = signer.sign(&random, b"push").unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &public)
            .verify(b"push", signature.as_ref())
            .unwrap();
    }

    #[test]
    fn the_texts_are_those_of_openssh_without_a_comment() {
        let pair = KeyPair::generate().unwrap();
        assert_eq!(pair.public.split(' ').count(), 2);
        assert!(pair.public.starts_with("ecdsa-sha2-nistp256 AAAA"));
        let private = pair.private.expose_secret();
        assert!(private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert!(private.ends_with("\n-----END OPENSSH PRIVATE KEY-----\n"));
        assert!(!format!("{pair:?}").contains("BEGIN"));
    }

    #[test]
    fn no_two_pairs_are_the_same() {
        let [one, other] = [(); 2].map(|()| KeyPair::generate().unwrap());
        assert!(!is_same_key(&one.public, &other.public));
        assert_ne!(
            fingerprint(&one.public).unwrap(),
            fingerprint(&other.public).unwrap()
        );
        assert!(is_same_key(&one.public, &format!("{} comment", one.public)));
    }

    #[test]
    fn fingerprints_are_those_of_ssh_keygen() {
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt";
        assert_eq!(
            fingerprint(key).unwrap(),
            "SHA256:Dt4p/IYQUY8IjlClfUDZ9fO6xJanzLSPoEWFOHZ7dq4"
        );
    }
}
