//! Deploy tokens: access for machines, without a user.

use serde::{Deserialize, Serialize};

use super::table::Id;
use super::time::Moment;
use super::token::TokenDigest;
use super::user::Resource;

/// A deploy token of a project or group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeployToken {
    /// Numeric ID.
    pub id: Id<DeployToken>,
    /// The project or group that it opens.
    pub resource: Resource,
    /// Display name.
    pub name: String,
    /// The user name to use with it.
    pub username: String,
    /// Expiry.
    pub expires_at: Option<Moment>,
    /// Whether it was revoked.
    pub is_revoked: bool,
    /// Scopes.
    pub scopes: Vec<DeployScope>,
    /// Digest of the token.
    pub digest: TokenDigest,
}

impl DeployToken {
    /// Returns whether it still authenticates.
    pub fn is_active(&self, now: Moment) -> bool {
        !self.is_revoked && !self.is_expired(now)
    }

    /// Returns whether it has expired.
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires_at.is_some_and(|moment| moment <= now)
    }
}

/// The scope of a deploy token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployScope {
    /// Fetches.
    ReadRepository,
    /// Pulls images.
    ReadRegistry,
    /// Pushes images.
    WriteRegistry,
    /// Pulls packages.
    ReadPackageRegistry,
    /// Pushes packages.
    WritePackageRegistry,
    /// Pulls images through the dependency proxy.
    ReadVirtualRegistry,
    /// Pushes images through the dependency proxy.
    WriteVirtualRegistry,
}

impl DeployScope {
    /// All scopes with their names in the API.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("read_repository", Self::ReadRepository),
        ("read_registry", Self::ReadRegistry),
        ("write_registry", Self::WriteRegistry),
        ("read_package_registry", Self::ReadPackageRegistry),
        ("write_package_registry", Self::WritePackageRegistry),
        ("read_virtual_registry", Self::ReadVirtualRegistry),
        ("write_virtual_registry", Self::WriteVirtualRegistry),
    ];

    /// Returns the name in the API.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, scope)| *scope == self)
            .map_or("read_repository", |(name, _)| name)
    }
}
