//! Secrets of code repositories.

use super::GIT_MOUNT;
use super::path::SecretPath;
use crate::entity::Permissions;
use crate::id::RepositoryId;

/// The key of a deploy key's private half, as OpenSSH PEM with its final line break.
pub const DEPLOY_KEY: &str = "deploykey";

/// The key of a deploy key's public half: the text that GitLab returns for it, whatever the name says.
pub const FINGERPRINT: &str = "fingerprint";

/// The key of GitLab's number for the deploy key or the access token, in decimal digits.
pub const ID: &str = "id";

/// The key of an access token's text.
pub const ACCESS_TOKEN: &str = "accesstoken";

/// One of the secrets that a code repository has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GitSecret {
    /// The read-only deploy key.
    ReadonlyKey,
    /// The read-write deploy key.
    ReadwriteKey,
    /// The access token for GitLab's API.
    AccessToken,
}

impl GitSecret {
    /// All secrets that a repository can have.
    pub const ALL: [Self; 3] = [Self::ReadonlyKey, Self::ReadwriteKey, Self::AccessToken];

    /// Returns the last segment of the secret's path.
    pub const fn segment(self) -> &'static str {
        match self {
            Self::ReadonlyKey => "readonly",
            Self::ReadwriteKey => "readwrite",
            Self::AccessToken => "accesstoken-api",
        }
    }
}

impl From<Permissions> for GitSecret {
    /// Returns the deploy key that carries the permissions.
    fn from(permissions: Permissions) -> Self {
        match permissions {
            Permissions::ReadOnly => Self::ReadonlyKey,
            Permissions::ReadWrite => Self::ReadwriteKey,
        }
    }
}

impl SecretPath {
    /// Returns the place of a code repository's secret: `git/gitlab/repo-12/default/readonly`.
    pub fn of_repository(repository: RepositoryId, secret: GitSecret) -> Self {
        let folder = Self::folder_of_repository(repository);
        Self::composed(GIT_MOUNT, format!("{folder}/{}", secret.segment()))
    }

    /// Returns the folder that holds a code repository's secrets, relative to [`GIT_MOUNT`]:
    /// `gitlab/repo-12/default`.
    ///
    /// Nautes knows one user of a repository's secrets, who is called `default`.
    pub fn folder_of_repository(repository: RepositoryId) -> String {
        format!("gitlab/{repository}/default")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_after_what_it_permits() {
        for permissions in Permissions::ALL {
            assert_eq!(GitSecret::from(permissions).segment(), permissions.as_str());
        }
    }
}
