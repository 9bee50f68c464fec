//! Namespaces: groups, and the personal namespaces of users.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::level::{AccessLevel, Visibility};
use super::table::Id;
use super::time::{Day, Moment};
use super::user::User;

/// A group or a personal namespace; both share one series of numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Namespace {
    /// Its number.
    pub id: Id<Namespace>,
    /// Whether it is a group.
    pub kind: NamespaceKind,
    /// The name for people.
    pub name: String,
    /// The last segment of its full path.
    pub path: String,
    /// The group above.
    pub parent: Option<Id<Namespace>>,
    /// Free text.
    pub description: String,
    /// Who can see it.
    pub visibility: Visibility,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// Set while it waits for its removal.
    pub deletion: Option<ScheduledDeletion>,
    /// Set while a job removes it: no request finds it any more.
    pub is_being_removed: bool,
    /// Whether it is archived.
    pub is_archived: bool,
    /// Who may create projects in it.
    pub project_creation: ProjectCreation,
    /// The lowest level that may create subgroups in it.
    pub subgroup_creation: AccessLevel,
    /// Whether its container registry holds images, which pin its path.
    pub has_registry_images: bool,
    /// The settings that the emulator only keeps and shows.
    pub attributes: Map<String, Value>,
}

impl Namespace {
    /// Whether it is a group.
    pub const fn is_group(&self) -> bool {
        matches!(self.kind, NamespaceKind::Group)
    }
}

/// What a namespace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamespaceKind {
    /// The own namespace of a user.
    User(Id<User>),
    /// A group.
    Group,
}

/// A removal that waits for the end of the retention period.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ScheduledDeletion {
    /// The day of the request.
    pub on: Day,
    /// Who asked for it.
    pub by: Id<User>,
}

/// Who may create projects in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectCreation {
    /// Nobody.
    Noone,
    /// Owners.
    Owner,
    /// Maintainers.
    Maintainer,
    /// Developers.
    Developer,
    /// Administrators of the instance.
    Administrator,
}

impl ProjectCreation {
    /// All values with their names in the API.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("noone", Self::Noone),
        ("owner", Self::Owner),
        ("maintainer", Self::Maintainer),
        ("developer", Self::Developer),
        ("administrator", Self::Administrator),
    ];

    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noone => "noone",
            Self::Owner => "owner",
            Self::Maintainer => "maintainer",
            Self::Developer => "developer",
            Self::Administrator => "administrator",
        }
    }

    /// The lowest level that may create projects, `None` when no member may.
    pub const fn lowest_level(self) -> Option<AccessLevel> {
        match self {
            Self::Noone | Self::Administrator => None,
            Self::Owner => Some(AccessLevel::Owner),
            Self::Maintainer => Some(AccessLevel::Maintainer),
            Self::Developer => Some(AccessLevel::Developer),
        }
    }
}
