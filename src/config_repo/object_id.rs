//! Ids of git objects, computed without asking GitLab.

use std::fmt::Write;

use ring::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

/// Length of an id in hexadecimal digits in repositories of git's newer object format.
const SHA256_DIGITS: usize = 64;

/// The hash function of a repository.
#[derive(Clone, Copy, Debug)]
pub(super) struct ObjectFormat(&'static Algorithm);

impl ObjectFormat {
    /// Returns the hash function by some id of the repository.
    pub(super) fn from_id(id: &str) -> Self {
        Self(if id.len() == SHA256_DIGITS {
            &SHA256
        } else {
            &SHA1_FOR_LEGACY_USE_ONLY
        })
    }

    /// Returns the blob id of a file's content (git `Documentation/gitformat-loose.adoc`).
    pub(super) fn blob_id(self, content: &[u8]) -> String {
        let mut context = Context::new(self.0);
        context.update(format!("blob {}\0", content.len()).as_bytes());
        context.update(content);
        context
            .finish()
            .as_ref()
            .iter()
            .fold(String::new(), |mut hash, byte| {
                let _ = write!(hash, "{byte:02x}");
                hash
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_git() {
        let sha1 = ObjectFormat::from_id(&"0".repeat(40));
        assert_eq!(
            sha1.blob_id(b""),
            "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
        );
        assert_eq!(
            sha1.blob_id(b"hello\n"),
            "ce013625030ba8dba906f756967f9e9ca394464a"
        );
        let sha256 = ObjectFormat::from_id(&"0".repeat(64));
        assert_eq!(
            sha256.blob_id(b""),
            "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"
        );
    }
}
