//! The path of a secret, and the policy that allows reading it.

use std::fmt;

/// The path of a secret: a mount, and a path below it.
///
/// The text form is `<mount>/<path>`, without the `data` that the API has between the two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretPath {
    mount: String,
    path: String,
}

/// The text cannot be part of a secret's path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` cannot be part of a secret's path: only letters, digits, hyphens and single slashes \
     between them are allowed"
)]
pub struct SecretPathError {
    /// The text.
    pub text: String,
}

impl SecretPath {
    /// Joins a mount and a path below it.
    ///
    /// Both consist of segments of ASCII letters, digits and hyphens, separated by slashes; Nautes
    /// writes nothing else (`internal/service/vaultproxy.go` of its `vault-proxy`).
    pub fn new(mount: &str, path: &str) -> Result<Self, SecretPathError> {
        for text in [mount, path] {
            if !text.split('/').all(is_segment) {
                return Err(SecretPathError {
                    text: text.to_owned(),
                });
            }
        }
        Ok(Self::from_segments(mount, path.to_owned()))
    }

    /// Joins a mount and a path that consist of valid segments.
    pub(super) fn from_segments(mount: &str, path: String) -> Self {
        Self {
            mount: mount.to_owned(),
            path,
        }
    }

    /// Returns the mount of the key-value engine, such as `git`.
    pub fn mount(&self) -> &str {
        &self.mount
    }

    /// Returns the path below the mount, such as `gitlab/repo-12/default/readonly`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the name of the policy that allows reading the secret:
    /// `gitlab-repo-12-default-readonly`.
    pub fn policy_name(&self) -> String {
        self.path.replace('/', "-")
    }

    /// Returns the policy that allows reading the secret, its older versions and its metadata.
    pub fn policy_text(&self) -> String {
        let Self { mount, path } = self;
        ["data", "metadata"]
            .map(|part| {
                format!("path \"{mount}/{part}/{path}\" {{\n  capabilities = [\"read\"]\n}}\n")
            })
            .join("\n")
    }
}

fn is_segment(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl fmt::Display for SecretPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.mount, self.path)
    }
}
