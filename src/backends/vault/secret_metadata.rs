//! What a key-value engine of version 2 tells of a secret without its content.

use std::collections::BTreeMap;
use std::time::SystemTime;

use nautes_model::vault::SecretPath;
use serde::{Deserialize, Serialize};

use super::Vault;
use super::error::Error;
use super::request::Verb;

/// What is known of a secret without its content.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SecretMetadata {
    /// The latest version, counted from 1; 0 before the first one.
    pub current_version: u64,
    /// Whether that version can be read: it is neither deleted nor destroyed.
    pub is_readable: bool,
    /// The texts that were stored with it.
    pub custom: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Read {
    data: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    current_version: u64,
    #[serde(default, rename = "custom_metadata")]
    custom: Option<BTreeMap<String, String>>,
    #[serde(default)]
    versions: BTreeMap<String, Version>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

#[derive(Serialize)]
struct Write<'a> {
    custom_metadata: &'a BTreeMap<String, String>,
}

impl Vault {
    /// Reads what is known of a secret without its content; `None` if nothing is at its path.
    pub async fn secret_metadata(
        &self,
        path: &SecretPath,
    ) -> Result<Option<SecretMetadata>, Error> {
        let request = self.request_secret(Verb::Read, path, "metadata");
        let answer = self.session.send(&request).await?;
        if !answer.is_found() {
            return Ok(None);
        }
        let metadata = answer.read::<Read>()?.data;
        let current = metadata.versions.get(&metadata.current_version.to_string());
        let is_readable = current.is_some_and(|version| version.is_readable(SystemTime::now()));
        Ok(Some(SecretMetadata {
            current_version: metadata.current_version,
            is_readable,
            custom: metadata.custom.unwrap_or_default(),
        }))
    }

    /// Stores texts with a secret, in place of those that were stored with it. The secret need not
    /// exist yet.
    pub async fn set_custom_metadata(
        &self,
        path: &SecretPath,
        custom: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let request = self.request_secret(Verb::Write, path, "metadata");
        let write = Write {
            custom_metadata: custom,
        };
        let answer = self.session.send(&request.with_body(&write)?).await?;
        if answer.is_found() {
            Ok(())
        } else {
            Err(answer.not_found())
        }
    }
}

impl Version {
    fn is_readable(&self, now: SystemTime) -> bool {
        let is_deleted = match humantime::parse_rfc3339(&self.deletion_time) {
            Ok(deletion) => deletion <= now,
            Err(_) => !self.deletion_time.is_empty(),
        };
        !self.destroyed && !is_deleted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_readable_until_its_deletion() {
        let now = humantime::parse_rfc3339("2026-06-01T00:00:00Z").unwrap();
        let is_readable = |deletion_time: &str, destroyed| {
            let deletion_time = deletion_time.to_owned();
            let version = Version {
                deletion_time,
                destroyed,
            };
            version.is_readable(now)
        };
        assert!(is_readable("", false));
        assert!(is_readable("2026-06-02T00:00:00.123456789Z", false));
        assert!(!is_readable("2026-05-31T00:00:00.123456789Z", false));
        assert!(!is_readable("of a kind that nobody knows", false));
        assert!(!is_readable("", true));
    }
}
