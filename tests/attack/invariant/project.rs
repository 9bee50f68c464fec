//! Projects: code repositories and configuration repositories.

use super::adoption::may_take_over;
use super::group::without_mark;
use super::permission::{Deletion, Permissions};
use super::settings::Settings;
use super::{Check, Violation, report};
use crate::configuration::Kind;
use crate::ledger::Object;
use crate::world::Target;
use crate::world::view::ProjectView;

pub(super) fn check(
    check: Check<'_>,
    permissions: &Permissions,
    target: Target,
    found: &mut Vec<Violation>,
) {
    let (before, after) = (check.before.gitlab(target), check.after.gitlab(target));
    for (number, project) in before
        .projects
        .iter()
        .filter(|(_, project)| project.is_alive)
    {
        let group = Object::Group(project.group);
        let object = Object::Project(*number);
        let now = after.projects.get(number).filter(|now| now.is_alive);
        let is_planned = target == Target::Main;
        match now {
            Some(now) => Living {
                check,
                permissions,
                target,
                object: &object,
                project,
                now,
            }
            .check(found),
            // The contents of a destroyed group are checked with it.
            None if is_planned && permissions.destroys(&group) => {}
            None if is_planned && permissions.destroys(&object) => {
                deleted(permissions, &object, project, found);
            }
            None => {
                let kind = if permissions.kept.contains(&object) {
                    "a repository was deleted that another instance holds"
                } else if project.is_config_repository() {
                    "a configuration repository was deleted that was not planned for destruction"
                } else {
                    "a repository was deleted that was not planned for destruction"
                };
                report(found, kind, project.full_path.clone());
            }
        }
    }
}

fn deleted(
    permissions: &Permissions,
    object: &Object,
    project: &ProjectView,
    found: &mut Vec<Violation>,
) {
    let Some(destroyed) = permissions.destroyed.get(object) else {
        return;
    };
    let path = &project.full_path;
    if destroyed.deletion != Deletion::Delete {
        let kind = "a repository was deleted that the plan said is kept";
        report(found, kind, path.clone());
    } else if project.has_work && !destroyed.is_forced {
        let kind = "a repository with work was deleted without force_destroy";
        report(found, kind, path.clone());
    }
}

/// A project that was alive before and is alive now.
struct Living<'a> {
    check: Check<'a>,
    permissions: &'a Permissions,
    target: Target,
    object: &'a Object,
    project: &'a ProjectView,
    now: &'a ProjectView,
}

impl Living<'_> {
    fn check(&self, found: &mut Vec<Violation>) {
        let Self { project, now, .. } = self;
        let path = &project.full_path;
        if project.group != now.group {
            report(found, "a project was moved", path.clone());
        }
        if project.is_config_repository() {
            if project.path != now.path {
                report(
                    found,
                    "a configuration repository was renamed",
                    path.clone(),
                );
            }
            return;
        }
        self.attributes(found);
        let destroyed = self.permissions.destroyed.get(self.object);
        let is_written = destroyed.is_some()
            || self.permissions.updated.contains_key(self.object)
            || self.is_taken_over();
        if project.is_archived != now.is_archived && !self.may_archive() {
            let kind = "a repository was archived or unarchived, which the plan did not show";
            report(found, kind, path.clone());
        }
        if project.references != now.references && !self.is_taken_over() {
            report(
                found,
                "the branches or tags of a repository were changed",
                path.clone(),
            );
        }
        self.keys(is_written, found);
        let lost: Vec<_> = project.tokens.difference(&now.tokens).collect();
        if !lost.is_empty() && !is_written {
            report(found, "an access token was revoked", path.clone());
        }
        let is_whole = destroyed.is_some_and(|destroyed| destroyed.deletion == Deletion::Delete);
        if is_whole && self.check.record.is_undisturbed() {
            self.half_destroyed(found);
        }
    }

    /// Whether the plan archives the repository, or repairs a drift, such as that it is archived.
    fn may_archive(&self) -> bool {
        let updated = self.permissions.updated.get(self.object);
        let repairs = updated.is_some_and(|(prior, _)| !prior.attribute("drift").is_null());
        repairs || self.permissions.destroys(self.object) || self.is_taken_over()
    }

    fn is_taken_over(&self) -> bool {
        let project = self.project;
        may_take_over(
            self.check,
            self.permissions,
            self.target,
            self.object,
            Kind::CodeRepo,
            &project.path,
            &project.description,
        )
    }

    fn attributes(&self, found: &mut Vec<Violation>) {
        let Self {
            permissions,
            object,
            project,
            now,
            ..
        } = self;
        let is_taken_over = self.is_taken_over();
        let mut changes = Settings::from(*project).changes(&(*now).into());
        if project.default_branch != now.default_branch {
            let change = format!("{:?} -> {:?}", project.default_branch, now.default_branch);
            changes.push(("default_branch", change));
        }
        for (attribute, change) in changes {
            if !is_taken_over && !permissions.changes(object, attribute) {
                let kind =
                    format!("{attribute} of a repository was changed, which the plan did not show");
                report(found, &kind, format!("{}: {change}", project.full_path));
            }
        }
        let is_marked = project.description == without_mark(&project.description)
            && now.description != without_mark(&now.description);
        if is_marked && !permissions.destroys(object) && !is_taken_over {
            let kind = "a repository was marked that is not planned for destruction";
            report(found, kind, project.full_path.clone());
        }
    }

    fn keys(&self, is_written: bool, found: &mut Vec<Violation>) {
        let Self { project, now, .. } = self;
        for (key, (title, _)) in &project.keys {
            if now.keys.contains_key(key) {
                continue;
            }
            let detail = format!("{title} of {}", project.full_path);
            let number = match self.object {
                Object::Project(number) => *number,
                _ => 0,
            };
            let is_own = title.starts_with(&format!("repo-{number}-"));
            let is_managed = title.starts_with("repo-");
            if is_own && !is_written {
                report(found, "a repository lost its own deploy key", detail);
            } else if is_managed && !is_own && !self.permissions.moves_keys {
                report(found, "a repository lost an enabled deploy key", detail);
            } else if !is_managed {
                report(found, "a foreign deploy key was removed", detail);
            }
        }
    }

    /// A destroy that did not happen must not have begun, unless something went wrong on the way.
    fn half_destroyed(&self, found: &mut Vec<Violation>) {
        let Object::Project(number) = self.object else {
            return;
        };
        let Self { project, now, .. } = self;
        let file = format!("code-repos/repo-{number}/repo-{number}.yaml");
        let has_manifest = |snapshot: &crate::world::Snapshot| {
            let config = snapshot
                .gitlab(self.target)
                .config_repository(project.group);
            config.is_some_and(|(_, config)| config.files.contains_key(&file))
        };
        let own = format!("repo-{number}-");
        let keys = |project: &ProjectView| {
            let titles = project.keys.values();
            titles.filter(|(title, _)| title.starts_with(&own)).count()
        };
        let lost_manifest = has_manifest(self.check.before) && !has_manifest(self.check.after);
        if lost_manifest || keys(project) > keys(now) {
            let role = self.check.record.run.role;
            let kind = if role.may_delete() {
                "a repository is alive whose destroy took its manifest or keys"
            } else {
                "a role that may not delete took the manifest or keys of a living repository"
            };
            report(found, kind, project.full_path.clone());
        }
    }
}
