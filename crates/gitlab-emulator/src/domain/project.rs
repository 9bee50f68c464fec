//! Projects.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::level::Visibility;
use super::namespace::{Namespace, ScheduledDeletion};
use super::table::Id;
use super::time::Moment;
use super::user::User;

/// A project. Its repository is found by ID, so that renames do not move it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Project {
    /// Numeric ID.
    pub id: Id<Project>,
    /// The group or personal namespace that contains it.
    pub namespace: Id<Namespace>,
    /// Display name.
    pub name: String,
    /// Last segment of the full path.
    pub path: String,
    /// Description.
    pub description: Option<String>,
    /// Visibility.
    pub visibility: Visibility,
    /// The branch of HEAD; `None` until the first push.
    pub default_branch: Option<String>,
    /// Whether it is archived, hence read-only.
    pub is_archived: bool,
    /// Set while the project is marked for deletion.
    pub deletion: Option<ScheduledDeletion>,
    /// Set while a job removes the project, which hides it from requests.
    pub is_being_removed: bool,
    /// The user who created it.
    pub creator: Id<User>,
    /// Time of creation.
    pub created_at: Moment,
    /// Time of the last change.
    pub updated_at: Moment,
    /// Time of the last activity.
    pub last_activity_at: Moment,
    /// Topics.
    pub topics: Vec<String>,
    /// Settings that are only stored and shown.
    pub attributes: Map<String, Value>,
}

/// An old path that redirects to a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Redirect {
    /// Numeric ID.
    pub id: Id<Redirect>,
    /// The old full path, in lower case.
    pub path: String,
    /// The project.
    pub project: Id<Project>,
}
