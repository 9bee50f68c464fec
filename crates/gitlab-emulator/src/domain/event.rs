//! What has happened, as the events API tells it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::project::Project;
use super::table::Id;
use super::time::Moment;
use super::user::User;

/// Something that a user did in a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its number.
    pub id: Id<Event>,
    /// Where.
    pub project: Id<Project>,
    /// Who.
    pub author: Id<User>,
    /// What: `pushed to`, `pushed new`, `deleted`, `created`.
    pub action: String,
    /// For pushes: the reference and its commits.
    pub push_data: Option<Value>,
    /// When.
    pub created_at: Moment,
}
