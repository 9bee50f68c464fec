//! Memberships, and shares of projects and groups with other groups.

use serde::{Deserialize, Serialize};

use super::level::AccessLevel;
use super::namespace::Namespace;
use super::table::Id;
use super::time::{Day, Moment};
use super::user::{Resource, User};

/// A user's direct membership.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Numeric ID, not shown by the API.
    pub id: Id<Member>,
    /// The project or group.
    pub resource: Resource,
    /// The member.
    pub user: Id<User>,
    /// The role.
    pub level: AccessLevel,
    /// Expiry day, exclusive.
    pub expires_at: Option<Day>,
    /// Who added the member.
    pub created_by: Option<Id<User>>,
    /// When the member was added.
    pub created_at: Moment,
}

impl Member {
    /// Returns whether the membership has not expired.
    pub fn is_current(&self, now: Moment) -> bool {
        self.expires_at.is_none_or(|day| day.start() > now)
    }
}

/// Access of a group's members to another project or group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Share {
    /// Numeric ID.
    pub id: Id<Share>,
    /// What is shared.
    pub resource: Resource,
    /// The group whose members get access.
    pub with: Id<Namespace>,
    /// The highest level that they get.
    pub level: AccessLevel,
    /// Expiry day, exclusive.
    pub expires_at: Option<Day>,
    /// Time of creation.
    pub created_at: Moment,
}
