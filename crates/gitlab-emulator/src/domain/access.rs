//! Who may do what: the levels that memberships and shares give, and what each level allows.

use super::level::{AccessLevel, Visibility};
use super::namespace::{Namespace, NamespaceKind, ProjectCreation};
use super::project::Project;
use super::state::State;
use super::table::Id;
use super::time::Moment;
use super::user::{Resource, User};

/// Whose rights are asked for, and when.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    /// The user, `None` without a token.
    pub user: Option<Id<User>>,
    /// Whether the user acts as administrator.
    pub is_admin: bool,
    /// The moment of the question; memberships end.
    pub now: Moment,
}

/// What can be done to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectAbility {
    /// See that it exists.
    Read,
    /// Read its repository.
    ReadCode,
    /// See its members.
    ReadMembers,
    /// Write to its unprotected branches.
    PushCode,
    /// Change its settings, members, keys, hooks and tokens.
    Administer,
    /// Remove, archive, transfer or share it, or give out ownership.
    Own,
}

/// What can be done to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupAbility {
    /// See that it exists.
    Read,
    /// Create projects in it.
    CreateProjects,
    /// Create subgroups in it.
    CreateSubgroup,
    /// Change its settings, members and tokens, or remove it.
    Administer,
}

impl State {
    /// The level of a user in a group or project, from all sources; `None` when there is no source.
    pub fn level_in(&self, user: Id<User>, of: Resource, now: Moment) -> Option<AccessLevel> {
        match of {
            Resource::Group(id) => self.group_level(user, id, now),
            Resource::Project(id) => self
                .projects
                .get(id)
                .and_then(|project| self.project_level(user, project, now)),
        }
    }

    fn project_level(&self, user: Id<User>, project: &Project, now: Moment) -> Option<AccessLevel> {
        let of = Resource::Project(project.id);
        let delay = self.authorization_delay();
        let is_fresh = project.created_at.plus_millis(delay) > now && project.creator != user;
        let inherited = if is_fresh {
            None
        } else {
            self.group_level(user, project.namespace, now)
        };
        [
            self.direct_level(user, of, now),
            self.shared_level(user, of, now),
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
    ) -> Option<AccessLevel> {
        self.self_and_ancestors(group)
            .flat_map(|namespace| {
                let of = Resource::Group(namespace.id);
                let own = matches!(namespace.kind, NamespaceKind::User(owner) if owner == user);
                [
                    own.then_some(AccessLevel::Owner),
                    self.direct_level(user, of, now),
                    self.shared_level(user, of, now),
                ]
            })
            .flatten()
            .max()
    }

    /// The level of the own membership.
    pub fn direct_level(&self, user: Id<User>, of: Resource, now: Moment) -> Option<AccessLevel> {
        let delay = self.authorization_delay();
        self.members
            .iter()
            .filter(|member| member.user == user && member.of == of && member.is_current(now))
            .filter(|member| {
                delay == 0
                    || member.created_by == Some(user)
                    || member.created_at.plus_millis(delay) <= now
            })
            .map(|member| member.level)
            .max()
    }

    fn shared_level(&self, user: Id<User>, of: Resource, now: Moment) -> Option<AccessLevel> {
        self.shares
            .iter()
            .filter(|share| share.of == of)
            .filter(|share| share.expires_at.is_none_or(|day| day.start() > now))
            .filter_map(|share| {
                // Shares are not followed further: only members count, inherited ones included.
                let level = self
                    .self_and_ancestors(share.with)
                    .filter_map(|group| self.direct_level(user, Resource::Group(group.id), now))
                    .max()?;
                Some(level.min(share.level))
            })
            .max()
    }

    fn authorization_delay(&self) -> i64 {
        i64::try_from(self.switches.get().authorization_delay).unwrap_or(i64::MAX)
    }

    /// The level of a viewer; administrators own everything.
    pub fn viewer_level(&self, viewer: Viewer, of: Resource) -> Option<AccessLevel> {
        let user = viewer.user?;
        if viewer.is_admin {
            return Some(AccessLevel::Owner);
        }
        self.level_in(user, of, viewer.now)
    }

    /// Whether a viewer may do something to a project.
    pub fn can_project(&self, viewer: Viewer, ability: ProjectAbility, project: &Project) -> bool {
        let level = self.viewer_level(viewer, Resource::Project(project.id));
        let at_least = |lowest| level.is_some_and(|level| level >= lowest);
        let is_open = is_open_to(viewer, project.visibility);
        match ability {
            ProjectAbility::Read | ProjectAbility::ReadMembers => {
                is_open || at_least(AccessLevel::Guest)
            }
            ProjectAbility::ReadCode => is_open || at_least(AccessLevel::Reporter),
            ProjectAbility::PushCode => at_least(AccessLevel::Developer),
            ProjectAbility::Administer => at_least(AccessLevel::Maintainer),
            ProjectAbility::Own => at_least(AccessLevel::Owner),
        }
    }

    /// Whether a viewer may do something to a group.
    pub fn can_group(&self, viewer: Viewer, ability: GroupAbility, group: &Namespace) -> bool {
        let level = self.viewer_level(viewer, Resource::Group(group.id));
        let at_least = |lowest| level.is_some_and(|level| level >= lowest);
        match ability {
            GroupAbility::Read => {
                is_open_to(viewer, group.visibility)
                    || at_least(AccessLevel::Guest)
                    || self.is_member_below(viewer, group.id)
            }
            GroupAbility::CreateProjects => match group.project_creation {
                ProjectCreation::Noone => false,
                _ if viewer.is_admin => true,
                who => who.lowest_level().is_some_and(at_least),
            },
            GroupAbility::CreateSubgroup => at_least(group.subgroup_creation),
            GroupAbility::Administer => at_least(AccessLevel::Owner),
        }
    }

    /// A member of something inside a group can see the group.
    fn is_member_below(&self, viewer: Viewer, group: Id<Namespace>) -> bool {
        let Some(user) = viewer.user else {
            return false;
        };
        self.members.iter().any(|member| {
            let namespace = match member.of {
                Resource::Group(id) => Some(id),
                Resource::Project(id) => self.projects.get(id).map(|project| project.namespace),
            };
            member.user == user
                && member.is_current(viewer.now)
                && namespace.is_some_and(|namespace| {
                    self.self_and_ancestors(namespace)
                        .any(|above| above.id == group)
                })
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
