//! Access levels from memberships and shares, and what each level permits.

use super::level::{AccessLevel, Visibility};
use super::member::Member;
use super::namespace::{Namespace, NamespaceKind, ProjectCreation};
use super::project::Project;
use super::state::State;
use super::table::Id;
use super::time::Moment;
use super::user::{Resource, User};

/// The caller whose permissions are checked, and when.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    /// The user; `None` without a token.
    pub user: Option<Id<User>>,
    /// Whether the user acts as administrator.
    pub is_admin: bool,
    /// The time of the check, because memberships expire.
    pub now: Moment,
}

/// Something that a caller may do with a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectAbility {
    /// See it.
    Read,
    /// Read its repository.
    ReadCode,
    /// Write to its unprotected branches and tags; nobody may if it is archived.
    PushCode,
    /// Change its settings, members, keys, hooks and tokens.
    Administer,
    /// Remove, archive, transfer or share it, or grant ownership.
    Own,
}

/// Something that a caller may do with a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupAbility {
    /// See it.
    Read,
    /// See its members.
    ReadMembers,
    /// Create projects in it.
    CreateProjects,
    /// Create subgroups in it.
    CreateSubgroup,
    /// Change its settings, members and tokens, or delete it.
    Administer,
}

impl State {
    /// Returns the highest level of a user in a group or project, from all sources; `None` if there
    /// is none.
    pub fn user_level(
        &self,
        user: Id<User>,
        resource: Resource,
        now: Moment,
    ) -> Option<AccessLevel> {
        match resource {
            Resource::Group(id) => self.group_level(user, id, now, &|_| true),
            Resource::Project(id) => self
                .projects
                .get(id)
                .and_then(|project| self.project_level(user, project, now)),
        }
    }

    /// Returns the level of a user in a project. GitLab precomputes these levels, so that new
    /// projects and new memberships count after a delay, except for whoever created them.
    fn project_level(&self, user: Id<User>, project: &Project, now: Moment) -> Option<AccessLevel> {
        let delay = i64::try_from(self.switches.get().authorization_delay).unwrap_or(i64::MAX);
        let is_settled = |created_at: Moment| {
            delay == 0 || project.creator == user || created_at.plus_millis(delay) <= now
        };
        let counts =
            |member: &Member| member.created_by == Some(user) || is_settled(member.created_at);
        let resource = Resource::Project(project.id);
        let inherited = if is_settled(project.created_at) {
            self.group_level(user, project.namespace, now, &counts)
        } else {
            None
        };
        [
            self.membership_level(user, resource, now, &counts),
            self.shared_level(user, resource, now, &counts),
            inherited,
        ]
        .into_iter()
        .flatten()
        .max()
    }

    fn group_level(
        &self,
        user: Id<User>,
        group: Id<Namespace>,
        now: Moment,
        counts: &impl Fn(&Member) -> bool,
    ) -> Option<AccessLevel> {
        self.self_and_ancestors(group)
            .flat_map(|namespace| {
                let resource = Resource::Group(namespace.id);
                let own = matches!(namespace.kind, NamespaceKind::User(owner) if owner == user);
                [
                    own.then_some(AccessLevel::Owner),
                    self.membership_level(user, resource, now, counts),
                    self.shared_level(user, resource, now, counts),
                ]
            })
            .flatten()
            .max()
    }

    /// Returns the level of a user's own membership.
    pub fn direct_level(
        &self,
        user: Id<User>,
        resource: Resource,
        now: Moment,
    ) -> Option<AccessLevel> {
        self.membership_level(user, resource, now, &|_| true)
    }

    fn membership_level(
        &self,
        user: Id<User>,
        resource: Resource,
        now: Moment,
        counts: &impl Fn(&Member) -> bool,
    ) -> Option<AccessLevel> {
        self.direct_members(resource, now)
            .filter(|member| member.user == user && counts(member))
            .map(|member| member.level)
            .max()
    }

    fn shared_level(
        &self,
        user: Id<User>,
        resource: Resource,
        now: Moment,
        counts: &impl Fn(&Member) -> bool,
    ) -> Option<AccessLevel> {
        self.shares
            .iter()
            .filter(|share| share.resource == resource)
            .filter(|share| share.expires_at.is_none_or(|day| day.start() > now))
            .filter_map(|share| {
                // Shares are not transitive: only direct and inherited members of the invited group
                // count.
                let level = self
                    .self_and_ancestors(share.with)
                    .filter_map(|group| {
                        self.membership_level(user, Resource::Group(group.id), now, counts)
                    })
                    .max()?;
                Some(level.min(share.level))
            })
            .max()
    }

    /// Returns the level of a caller; administrators are owners everywhere.
    pub fn viewer_level(&self, viewer: Viewer, resource: Resource) -> Option<AccessLevel> {
        let user = viewer.user?;
        if viewer.is_admin {
            return Some(AccessLevel::Owner);
        }
        self.user_level(user, resource, viewer.now)
    }

    /// Returns whether a caller may do something with a project.
    pub fn can_project(&self, viewer: Viewer, ability: ProjectAbility, project: &Project) -> bool {
        let level = self.viewer_level(viewer, Resource::Project(project.id));
        let at_least = |lowest| level.is_some_and(|level| level >= lowest);
        let is_open = is_open_to(viewer, project.visibility);
        match ability {
            ProjectAbility::Read => is_open || at_least(AccessLevel::Guest),
            ProjectAbility::ReadCode => is_open || at_least(AccessLevel::Reporter),
            ProjectAbility::PushCode => !project.is_archived && at_least(AccessLevel::Developer),
            ProjectAbility::Administer => at_least(AccessLevel::Maintainer),
            ProjectAbility::Own => at_least(AccessLevel::Owner),
        }
    }

    /// Returns whether a caller may do something with a group.
    pub fn can_group(&self, viewer: Viewer, ability: GroupAbility, group: &Namespace) -> bool {
        let level = self.viewer_level(viewer, Resource::Group(group.id));
        let at_least = |lowest| level.is_some_and(|level| level >= lowest);
        match ability {
            GroupAbility::Read => {
                self.can_group(viewer, GroupAbility::ReadMembers, group)
                    || self.can_see_project_below(viewer, group.id)
            }
            GroupAbility::ReadMembers => {
                is_open_to(viewer, group.visibility) || at_least(AccessLevel::Guest)
            }
            GroupAbility::CreateProjects => match group.project_creation {
                ProjectCreation::Noone => false,
                _ if viewer.is_admin => true,
                grantee => grantee.lowest_level().is_some_and(at_least),
            },
            GroupAbility::CreateSubgroup => at_least(group.subgroup_creation),
            GroupAbility::Administer => at_least(AccessLevel::Owner),
        }
    }

    /// Returns whether the caller can see a project in the group or in one of its subgroups.
    fn can_see_project_below(&self, viewer: Viewer, group: Id<Namespace>) -> bool {
        self.projects.iter().any(|project| {
            !project.is_being_removed
                && self
                    .self_and_ancestors(project.namespace)
                    .any(|above| above.id == group)
                && self.can_project(viewer, ProjectAbility::Read, project)
        })
    }
}

const fn is_open_to(viewer: Viewer, visibility: Visibility) -> bool {
    match visibility {
        Visibility::Public => true,
        Visibility::Internal => viewer.user.is_some(),
        Visibility::Private => false,
    }
}
