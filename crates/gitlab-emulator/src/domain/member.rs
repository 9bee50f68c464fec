//! Memberships, and shares of a project or group with another group.

use serde::{Deserialize, Serialize};

use super::level::AccessLevel;
use super::namespace::Namespace;
use super::table::Id;
use super::time::{Day, Moment};
use super::user::{Resource, User};

/// A user's direct membership.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Its number, which the API does not show.
    pub id: Id<Member>,
    /// What the user is a member of.
    pub of: Resource,
    /// The member.
    pub user: Id<User>,
    /// What the member may do.
    pub level: AccessLevel,
    /// The day at whose start the membership ends.
    pub expires_at: Option<Day>,
    /// Who added the member.
    pub created_by: Option<Id<User>>,
    /// When the member was added.
    pub created_at: Moment,
}

impl Member {
    /// Whether the membership counts at this moment.
    pub fn is_current(&self, now: Moment) -> bool {
        self.expires_at.is_none_or(|day| day.start() > now)
    }
}

/// A project or group opened to the members of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Share {
    /// Its number.
    pub id: Id<Share>,
    /// What is shared.
    pub of: Resource,
    /// The group whose members get access.
    pub with: Id<Namespace>,
    /// The most that they get.
    pub level: AccessLevel,
    /// The day at whose start the share ends.
    pub expires_at: Option<Day>,
    /// When it was made.
    pub created_at: Moment,
}
