//! Groups.

use super::adoption::may_take_over;
use super::manifest::entity_of_file;
use super::permission::{Deletion, Permissions};
use super::settings::Settings;
use super::{Check, Violation, report};
use crate::configuration::Kind;
use crate::ledger::Object;
use crate::world::Target;
use crate::world::view::{GitLabView, GroupView};

/// The start of descriptions whose creation or deletion has begun and not ended.
const MARKS: [&str; 2] = ["[terraform: unfinished]", "[terraform: destroying]"];

/// Returns a description without the mark.
pub(super) fn without_mark(description: &str) -> &str {
    let rest = MARKS
        .into_iter()
        .find_map(|mark| description.strip_prefix(mark));
    rest.unwrap_or(description).trim_start()
}

/// Whether a creation has begun and not ended.
pub(super) fn is_unfinished(description: &str) -> bool {
    description.starts_with("[terraform: unfinished]")
}

fn is_destroying(description: &str) -> bool {
    description.starts_with("[terraform: destroying]")
}

pub(super) fn check(
    check: Check<'_>,
    permissions: &Permissions,
    target: Target,
    found: &mut Vec<Violation>,
) {
    let (before, after) = (check.before.gitlab(target), check.after.gitlab(target));
    for (number, group) in before.groups.iter().filter(|(_, group)| group.is_alive) {
        let object = Object::Group(*number);
        let now = after.groups.get(number);
        match now.filter(|now| now.is_alive) {
            Some(now) => changes(check, permissions, target, &object, group, now, found),
            None if target == Target::Main && permissions.destroys(&object) => {
                contents(permissions, before, *number, group, found);
            }
            None => {
                // It goes with a group above it that was destroyed.
                let above = group.parent.map(Object::Group);
                if !above.is_some_and(|above| permissions.destroys(&above)) {
                    let kind = if permissions.kept.contains(&object) {
                        "a group was deleted that another instance holds"
                    } else {
                        "a group was deleted that was not planned for destruction"
                    };
                    report(found, kind, group.full_path.clone());
                }
            }
        }
    }
}

fn changes(
    check: Check<'_>,
    permissions: &Permissions,
    target: Target,
    object: &Object,
    group: &GroupView,
    now: &GroupView,
    found: &mut Vec<Violation>,
) {
    let path = &group.full_path;
    if group.parent != now.parent {
        report(found, "a group was moved", path.clone());
    }
    let is_taken_over = may_take_over(
        check,
        permissions,
        target,
        object,
        Kind::Product,
        &group.path,
        &group.description,
    );
    for (attribute, change) in Settings::from(group).changes(&now.into()) {
        if !is_taken_over && !permissions.changes(object, attribute) {
            let kind = format!("{attribute} of a group was changed, which the plan did not show");
            report(found, &kind, format!("{path}: {change}"));
        }
    }
}

/// Checks what is destroyed together with a group.
fn contents(
    permissions: &Permissions,
    before: &GitLabView,
    number: u64,
    group: &GroupView,
    found: &mut Vec<Violation>,
) {
    let is_forced = permissions
        .destroyed
        .get(&Object::Group(number))
        .is_some_and(|destroyed| destroyed.is_forced);
    for (project, view) in before.repositories(number) {
        let planned = permissions.destroyed.get(&Object::Project(project));
        let is_kept = planned.is_some_and(|planned| planned.deletion != Deletion::Delete);
        if is_kept {
            let kind = "a product was destroyed with a repository that the plan said is kept";
            report(found, kind, view.full_path.clone());
        }
        let is_half = is_unfinished(&view.description) || is_destroying(&view.description);
        if planned.is_some() || (is_half && !view.has_work) {
            continue;
        }
        let detail = format!("{} in {}", view.full_path, group.full_path);
        if !is_forced {
            let kind = "a product was destroyed with a living repository, without force_destroy";
            report(found, kind, detail);
        } else if view.is_archived {
            let kind = "a product was destroyed with an archived repository";
            report(found, kind, detail);
        }
    }
    let Some((_, config)) = before.config_repository(number) else {
        return;
    };
    for file in config.files.keys() {
        let Some(entity) = entity_of_file(number, file) else {
            continue;
        };
        let is_stale = match entity {
            Object::Project(project) => !before.is_project_alive(project),
            _ => false,
        };
        if !is_forced && !is_stale && !permissions.destroys(&entity) {
            let kind = "a product was destroyed with a manifest, without force_destroy";
            report(found, kind, format!("{file} in {}", group.full_path));
        }
    }
}
