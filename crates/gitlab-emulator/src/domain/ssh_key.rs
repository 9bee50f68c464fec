//! Public SSH keys: what GitLab stores of them and how it identifies them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use ssh_key::public::KeyData;
use ssh_key::{EcdsaCurve, HashAlg, PublicKey};

/// A stored public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshKey {
    /// Type, data and the first word of the comment.
    pub text: String,
    /// MD5 fingerprint: hexadecimal pairs with colons.
    pub fingerprint: String,
    /// SHA-256 fingerprint: `SHA256:` and unpadded base64.
    pub fingerprint_sha256: String,
}

/// An error of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Not a public key.
    Unreadable,
    /// A key type that GitLab does not accept.
    Forbidden,
}

/// A type of key that GitLab can accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// RSA.
    Rsa,
    /// ECDSA.
    Ecdsa,
    /// Ed25519.
    Ed25519,
    /// ECDSA on a security key.
    EcdsaSk,
    /// Ed25519 on a security key.
    Ed25519Sk,
}

impl KeyType {
    /// All types with their names in messages, in GitLab's order.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("RSA", Self::Rsa),
        ("ECDSA", Self::Ecdsa),
        ("ED25519", Self::Ed25519),
        ("ECDSA_SK", Self::EcdsaSk),
        ("ED25519_SK", Self::Ed25519Sk),
    ];

    /// Returns type and length in bits of a key; `None` if GitLab never accepts the type.
    fn measure(key: &PublicKey) -> Option<(Self, i64)> {
        match key.key_data() {
            KeyData::Rsa(key) => {
                let modulus = key.n.as_positive_bytes().unwrap_or_default();
                let leading = modulus.first().map_or(0, |byte| byte.leading_zeros());
                let bits = i64::try_from(modulus.len()).unwrap_or(0) * 8 - i64::from(leading);
                Some((Self::Rsa, bits))
            }
            KeyData::Ecdsa(key) => {
                let bits = match key.curve() {
                    EcdsaCurve::NistP256 => 256,
                    EcdsaCurve::NistP384 => 384,
                    EcdsaCurve::NistP521 => 521,
                };
                Some((Self::Ecdsa, bits))
            }
            KeyData::Ed25519(_) => Some((Self::Ed25519, 256)),
            KeyData::SkEcdsaSha2NistP256(_) => Some((Self::EcdsaSk, 256)),
            KeyData::SkEd25519(_) => Some((Self::Ed25519Sk, 256)),
            _ => None,
        }
    }
}

impl SshKey {
    /// Parses a public key and drops its comment except for the first word (GitLab
    /// `lib/gitlab/ssh_public_key.rb`). Also returns its type and length in bits.
    pub fn parse(text: &str) -> Result<(Self, KeyType, i64), KeyError> {
        let words: Vec<&str> = text.split_whitespace().take(3).collect();
        let key = PublicKey::from_openssh(&words.join(" ")).map_err(|_| KeyError::Unreadable)?;
        let (kind, bits) = KeyType::measure(&key).ok_or(KeyError::Forbidden)?;
        let data = words
            .get(1)
            .and_then(|data| STANDARD.decode(data).ok())
            .unwrap_or_default();
        let pairs: Vec<String> = Md5::digest(&data)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let key = Self {
            text: words.join(" "),
            fingerprint: pairs.join(":"),
            fingerprint_sha256: key.fingerprint(HashAlg::Sha256).to_string(),
        };
        Ok((key, kind, bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt";

    #[test]
    fn only_the_first_word_of_a_comment_is_kept() {
        let (key, kind, bits) = SshKey::parse(&format!("  {KEY} deploy key of ci\n")).unwrap();
        assert_eq!((kind, bits), (KeyType::Ed25519, 256));
        assert_eq!(key.text, format!("{KEY} deploy"));
        assert_eq!(SshKey::parse(KEY).unwrap().0.text, KEY);
    }

    #[test]
    fn fingerprints_equal_those_of_ssh_keygen() {
        let (key, ..) = SshKey::parse(KEY).unwrap();
        assert_eq!(
            key.fingerprint_sha256,
            "SHA256:Dt4p/IYQUY8IjlClfUDZ9fO6xJanzLSPoEWFOHZ7dq4"
        );
        assert_eq!(
            key.fingerprint,
            "9e:05:e1:ee:9c:c0:fa:4d:70:04:b6:ea:16:2d:ac:bd"
        );
    }

    #[test]
    fn other_text_is_not_a_key() {
        assert_eq!(SshKey::parse("hello"), Err(KeyError::Unreadable));
        assert_eq!(
            SshKey::parse("ssh-ed25519 AAAA x"),
            Err(KeyError::Unreadable)
        );
    }
}
