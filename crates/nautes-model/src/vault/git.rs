//! The secrets of code repositories.

use super::GIT_MOUNT;
use super::path::SecretPath;
use crate::entity::Permissions;
use crate::id::RepositoryId;

/// The field with the private key of a deploy key, as OpenSSH PEM with its final line break.
pub const DEPLOY_KEY: &str = "deploykey";

/// The field with the public key of a deploy key, as GitLab returns it. Despite its name it is not
/// a fingerprint.
pub const FINGERPRINT: &str = "fingerprint";

/// The field with GitLab's id of the deploy key or access token, in decimal digits.
pub const ID: &str = "id";

/// The field with the access token.
pub const ACCESS_TOKEN: &str = "accesstoken";

/// A secret of a code repository.
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
    /// All secrets of a code repository.
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
    /// Returns the deploy key with the permissions.
    fn from(permissions: Permissions) -> Self {
        match permissions {
            Permissions::ReadOnly => Self::ReadonlyKey,
            Permissions::ReadWrite => Self::ReadwriteKey,
        }
    }
}

impl SecretPath {
    /// Returns the path of a code repository's secret: `git/gitlab/repo-12/default/readonly`.
    pub fn for_repository(repository: RepositoryId, secret: GitSecret) -> Self {
        let folder = Self::repository_folder(repository);
        Self::from_segments(GIT_MOUNT, format!("{folder}/{}", secret.segment()))
    }

    /// Returns the folder with a code repository's secrets, relative to [`GIT_MOUNT`]:
    /// `gitlab/repo-12/default`.
    ///
    /// In Nautes, `default` is the user of the secrets; there is only this one.
    pub fn repository_folder(repository: RepositoryId) -> String {
        format!("gitlab/{repository}/default")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_key_ends_in_its_permissions() {
        for permissions in Permissions::ALL {
            assert_eq!(GitSecret::from(permissions).segment(), permissions.as_str());
        }
    }
}
