//! Users, people and bots alike.

use serde::{Deserialize, Serialize};

use super::namespace::Namespace;
use super::project::Project;
use super::table::Id;
use super::time::Moment;

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// Its number.
    pub id: Id<User>,
    /// The name in paths and mentions.
    pub username: String,
    /// The name for people.
    pub name: String,
    /// The address that commits get.
    pub email: String,
    /// Whether the account may be used.
    pub state: UserState,
    /// Whether the account administers the instance.
    pub is_admin: bool,
    /// For the account behind a project or group access token: what it belongs to.
    pub bot_of: Option<Resource>,
    /// Whether the account may create top-level groups.
    pub can_create_group: bool,
    /// How many projects its own namespace may hold.
    pub projects_limit: u64,
    /// Its own namespace; bots have none.
    pub namespace: Option<Id<Namespace>>,
    /// When it was made.
    pub created_at: Moment,
}

impl User {
    /// Whether this is the account of a project or group access token.
    pub const fn is_bot(&self) -> bool {
        self.bot_of.is_some()
    }
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// It may.
    Active,
    /// An administrator has blocked it.
    Blocked,
}

impl UserState {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
        }
    }
}

/// A project or a group: what members, tokens, hooks and deploy tokens belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// A project.
    Project(Id<Project>),
    /// A group.
    Group(Id<Namespace>),
}

impl Resource {
    /// `project` or `group`, as in messages and names.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Project(_) => "project",
            Self::Group(_) => "group",
        }
    }

    /// The number of the project or group.
    pub const fn number(self) -> u64 {
        match self {
            Self::Project(id) => id.number(),
            Self::Group(id) => id.number(),
        }
    }
}
