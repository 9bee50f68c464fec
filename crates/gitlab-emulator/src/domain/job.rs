//! Background work that GitLab does after it has responded.

use serde::{Deserialize, Serialize};

use super::namespace::Namespace;
use super::project::Project;
use super::table::Id;
use super::time::Moment;

/// A task that is due at some time; it survives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Numeric ID.
    pub id: Id<Job>,
    /// When the task is due.
    pub due: Moment,
    /// The task.
    pub task: Task,
}

/// Background work.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Removes a project's repository and row.
    RemoveProject(Id<Project>),
    /// Removes a group and its content.
    RemoveGroup(Id<Namespace>),
    /// Protects the default branch after its first commit.
    ProtectDefaultBranch(Id<Project>),
}
