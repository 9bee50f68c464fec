//! Adding, changing and removing members.

use std::collections::{BTreeMap, BTreeSet};

use super::access::Viewer;
use super::invalid::Invalid;
use super::level::AccessLevel;
use super::member::Member;
use super::namespace::Namespace;
use super::state::State;
use super::table::Id;
use super::time::{Day, Moment};
use super::user::{Resource, User};

impl State {
    /// Returns the direct members of a project or group.
    pub fn direct_members(&self, resource: Resource, now: Moment) -> impl Iterator<Item = &Member> {
        self.members
            .iter()
            .filter(move |member| member.resource == resource && member.is_current(now))
    }

    /// Returns a user's direct membership.
    pub fn direct_member(
        &self,
        resource: Resource,
        user: Id<User>,
        now: Moment,
    ) -> Option<&Member> {
        self.direct_members(resource, now)
            .find(|member| member.user == user)
    }

    /// Returns the groups whose members are also members of a project or group, nearest first.
    pub fn member_groups(&self, resource: Resource) -> impl Iterator<Item = &Namespace> {
        let start = match resource {
            Resource::Group(id) => self.namespaces.get(id).and_then(|group| group.parent),
            Resource::Project(id) => self.projects.get(id).map(|project| project.namespace),
        };
        start
            .into_iter()
            .flat_map(|start| self.self_and_ancestors(start))
            .filter(|namespace| namespace.is_group())
    }

    /// Returns all members with their highest membership, inherited and invited ones included.
    pub fn all_members(&self, resource: Resource, now: Moment) -> Vec<Member> {
        let mut best: BTreeMap<Id<User>, Member> = BTreeMap::new();
        let mut consider = |member: Member| {
            let is_better = best
                .get(&member.user)
                .is_none_or(|known| known.level < member.level);
            if is_better {
                best.insert(member.user, member);
            }
        };
        let sources: Vec<Resource> = std::iter::once(resource)
            .chain(
                self.member_groups(resource)
                    .map(|group| Resource::Group(group.id)),
            )
            .collect();
        for source in &sources {
            self.direct_members(*source, now)
                .cloned()
                .for_each(&mut consider);
            let shares = self.shares.iter().filter(|share| share.resource == *source);
            for share in shares.filter(|share| share.expires_at.is_none_or(|day| day.start() > now))
            {
                for group in self.self_and_ancestors(share.with) {
                    for member in self.direct_members(Resource::Group(group.id), now) {
                        let level = member.level.min(share.level);
                        consider(Member {
                            level,
                            ..member.clone()
                        });
                    }
                }
            }
        }
        best.into_values().collect()
    }

    /// Returns the number of users who are direct members of a group or of one of its subgroups.
    pub fn members_with_descendants(&self, group: Id<Namespace>, now: Moment) -> usize {
        let users: BTreeSet<Id<User>> = self
            .self_and_descendants(group)
            .into_iter()
            .flat_map(|group| self.direct_members(Resource::Group(group), now))
            .map(|member| member.user)
            .collect();
        users.len()
    }

    /// Adds a direct member. A level below the inherited one is refused.
    pub fn add_member(
        &mut self,
        resource: Resource,
        user: Id<User>,
        level: AccessLevel,
        expires_at: Option<Day>,
        by: Viewer,
    ) -> Result<Id<Member>, Invalid> {
        self.check_inherited(resource, user, level, by.now)?;
        self.members
            .retain(|member| !(member.resource == resource && member.user == user));
        Ok(self.members.add(|id| Member {
            id,
            resource,
            user,
            level,
            expires_at,
            created_by: by.user,
            created_at: by.now,
        }))
    }

    /// Changes a direct member.
    pub fn change_member(
        &mut self,
        id: Id<Member>,
        level: AccessLevel,
        expires_at: Option<Option<Day>>,
        now: Moment,
    ) -> Result<(), Invalid> {
        let Some(member) = self.members.get(id) else {
            return Ok(());
        };
        self.check_inherited(member.resource, member.user, level, now)?;
        if let Some(member) = self.members.get_mut(id) {
            member.level = level;
            if let Some(expires_at) = expires_at {
                member.expires_at = expires_at;
            }
        }
        Ok(())
    }

    /// Returns whether a user is the only owner of a group.
    pub fn is_last_owner(&self, resource: Resource, user: Id<User>, now: Moment) -> bool {
        let is_owner = |member: &Member| member.level == AccessLevel::Owner;
        matches!(resource, Resource::Group(_))
            && self
                .direct_members(resource, now)
                .any(|member| member.user == user && is_owner(member))
            && !self
                .all_members(resource, now)
                .iter()
                .any(|member| member.user != user && is_owner(member))
    }

    fn check_inherited(
        &self,
        resource: Resource,
        user: Id<User>,
        level: AccessLevel,
        now: Moment,
    ) -> Result<(), Invalid> {
        let inherited = self
            .member_groups(resource)
            .filter_map(|group| {
                let level = self.direct_level(user, Resource::Group(group.id), now)?;
                Some((level, group))
            })
            .max_by_key(|(level, _)| *level);
        match inherited {
            Some((inherited, group)) if inherited > level => Err(Invalid::field(
                "access_level",
                format!(
                    "should be greater than or equal to {} inherited membership from group {}",
                    inherited.role(),
                    group.name
                ),
            )),
            _ => Ok(()),
        }
    }
}
