//! Deploy tokens: read access for machines, without a user.

use serde::{Deserialize, Serialize};

use super::table::Id;
use super::time::Moment;
use super::token::TokenDigest;
use super::user::Resource;

/// A deploy token of a project or group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeployToken {
    /// Its number.
    pub id: Id<DeployToken>,
    /// What it opens.
    pub of: Resource,
    /// What it is called.
    pub name: String,
    /// The user name that goes with it.
    pub username: String,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// Whether it was revoked.
    pub is_revoked: bool,
    /// What it may be used for.
    pub scopes: Vec<DeployScope>,
    /// Digest of the token.
    pub digest: TokenDigest,
}

impl DeployToken {
    /// Whether it still authenticates.
    pub fn is_active(&self, now: Moment) -> bool {
        !self.is_revoked && !self.is_expired(now)
    }

    /// Whether it has ended by its own date.
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires_at.is_some_and(|moment| moment <= now)
    }
}

/// What a deploy token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployScope {
    /// Fetching.
    ReadRepository,
    /// Pulling images.
    ReadRegistry,
    /// Pushing images.
    WriteRegistry,
    /// Pulling packages.
    ReadPackageRegistry,
    /// Pushing packages.
    WritePackageRegistry,
    /// Pulling images through the dependency proxy.
    ReadVirtualRegistry,
    /// Pushing images through the dependency proxy.
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

    /// The name in the API.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, scope)| *scope == self)
            .map_or("read_repository", |(name, _)| name)
    }
}
