//! Namespaces: groups, and the personal namespaces of users.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::level::{AccessLevel, Visibility};
use super::table::Id;
use super::time::{Day, Moment};
use super::user::User;

/// A group or a personal namespace; both share one sequence of IDs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Namespace {
    /// Numeric ID.
    pub id: Id<Namespace>,
    /// Whether it is a group.
    pub kind: NamespaceKind,
    /// Display name.
    pub name: String,
    /// Last segment of the full path.
    pub path: String,
    /// The parent group.
    pub parent: Option<Id<Namespace>>,
    /// Description.
    pub description: String,
    /// Visibility.
    pub visibility: Visibility,
    /// Time of creation.
    pub created_at: Moment,
    /// Time of the last change.
    pub updated_at: Moment,
    /// Set while the group is marked for deletion.
    pub deletion: Option<ScheduledDeletion>,
    /// Set while a job removes the group, which hides it from requests.
    pub is_being_removed: bool,
    /// Whether it is archived.
    pub is_archived: bool,
    /// Who may create projects in it.
    pub project_creation: ProjectCreation,
    /// The lowest level that may create subgroups in it.
    pub subgroup_creation: AccessLevel,
    /// Whether its container registry holds images, which keep its path from changing.
    pub has_registry_images: bool,
    /// Settings that are only stored and shown.
    pub attributes: Map<String, Value>,
}

impl Namespace {
    /// Returns whether it is a group.
    pub const fn is_group(&self) -> bool {
        matches!(self.kind, NamespaceKind::Group)
    }
}

/// The kind of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamespaceKind {
    /// The personal namespace of a user.
    User(Id<User>),
    /// A group.
    Group,
}

/// A deletion that waits for the end of the retention period.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ScheduledDeletion {
    /// Day of the request.
    pub on: Day,
    /// The user who requested it.
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

    /// Returns the name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noone => "noone",
            Self::Owner => "owner",
            Self::Maintainer => "maintainer",
            Self::Developer => "developer",
            Self::Administrator => "administrator",
        }
    }

    /// Returns the lowest level that may create projects; `None` if no member may.
    pub const fn lowest_level(self) -> Option<AccessLevel> {
        match self {
            Self::Noone | Self::Administrator => None,
            Self::Owner => Some(AccessLevel::Owner),
            Self::Maintainer => Some(AccessLevel::Maintainer),
            Self::Developer => Some(AccessLevel::Developer),
        }
    }
}
