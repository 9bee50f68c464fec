//! Users and bots.

use serde::{Deserialize, Serialize};

use super::namespace::Namespace;
use super::project::Project;
use super::table::Id;
use super::time::Moment;

/// A user account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// Numeric ID.
    pub id: Id<User>,
    /// User name.
    pub username: String,
    /// Display name.
    pub name: String,
    /// Email address.
    pub email: String,
    /// Whether the account is active.
    pub state: UserState,
    /// Whether the account administers the instance.
    pub is_admin: bool,
    /// The project or group of a bot.
    pub bot_of: Option<Resource>,
    /// Whether the account may create top-level groups.
    pub can_create_group: bool,
    /// Project limit of the personal namespace.
    pub projects_limit: u64,
    /// The personal namespace; bots have none.
    pub namespace: Option<Id<Namespace>>,
    /// Time of creation.
    pub created_at: Moment,
}

impl User {
    /// Returns whether this is the bot of a project or group access token.
    pub const fn is_bot(&self) -> bool {
        self.bot_of.is_some()
    }
}

/// Whether an account is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// Active.
    Active,
    /// Blocked by an administrator.
    Blocked,
}

impl UserState {
    /// Returns the name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
        }
    }
}

/// A project or a group: the owner of members, tokens, hooks and deploy tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// A project.
    Project(Id<Project>),
    /// A group.
    Group(Id<Namespace>),
}

impl Resource {
    /// Creates the reference to a project, which need not exist.
    pub const fn project(id: u64) -> Self {
        Self::Project(Id::new(id))
    }

    /// Creates the reference to a group, which need not exist.
    pub const fn group(id: u64) -> Self {
        Self::Group(Id::new(id))
    }

    /// Returns `project` or `group`, as in messages and names.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Project(_) => "project",
            Self::Group(_) => "group",
        }
    }

    /// Returns the ID of the project or group.
    pub const fn number(self) -> u64 {
        match self {
            Self::Project(id) => id.number(),
            Self::Group(id) => id.number(),
        }
    }
}
