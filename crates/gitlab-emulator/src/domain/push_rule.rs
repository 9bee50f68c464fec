//! Which references a push may move (GitLab `lib/gitlab/checks/branch_check.rb`).

use super::access::Viewer;
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

impl State {
    /// What a viewer may do to a reference of a project.
    pub fn push_rule(
        &self,
        _viewer: Viewer,
        project: &Project,
        reference: &str,
        kind: Move,
    ) -> Rule {
        let Some(branch) = reference.strip_prefix("refs/heads/") else {
            return Rule::Allow;
        };
        if kind == Move::Delete && self.default_branch(project) == branch {
            return Rule::Deny("The default branch of a project cannot be deleted.");
        }
        Rule::Allow
    }
}
