//! Public SSH keys: what GitLab stores of them and how it identifies them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use ssh_key::{Algorithm, HashAlg, PublicKey};

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

impl SshKey {
    /// Parses a public key and drops its comment except for the first word (GitLab
    /// `lib/gitlab/ssh_public_key.rb`).
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let words: Vec<&str> = text.split_whitespace().take(3).collect();
        let key = PublicKey::from_openssh(&words.join(" ")).map_err(|_| KeyError::Unreadable)?;
        let is_taken = matches!(
            key.algorithm(),
            Algorithm::Rsa { .. }
                | Algorithm::Ed25519
                | Algorithm::Ecdsa { .. }
                | Algorithm::SkEcdsaSha2NistP256
                | Algorithm::SkEd25519
        );
        if !is_taken {
            return Err(KeyError::Forbidden);
        }
        let data = words
            .get(1)
            .and_then(|data| STANDARD.decode(data).ok())
            .unwrap_or_default();
        let pairs: Vec<String> = Md5::digest(&data)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self {
            text: words.join(" "),
            fingerprint: pairs.join(":"),
            fingerprint_sha256: key.fingerprint(HashAlg::Sha256).to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqt";

    #[test]
    fn only_the_first_word_of_a_comment_is_kept() {
        let key = SshKey::parse(&format!("  {KEY} deploy key of ci\n")).unwrap();
        assert_eq!(key.text, format!("{KEY} deploy"));
        assert_eq!(SshKey::parse(KEY).unwrap().text, KEY);
    }

    #[test]
    fn fingerprints_equal_those_of_ssh_keygen() {
        let key = SshKey::parse(KEY).unwrap();
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
