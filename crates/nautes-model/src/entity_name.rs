//! The name of an entity in Kubernetes.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::id::{ProductId, RepositoryId};

/// The text is not a valid name of a Kubernetes resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is not a name: lower-case letters, digits, `-` and `.` are allowed, each part \
     between dots begins and ends with a letter or digit, at most {} characters",
    EntityName::MAX_LENGTH
)]
pub struct EntityNameError {
    /// The text.
    pub name: String,
}

/// The `metadata.name` of a Nautes resource: a DNS subdomain (RFC 1123).
///
/// It can therefore be one segment of a path. The stricter rules of each kind are in
/// [`crate::name`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntityName(String);

impl EntityName {
    /// The maximum length in Kubernetes.
    pub const MAX_LENGTH: usize = 253;

    /// Checks a name.
    pub fn new(name: impl Into<String>) -> Result<Self, EntityNameError> {
        let name = name.into();
        if name.len() <= Self::MAX_LENGTH && is_dns_subdomain(&name) {
            Ok(Self(name))
        } else {
            Err(EntityNameError { name })
        }
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for EntityName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntityName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::str::FromStr for EntityName {
    type Err = EntityNameError;

    fn from_str(name: &str) -> Result<Self, EntityNameError> {
        Self::new(name)
    }
}

impl TryFrom<String> for EntityName {
    type Error = EntityNameError;

    fn try_from(name: String) -> Result<Self, EntityNameError> {
        Self::new(name)
    }
}

impl From<EntityName> for String {
    fn from(name: EntityName) -> Self {
        name.0
    }
}

impl From<ProductId> for EntityName {
    fn from(id: ProductId) -> Self {
        Self(id.to_string())
    }
}

impl From<RepositoryId> for EntityName {
    fn from(id: RepositoryId) -> Self {
        Self(id.to_string())
    }
}

/// Returns whether a text is a DNS label (RFC 1123), of any length.
pub(crate) fn is_dns_label(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Returns whether a text is a DNS subdomain (RFC 1123), of any length.
pub(crate) fn is_dns_subdomain(text: &str) -> bool {
    text.split('.').all(is_dns_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_dns_subdomain() {
        for name in ["a", "dev", "1", "a-b.c", "repo-128"] {
            assert_eq!(
                EntityName::new(name).map(|name| name.to_string()),
                Ok(name.to_owned())
            );
        }
        for name in [
            "", ".", "..", "a..b", "-a", "a-", "A", "a_b", "a/b", "a.-b", "ä", "a b",
        ] {
            assert!(EntityName::new(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_has_at_most_253_characters() {
        assert!(EntityName::new("a".repeat(253)).is_ok());
        assert!(EntityName::new("a".repeat(254)).is_err());
    }
}
