//! Background work: what GitLab does after it has answered.

use serde::{Deserialize, Serialize};

use super::namespace::Namespace;
use super::project::Project;
use super::table::Id;
use super::time::Moment;

/// A piece of work that is due at a moment; it survives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: Id<Job>,
    /// When it is to be done.
    pub due: Moment,
    /// What is to be done.
    pub work: Work,
}

/// What is to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Remove a project's repository and row.
    RemoveProject(Id<Project>),
    /// Remove a group with all that is in it.
    RemoveGroup(Id<Namespace>),
    /// Protect the default branch after its first commit.
    ProtectDefaultBranch(Id<Project>),
}
