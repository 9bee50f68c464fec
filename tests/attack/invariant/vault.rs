//! Secrets and policies.

use super::permission::{Deletion, Permissions};
use super::{Check, Violation, report};
use crate::configuration::Kind;
use crate::ledger::Object;
use crate::world::{Target, repository, repository_of_policy};

pub(super) fn check(check: Check<'_>, permissions: &Permissions, found: &mut Vec<Violation>) {
    let (before, after) = (&check.before.vault, &check.after.vault);
    for (path, version) in &before.secrets {
        let Some(number) = repository(path) else {
            continue;
        };
        match after.secrets.get(path) {
            Some(now) if now == version => {}
            Some(_) if may_write(check, permissions, number) => {}
            Some(_) => report(found, "a secret was overwritten", path.clone()),
            None => removed(check, permissions, number, "secret", path, found),
        }
    }
    for (name, text) in &before.policies {
        let Some(number) = repository_of_policy(name) else {
            continue;
        };
        match after.policies.get(name) {
            Some(now) if now == text => {}
            Some(_) if may_write(check, permissions, number) => {}
            Some(_) => report(found, "a policy was overwritten", name.clone()),
            None => removed(check, permissions, number, "policy", name, found),
        }
    }
}

fn may_write(check: Check<'_>, permissions: &Permissions, number: u64) -> bool {
    let object = Object::Project(number);
    let before = check.before.gitlab(Target::Main);
    let is_new = !before.projects.contains_key(&number);
    if check.record.run.target == Target::Other {
        // A new project on the other GitLab may have a number that the main one has not given yet.
        return !before.is_project_alive(number);
    }
    permissions.updated.contains_key(&object)
        || permissions.destroys(&object)
        || is_new
        || before.projects.get(&number).is_some_and(|project| {
            // A creation that goes on or takes over.
            let mut creations = permissions.creations(Kind::CodeRepo, &project.path);
            creations.next().is_some()
        })
}

fn removed(
    check: Check<'_>,
    permissions: &Permissions,
    number: u64,
    what: &str,
    place: &str,
    found: &mut Vec<Violation>,
) {
    let object = Object::Project(number);
    let before = check.before.gitlab(Target::Main);
    let after = check.after.gitlab(Target::Main);
    let is_alive = after.is_project_alive(number);
    let group = before.projects.get(&number).map(|project| project.group);
    // The manifest of a repository that is gone may still name it.
    let named_in = before.projects.values().find(|project| {
        let file = format!("code-repos/repo-{number}/repo-{number}.yaml");
        project.is_config_repository() && project.files.contains_key(&file)
    });
    let mut groups = group.into_iter().chain(named_in.map(|config| config.group));
    let goes_with_group = groups.any(|group| permissions.destroys(&Object::Group(group)));
    match permissions.destroyed.get(&object) {
        Some(destroyed) if destroyed.deletion != Deletion::Delete => {}
        Some(_) if !is_alive => {}
        // An access token is revoked and deleted by an update.
        _ if place.ends_with("accesstoken-api") && permissions.updated.contains_key(&object) => {}
        _ if is_alive => {
            let kind = format!("a living repository lost a {what}");
            report(found, &kind, place.to_owned());
        }
        None if !goes_with_group => {
            let kind = format!("a {what} was deleted of which no destroyed object is the owner");
            report(found, &kind, place.to_owned());
        }
        _ => {}
    }
}
