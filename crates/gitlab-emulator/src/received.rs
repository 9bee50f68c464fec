//! What follows when references have moved, whoever moved them (GitLab's post-receive).

use crate::domain::job::Work;
use crate::domain::project::Project;
use crate::domain::table::Id;
use crate::domain::user::User;
use crate::git::{Error, ObjectId};
use crate::instance::Instance;

const BRANCHES: &str = "refs/heads/";

/// A reference that has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Its full name.
    pub(crate) reference: String,
    /// Where it was, `None` when it is new.
    pub(crate) old: Option<ObjectId>,
    /// Where it is, `None` when it is gone.
    pub(crate) new: Option<ObjectId>,
}

/// Brings the project up to date with its repository.
pub(crate) fn process(
    instance: &Instance,
    project: Id<Project>,
    _user: Id<User>,
    updates: &[Received],
) -> Result<(), Error> {
    let repository = instance.repositories.open(project.number())?;
    let branches = repository.branches()?;
    let created: Vec<&str> = updates
        .iter()
        .filter(|update| update.old.is_none() && update.new.is_some())
        .filter_map(|update| update.reference.strip_prefix(BRANCHES))
        .collect();
    let is_first = !created.is_empty()
        && branches
            .iter()
            .all(|(branch, _)| created.contains(&branch.as_str()));
    let now = instance.now();
    let new_default = instance.change(|state| {
        let current = state.default_branch(state.projects.get(project)?);
        let default = if is_first && !created.contains(&current.as_str()) {
            created.first().map(|branch| (*branch).to_owned())
        } else {
            None
        };
        let row = state.projects.get_mut(project)?;
        row.last_activity_at = now;
        if default.is_some() {
            row.default_branch.clone_from(&default);
        }
        let default_name = default.as_deref().unwrap_or(&current);
        if created.contains(&default_name) && is_first {
            state.schedule(Work::ProtectDefaultBranch(project), now);
        }
        default
    });
    if let Some(branch) = new_default {
        repository.set_head(&branch)?;
    }
    Ok(())
}
