//! Projects.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::level::Visibility;
use super::namespace::{Namespace, ScheduledDeletion};
use super::table::Id;
use super::time::Moment;
use super::user::User;

/// A project; its repository is found by its number, so renames do not move it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Project {
    /// Its number.
    pub id: Id<Project>,
    /// The group or personal namespace that holds it.
    pub namespace: Id<Namespace>,
    /// The name for people.
    pub name: String,
    /// The last segment of its full path.
    pub path: String,
    /// Free text.
    pub description: Option<String>,
    /// Who can see it.
    pub visibility: Visibility,
    /// The branch that HEAD names, once chosen.
    pub default_branch: Option<String>,
    /// Whether it is archived, hence read-only.
    pub is_archived: bool,
    /// Set while it waits for its removal.
    pub deletion: Option<ScheduledDeletion>,
    /// Set while a job removes it: no request finds it any more.
    pub is_being_removed: bool,
    /// Who made it.
    pub creator: Id<User>,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// When something last happened in it.
    pub last_activity_at: Moment,
    /// Labels for finding it.
    pub topics: Vec<String>,
    /// The settings that the emulator only keeps and shows.
    pub attributes: Map<String, Value>,
}

/// An old path of a project, from which requests are sent on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Redirect {
    /// Its number.
    pub id: Id<Redirect>,
    /// The old full path, in lower case.
    pub path: String,
    /// Where it leads.
    pub project: Id<Project>,
}
