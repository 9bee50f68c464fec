//! A digest of the deploy keys that are to be enabled on a repository, short enough for private state.

use std::fmt::Write as _;

use nautes_model::deploy_key::DeployKey;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

/// The length of the digest in bytes.
const LENGTH: usize = 8;

/// The first 16 hexadecimal digits of the SHA-256 of the titles of deploy keys, sorted by owner, each
/// followed by a line feed. A repeated title counts each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyDigest(String);

impl KeyDigest {
    /// Digests deploy keys, whatever their order.
    pub fn new(keys: impl IntoIterator<Item = DeployKey>) -> Self {
        let mut keys: Vec<DeployKey> = keys.into_iter().collect();
        keys.sort_unstable();
        let mut context = Context::new(&SHA256);
        for key in keys {
            context.update(format!("{key}\n").as_bytes());
        }
        let hash = context.finish();
        let bytes = hash.as_ref().iter().take(LENGTH);
        Self(bytes.fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}

#[cfg(test)]
mod tests {
    use nautes_model::RepositoryId;

    use super::*;

    #[test]
    fn a_digest_is_that_of_sha256sum_and_depends_on_the_keys_alone() {
        let [readonly, readwrite] = DeployKey::both(RepositoryId::new(7));
        let digest = KeyDigest::new([readwrite, readonly]);
        // printf 'repo-7-readonly\nrepo-7-readwrite\n' | sha256sum
        assert_eq!(digest.0, "cc9a12d6b6facd9d");
        assert_eq!(KeyDigest::new([readonly, readwrite]), digest);
        assert_ne!(KeyDigest::new([readonly]), digest);
        assert_ne!(KeyDigest::new([readonly, readwrite, readwrite]), digest);
    }
}
