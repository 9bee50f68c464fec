//! Protected branches: which branches they match and who may push (GitLab
//! `lib/gitlab/user_access.rb`, `app/models/concerns/protected_ref.rb`).

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

/// A protection of the branches that match a name or pattern.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProtectedBranch {
    /// Numeric ID.
    pub id: Id<ProtectedBranch>,
    /// The project.
    pub project: Id<Project>,
    /// A branch name, or a pattern with `*`.
    pub name: String,
    /// Who may push.
    pub push: Vec<AccessEntry>,
    /// Who may merge.
    pub merge: Vec<AccessEntry>,
    /// Who may remove the protection.
    pub unprotect: Vec<AccessEntry>,
    /// Whether force pushes are allowed.
    pub allow_force_push: bool,
    /// Whether code owners must approve.
    pub code_owner_approval_required: bool,
}

impl ProtectedBranch {
    /// Returns whether it matches a branch.
    pub fn covers(&self, branch: &str) -> bool {
        matches_pattern(&self.name, branch)
    }
}

/// An entry of an access list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEntry {
    /// Numeric ID, unique in the instance.
    pub id: u64,
    /// Who gets access.
    pub grantee: Grantee,
}

/// Who gets access to a protected branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grantee {
    /// Members with at least this level.
    Level(AccessLevel),
    /// One user.
    User(Id<User>),
    /// The members of a group.
    Group(Id<Namespace>),
    /// The holders of a deploy key.
    DeployKey(Id<Key>),
}

/// The caller of a push.
#[derive(Clone, Copy, Debug)]
pub struct Pusher {
    /// The user, or the creator of the deploy key.
    pub viewer: Viewer,
    /// The deploy key that authenticated the push.
    pub deploy_key: Option<Id<Key>>,
}

impl From<Viewer> for Pusher {
    fn from(viewer: Viewer) -> Self {
        Self {
            viewer,
            deploy_key: None,
        }
    }
}

/// Returns whether a name matches a pattern, in which `*` stands for any text.
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
    /// Returns the protections that match a branch.
    pub fn protections<'s>(
        &'s self,
        project: Id<Project>,
        branch: &str,
    ) -> impl Iterator<Item = &'s ProtectedBranch> {
        self.protected_branches
            .iter()
            .filter(move |protection| protection.project == project && protection.covers(branch))
    }

    /// Returns whether a branch is protected. In an empty repository the default protection applies
    /// to any first branch.
    pub fn is_protected(&self, project: &Project, branch: &str, is_empty: bool) -> bool {
        is_empty && requires_maintainer(&self.protection_defaults(project))
            || self.protections(project.id, branch).next().is_some()
    }

    /// Returns whether a caller may push to a branch.
    pub fn can_push(
        &self,
        pusher: Pusher,
        project: &Project,
        branch: &str,
        is_empty: bool,
    ) -> bool {
        self.can_change(pusher, project, branch, is_empty, |protection| {
            &protection.push
        })
    }

    /// Returns whether a caller may merge into a branch.
    pub fn can_merge(
        &self,
        pusher: Pusher,
        project: &Project,
        branch: &str,
        is_empty: bool,
    ) -> bool {
        self.can_change(pusher, project, branch, is_empty, |protection| {
            &protection.merge
        })
    }

    fn can_change(
        &self,
        pusher: Pusher,
        project: &Project,
        branch: &str,
        is_empty: bool,
        list: impl Fn(&ProtectedBranch) -> &Vec<AccessEntry>,
    ) -> bool {
        let Pusher { viewer, deploy_key } = pusher;
        let may_push = match deploy_key {
            Some(key) => !project.is_archived && self.can_push_with_key(key, project, viewer.now),
            None => self.can_project(viewer, ProjectAbility::PushCode, project),
        };
        if !may_push {
            return false;
        }
        if !self.is_protected(project, branch, is_empty) {
            return true;
        }
        let defaults = self.protection_defaults(project);
        if is_empty && requires_maintainer(&defaults) {
            return defaults.developer_can_initial_push
                || self.can_project(viewer, ProjectAbility::Administer, project);
        }
        self.protections(project.id, branch).any(|protection| {
            list(protection)
                .iter()
                .any(|entry| self.grants_access(pusher, project, entry.grantee))
        })
    }

    /// Returns whether an entry grants access to a caller.
    fn grants_access(&self, pusher: Pusher, project: &Project, grantee: Grantee) -> bool {
        let Pusher { viewer, deploy_key } = pusher;
        match grantee {
            Grantee::Level(AccessLevel::None) => false,
            Grantee::DeployKey(key) => deploy_key == Some(key),
            Grantee::Level(AccessLevel::Admin) => viewer.is_admin,
            Grantee::Level(lowest) => self
                .viewer_level(viewer, Resource::Project(project.id))
                .is_some_and(|level| level >= lowest),
            Grantee::User(user) => viewer.user == Some(user),
            Grantee::Group(group) => viewer.user.is_some_and(|user| {
                self.user_level(user, Resource::Group(group), viewer.now)
                    .is_some_and(|level| level >= AccessLevel::Developer)
            }),
        }
    }

    /// Removes a deploy key from the protected branches of a project.
    pub(super) fn remove_key_entries(&mut self, project: Id<Project>, key: Id<Key>) {
        let names_key = |entry: &AccessEntry| entry.grantee == Grantee::DeployKey(key);
        let affected: Vec<_> = self
            .protected_branches
            .iter()
            .filter(|protection| {
                protection.project == project && protection.push.iter().any(names_key)
            })
            .map(|protection| protection.id)
            .collect();
        for id in affected {
            if let Some(protection) = self.protected_branches.get_mut(id) {
                protection.push.retain(|entry| !names_key(entry));
            }
        }
    }

    /// Returns whether every protection that matches a branch allows force pushes.
    pub fn allows_force_push(&self, project: Id<Project>, branch: &str) -> bool {
        self.protections(project, branch)
            .all(|protection| protection.allow_force_push)
    }

    /// Returns the default branch protection of a project: its group's, or the instance's.
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

    /// Creates access entries with new IDs.
    pub fn new_access_entries(
        &mut self,
        grantees: impl IntoIterator<Item = Grantee>,
    ) -> Vec<AccessEntry> {
        let last = self.last_access_entry.get_mut();
        grantees
            .into_iter()
            .map(|grantee| {
                *last += 1;
                AccessEntry { id: *last, grantee }
            })
            .collect()
    }

    /// Protects the default branch by the configured defaults, unless it is protected.
    pub fn protect_default_branch(&mut self, id: Id<Project>) {
        let Some(project) = self.projects.get(id) else {
            return;
        };
        let name = self.default_branch(project);
        let defaults = self.protection_defaults(project);
        let is_covered = self.protections(id, &name).next().is_some();
        if is_covered || !protects(&defaults) {
            return;
        }
        let levels = |allowed: &[super::settings::Allowed]| -> Vec<Grantee> {
            allowed
                .iter()
                .map(|allowed| Grantee::Level(allowed.access_level))
                .collect()
        };
        let push = self.new_access_entries(levels(&defaults.allowed_to_push));
        let merge = self.new_access_entries(levels(&defaults.allowed_to_merge));
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

/// Returns whether the defaults protect a branch at all.
fn protects(defaults: &BranchProtectionDefaults) -> bool {
    requires_maintainer(defaults) || !defaults.allow_force_push
}

/// Returns whether the defaults require a maintainer to push.
fn requires_maintainer(defaults: &BranchProtectionDefaults) -> bool {
    !defaults
        .allowed_to_push
        .iter()
        .any(|allowed| allowed.access_level == AccessLevel::Developer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_matches_any_text() {
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
