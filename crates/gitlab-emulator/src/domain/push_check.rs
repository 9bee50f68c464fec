//! Rules for pushed references (GitLab `lib/gitlab/checks/branch_check.rb`).

use super::access::{ProjectAbility, Viewer};
use super::project::Project;
use super::protection::Pusher;
use super::state::State;

/// A kind of change to a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Creates it.
    Create,
    /// Moves it.
    Update,
    /// Deletes it.
    Delete,
}

/// The origin of a change; some changes are not allowed by git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The API.
    Api,
    /// A push.
    Git,
}

/// A requested change of a reference.
#[derive(Clone, Copy, Debug)]
pub struct ReferenceChange<'a> {
    /// Full name of the reference.
    pub reference: &'a str,
    /// The kind of change.
    pub kind: ChangeKind,
    /// The origin of the change.
    pub origin: Origin,
    /// Whether the repository has no branch yet.
    pub is_empty: bool,
}

/// What a push may do to a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushDecision {
    /// Everything.
    Allow,
    /// Nothing; with the reason.
    Deny(&'static str),
    /// Everything but a force push; with the reason.
    DenyForced(&'static str),
}

/// A branch named like a commit ID would hide the commit.
const SHA_LENGTHS: [usize; 2] = [40, 64];

impl State {
    /// Returns what a caller may do to a reference of a project.
    pub fn push_check(
        &self,
        pusher: Pusher,
        project: &Project,
        change: ReferenceChange<'_>,
    ) -> PushDecision {
        let ReferenceChange {
            reference,
            kind,
            origin,
            is_empty,
        } = change;
        let Some(branch) = reference.strip_prefix("refs/heads/") else {
            return PushDecision::Allow;
        };
        if kind == ChangeKind::Delete && self.default_branch(project) == branch {
            return PushDecision::Deny("The default branch of a project cannot be deleted.");
        }
        if kind != ChangeKind::Delete && has_sha_name(branch) {
            return PushDecision::Deny(
                "You cannot create a branch with a SHA-1 or SHA-256 branch name.",
            );
        }
        if !self.is_protected(project, branch, is_empty) {
            return PushDecision::Allow;
        }
        let can_push = self.can_push(pusher, project, branch, is_empty);
        match kind {
            ChangeKind::Delete => self.deletion_error(pusher.viewer, project, origin),
            ChangeKind::Create if !is_empty && !can_push => {
                if !self.can_merge(pusher, project, branch, is_empty) {
                    PushDecision::Deny(
                        "You are not allowed to create protected branches on this project.",
                    )
                } else if origin == Origin::Git {
                    PushDecision::Deny(
                        "You can only create protected branches using the web interface and API.",
                    )
                } else {
                    PushDecision::Allow
                }
            }
            ChangeKind::Create | ChangeKind::Update if !can_push => PushDecision::Deny(
                "You are not allowed to push code to protected branches on this project.",
            ),
            ChangeKind::Update if !self.allows_force_push(project.id, branch) => {
                PushDecision::DenyForced(
                    "You are not allowed to force push code to a protected branch on this project.",
                )
            }
            ChangeKind::Create | ChangeKind::Update => PushDecision::Allow,
        }
    }

    fn deletion_error(&self, viewer: Viewer, project: &Project, origin: Origin) -> PushDecision {
        if !self.can_project(viewer, ProjectAbility::Administer, project) {
            PushDecision::Deny(
                "You are not allowed to delete protected branches from this project. Only a project maintainer or owner can delete a protected branch.",
            )
        } else if origin == Origin::Git {
            PushDecision::Deny("You can only delete protected branches using the web interface.")
        } else {
            PushDecision::Allow
        }
    }
}

fn has_sha_name(branch: &str) -> bool {
    let end = branch
        .find(|character: char| !character.is_ascii_hexdigit())
        .unwrap_or(branch.len());
    SHA_LENGTHS.contains(&end)
        && branch
            .get(end..)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with("-/"))
}
