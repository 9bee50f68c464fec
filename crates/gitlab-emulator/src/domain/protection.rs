//! Protected branches: which names they cover and who may push (GitLab `lib/gitlab/user_access.rb`,
//! `app/models/concerns/protected_ref.rb`).

use serde::{Deserialize, Serialize};

use super::access::{ProjectAbility, Viewer};
use super::key::Key;
use super::level::AccessLevel;
use super::namespace::Namespace;
use super::project::Project;
use super::settings::BranchProtectionDefaults;
use super::state::State;
use super::table::Id;
use super::user::{Resource, User};

/// A protection of the branches that a name or pattern covers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProtectedBranch {
    /// Its number.
    pub id: Id<ProtectedBranch>,
    /// The project.
    pub project: Id<Project>,
    /// A name, or a pattern with `*`.
    pub name: String,
    /// Who may push.
    pub push: Vec<AccessEntry>,
    /// Who may merge.
    pub merge: Vec<AccessEntry>,
    /// Who may take the protection away.
    pub unprotect: Vec<AccessEntry>,
    /// Whether pushes may leave the branch's history.
    pub allow_force_push: bool,
    /// Whether code owners must approve.
    pub code_owner_approval_required: bool,
}

impl ProtectedBranch {
    /// Whether it covers a branch.
    pub fn covers(&self, branch: &str) -> bool {
        matches_pattern(&self.name, branch)
    }
}

/// One entry of a list of who may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEntry {
    /// Its number, unique in the instance.
    pub id: u64,
    /// Who.
    pub who: Who,
}

/// Who may do something to a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Members from a level on.
    Level(AccessLevel),
    /// One user.
    User(Id<User>),
    /// The members of a group.
    Group(Id<Namespace>),
    /// Whoever has a deploy key.
    DeployKey(Id<Key>),
}

/// Whether a pattern with `*` for any text covers a name.
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

impl State {
    /// The protections that cover a branch.
    pub fn protections<'s>(
        &'s self,
        project: Id<Project>,
        branch: &str,
    ) -> impl Iterator<Item = &'s ProtectedBranch> {
        self.protected_branches
            .iter()
            .filter(move |protection| protection.project == project && protection.covers(branch))
    }

    /// Whether a branch is protected; in an empty repository the default protection counts for
    /// every branch that is pushed first.
    pub fn is_protected(&self, project: &Project, branch: &str, is_empty: bool) -> bool {
        is_empty && keeps_developers_out(&self.protection_defaults(project))
            || self.protections(project.id, branch).next().is_some()
    }

    /// Whether a viewer may push to a branch.
    pub fn can_push(
        &self,
        viewer: Viewer,
        project: &Project,
        branch: &str,
        is_empty: bool,
    ) -> bool {
        self.can_change(viewer, project, branch, is_empty, |protection| {
            &protection.push
        })
    }

    /// Whether a viewer may merge into a branch.
    pub fn can_merge(
        &self,
        viewer: Viewer,
        project: &Project,
        branch: &str,
        is_empty: bool,
    ) -> bool {
        self.can_change(viewer, project, branch, is_empty, |protection| {
            &protection.merge
        })
    }

    fn can_change(
        &self,
        viewer: Viewer,
        project: &Project,
        branch: &str,
        is_empty: bool,
        list: impl Fn(&ProtectedBranch) -> &Vec<AccessEntry>,
    ) -> bool {
        if project.is_archived || !self.can_project(viewer, ProjectAbility::PushCode, project) {
            return false;
        }
        if !self.is_protected(project, branch, is_empty) {
            return true;
        }
        let defaults = self.protection_defaults(project);
        if is_empty && keeps_developers_out(&defaults) {
            return defaults.developer_can_initial_push
                || self.can_project(viewer, ProjectAbility::Administer, project);
        }
        self.protections(project.id, branch).any(|protection| {
            list(protection)
                .iter()
                .any(|entry| self.is_among(viewer, project, entry.who))
        })
    }

    /// Whether a viewer is among those whom an entry names.
    fn is_among(&self, viewer: Viewer, project: &Project, who: Who) -> bool {
        match who {
            // Keys push over SSH, which is not served.
            Who::Level(AccessLevel::None) | Who::DeployKey(_) => false,
            Who::Level(AccessLevel::Admin) => viewer.is_admin,
            Who::Level(lowest) => self
                .viewer_level(viewer, Resource::Project(project.id))
                .is_some_and(|level| level >= lowest),
            Who::User(user) => viewer.user == Some(user),
            Who::Group(group) => viewer.user.is_some_and(|user| {
                self.level_in(user, Resource::Group(group), viewer.now)
                    .is_some_and(|level| level >= AccessLevel::Developer)
            }),
        }
    }

    /// Whether a forced push to a branch is allowed by every protection that covers it.
    pub fn allows_force_push(&self, project: Id<Project>, branch: &str) -> bool {
        self.protections(project, branch)
            .all(|protection| protection.allow_force_push)
    }

    /// How the default branch of a project is protected: as its group says, else the instance.
    pub fn protection_defaults(&self, project: &Project) -> BranchProtectionDefaults {
        self.self_and_ancestors(project.namespace)
            .find_map(|group| group.attributes.get("default_branch_protection_defaults"))
            .and_then(|defaults| serde_json::from_value(defaults.clone()).ok())
            .unwrap_or_else(|| {
                self.settings
                    .get()
                    .default_branch_protection_defaults
                    .clone()
            })
    }

    /// Gives a list of entries their numbers.
    pub fn number_entries(&mut self, whos: impl IntoIterator<Item = Who>) -> Vec<AccessEntry> {
        let last = self.last_access_entry.get_mut();
        whos.into_iter()
            .map(|who| {
                *last += 1;
                AccessEntry { id: *last, who }
            })
            .collect()
    }

    /// Protects the default branch as the defaults say, unless it is protected.
    pub fn protect_default_branch(&mut self, id: Id<Project>) {
        let Some(project) = self.projects.get(id) else {
            return;
        };
        let name = self.default_branch(project);
        let defaults = self.protection_defaults(project);
        let is_covered = self.protections(id, &name).next().is_some();
        if is_covered || !is_protecting(&defaults) {
            return;
        }
        let levels = |allowed: &[super::settings::Allowed]| -> Vec<Who> {
            allowed
                .iter()
                .map(|allowed| Who::Level(allowed.access_level))
                .collect()
        };
        let push = self.number_entries(levels(&defaults.allowed_to_push));
        let merge = self.number_entries(levels(&defaults.allowed_to_merge));
        self.protected_branches.add(|protection| ProtectedBranch {
            id: protection,
            project: id,
            name,
            push,
            merge,
            unprotect: Vec::new(),
            allow_force_push: defaults.allow_force_push,
            code_owner_approval_required: false,
        });
    }
}

/// Whether the defaults protect a branch at all.
fn is_protecting(defaults: &BranchProtectionDefaults) -> bool {
    keeps_developers_out(defaults) || !defaults.allow_force_push
}

/// Whether the defaults let only maintainers push.
fn keeps_developers_out(defaults: &BranchProtectionDefaults) -> bool {
    !defaults
        .allowed_to_push
        .iter()
        .any(|allowed| allowed.access_level == AccessLevel::Developer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_covers_any_text() {
        assert!(matches_pattern("main", "main"));
        assert!(!matches_pattern("main", "main2"));
        assert!(matches_pattern("release/*", "release/1.0/x"));
        assert!(!matches_pattern("release/*", "releases"));
        assert!(matches_pattern("*-stable", "1-stable"));
        assert!(matches_pattern("*", "x"));
        assert!(matches_pattern("a*b*c", "a1b2c"));
        assert!(!matches_pattern("a*b*c", "a1c"));
    }
}
