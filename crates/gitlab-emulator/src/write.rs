//! Writes to a branch like GitLab's services and Gitaly: read the parent, build the commit, run the
//! hooks, move the branch if it is still at the parent (Gitaly `UserCommitFiles`).

use std::time::Duration;

use crate::domain::project::Project;
use crate::domain::table::Id;
use crate::domain::user::User;
use crate::git::action::{Action, ActionError};
use crate::git::commit::{NewCommit, Signature};
use crate::git::reference::ReferenceConflict;
use crate::git::{Error, ObjectId};
use crate::instance::Instance;
use crate::post_receive::{self, ReferenceUpdate};

/// A commit to create on a branch.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    pub(crate) project: Id<Project>,
    pub(crate) branch: &'a str,
    /// The commit to build on instead of the branch's tip.
    pub(crate) start: Option<ObjectId>,
    /// Whether an existing branch may be moved away from its history.
    pub(crate) is_forced: bool,
    pub(crate) message: &'a str,
    pub(crate) actions: &'a [Action],
    /// Name and email of the author; `None` for the user's own.
    pub(crate) author: Option<(String, String)>,
    pub(crate) user: Id<User>,
}

/// A created commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) commit: ObjectId,
    pub(crate) parent: Option<ObjectId>,
}

/// An error that kept a commit from being created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("could not apply an action")]
    Action(#[from] ActionError),
    #[error("could not move branch {branch}: {conflict:?}")]
    Branch {
        branch: String,
        conflict: ReferenceConflict,
    },
    #[error("the user no longer exists")]
    NoUser,
    #[error("could not access the repository")]
    Repository(#[from] Error),
}

/// Creates a commit. Blocks for the simulated duration of GitLab's hooks.
pub(crate) fn commit(instance: &Instance, write: &Write<'_>) -> Result<Written, WriteError> {
    let repository = instance.repositories.open(write.project.number())?;
    let (gap, latency, own) = {
        let state = instance.store.read();
        let switches = state.switches.get();
        let user = state.users.get(write.user).ok_or(WriteError::NoUser)?;
        let own = (user.name.clone(), user.email.clone());
        (switches.gap_before_parent, switches.latency_commit, own)
    };
    pause(gap);

    let tip = repository.branch(write.branch)?;
    let parent = write.start.or(tip);
    let from = if write.start.is_some() && !write.is_forced {
        None
    } else {
        tip
    };
    let seconds = instance.now().seconds();
    let sign = |(name, email): (String, String)| Signature {
        name,
        email,
        seconds,
        offset: 0,
    };
    let committer = sign(own.clone());
    let author = sign(write.author.clone().unwrap_or(own));
    let new = NewCommit {
        parent,
        actions: write.actions,
        message: write.message,
        author: &author,
        committer: &committer,
    };
    let commit = repository.write_commit(&new)??;
    pause(latency);

    let name = format!("refs/heads/{}", write.branch);
    repository
        .swap_reference(&name, from, Some(commit))?
        .map_err(|conflict| WriteError::Branch {
            branch: write.branch.to_owned(),
            conflict,
        })?;
    let update = ReferenceUpdate {
        reference: name,
        old: from,
        new: Some(commit),
    };
    post_receive::process(instance, write.project, write.user, &[update])?;
    Ok(Written { commit, parent })
}

fn pause(millis: u64) {
    if millis > 0 {
        std::thread::sleep(Duration::from_millis(millis));
    }
}
