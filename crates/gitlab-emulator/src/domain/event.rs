//! Activity, as the events API shows it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::project::Project;
use super::table::Id;
use super::time::Moment;
use super::user::User;

/// An action of a user in a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Numeric ID.
    pub id: Id<Event>,
    /// The project.
    pub project: Id<Project>,
    /// The user.
    pub author: Id<User>,
    /// The action: `pushed to`, `pushed new`, `deleted` or `created`.
    pub action: String,
    /// For pushes, the reference and its commits.
    pub push_data: Option<Value>,
    /// Time of the event.
    pub created_at: Moment,
}
