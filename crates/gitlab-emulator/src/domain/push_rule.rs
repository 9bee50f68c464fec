//! Which references a push may move (GitLab `lib/gitlab/checks/branch_check.rb`).

use super::access::{ProjectAbility, Viewer};
use super::project::Project;
use super::state::State;

/// What a push does to a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Makes it.
    Create,
    /// Moves it.
    Update,
    /// Removes it.
    Delete,
}

/// Where a change of a branch comes from; some are for GitLab's own pages and API only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The API.
    Api,
    /// A push.
    Git,
}

/// A change of a reference that somebody wants to make.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The full name of the reference.
    pub reference: &'a str,
    /// What is to be done to it.
    pub kind: Move,
    /// Where the change comes from.
    pub origin: Origin,
    /// Whether the repository has no branch yet.
    pub is_empty: bool,
}

/// What a push to a reference is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everything.
    Allow,
    /// Nothing, for the reason given.
    Deny(&'static str),
    /// Everything but leaving the reference's history, for the reason given.
    DenyForced(&'static str),
}

/// A commit's id as a branch name would hide the commit.
const SHA_LENGTHS: [usize; 2] = [40, 64];

impl State {
    /// What a viewer may do to a reference of a project.
    pub fn push_rule(&self, viewer: Viewer, project: &Project, wanted: Wanted<'_>) -> Rule {
        let Wanted {
            reference,
            kind,
            origin,
            is_empty,
        } = wanted;
        let Some(branch) = reference.strip_prefix("refs/heads/") else {
            return Rule::Allow;
        };
        if kind == Move::Delete && self.default_branch(project) == branch {
            return Rule::Deny("The default branch of a project cannot be deleted.");
        }
        if kind != Move::Delete && has_sha_name(branch) {
            return Rule::Deny("You cannot create a branch with a SHA-1 or SHA-256 branch name.");
        }
        if !self.is_protected(project, branch, is_empty) {
            return Rule::Allow;
        }
        let can_push = self.can_push(viewer, project, branch, is_empty);
        match kind {
            Move::Delete => self.deletion_rule(viewer, project, origin),
            Move::Create if !is_empty && !can_push => {
                if !self.can_merge(viewer, project, branch, is_empty) {
                    Rule::Deny("You are not allowed to create protected branches on this project.")
                } else if origin == Origin::Git {
                    Rule::Deny(
                        "You can only create protected branches using the web interface and API.",
                    )
                } else {
                    Rule::Allow
                }
            }
            Move::Create | Move::Update if !can_push => Rule::Deny(
                "You are not allowed to push code to protected branches on this project.",
            ),
            Move::Update if !self.allows_force_push(project.id, branch) => Rule::DenyForced(
                "You are not allowed to force push code to a protected branch on this project.",
            ),
            Move::Create | Move::Update => Rule::Allow,
        }
    }

    fn deletion_rule(&self, viewer: Viewer, project: &Project, origin: Origin) -> Rule {
        if !self.can_project(viewer, ProjectAbility::Administer, project) {
            Rule::Deny(
                "You are not allowed to delete protected branches from this project. Only a project maintainer or owner can delete a protected branch.",
            )
        } else if origin == Origin::Git {
            Rule::Deny("You can only delete protected branches using the web interface.")
        } else {
            Rule::Allow
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
