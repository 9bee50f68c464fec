//! Objects that a creation takes over, and those that it loses again.

use super::group::is_unfinished;
use super::manifest::entity_of_file;
use super::permission::Permissions;
use super::{Check, Violation, report};
use crate::configuration::Kind;
use crate::core::Action;
use crate::ledger::Object;
use crate::world::view::GitLabView;
use crate::world::{Snapshot, Target};

/// Whether a creation of the plan may take over an object that exists: the user permits it, or its
/// creation was not finished, or this very instance has held it.
pub(super) fn may_take_over(
    check: Check<'_>,
    permissions: &Permissions,
    target: Target,
    object: &Object,
    kind: Kind,
    path: &str,
    description: &str,
) -> bool {
    let workspace = check.record.run.workspace;
    permissions.creations(kind, path).any(|created| {
        created.may_adopt()
            || is_unfinished(description)
            || (target == Target::Main
                && check.ledger.has_held(object, (workspace, created.address)))
    })
}

pub(super) fn check(check: Check<'_>, permissions: &Permissions, found: &mut Vec<Violation>) {
    let record = check.record;
    let before = check.before.gitlab(Target::Main);
    let after = check.after.gitlab(Target::Main);
    for created in &permissions.created {
        let address = created.address;
        let Some(stored) = record.state.current.get(&address) else {
            continue;
        };
        let Some(object) = Object::from_value(address.kind, &stored.value) else {
            continue;
        };
        let has_held = check
            .ledger
            .has_held(&object, (record.run.workspace, address));
        let is_written = record.written.contains(&address);
        if is_written && record.is_undisturbed() && !exists(&object, after, check.after) {
            let kind = "an object was created and lost in one run";
            report(found, kind, format!("{object} of {address}"));
        }
        match &object {
            Object::Entity { product, kind, .. } => {
                let file = file_of(&object, before);
                let file_now = file_of(&object, after);
                let is_equal = file == file_now;
                let was_replaced = permissions.destroys(&object);
                if file.is_some() && !is_equal && !was_replaced && !has_held && is_written {
                    let text = "a different manifest was taken over";
                    let detail = format!("{} in product-{product}", kind.type_name());
                    report(found, text, format!("{detail} by {address}"));
                }
            }
            Object::Group(_) | Object::Project(_) => {
                let Some((path, description)) = finished(&object, before) else {
                    continue;
                };
                let is_replaced = created.former.as_ref() == Some(&object);
                if is_replaced && is_written {
                    let kind = "a replacement took over what it replaces";
                    report(found, kind, format!("{path} by {address}"));
                } else if !created.may_adopt() && !is_unfinished(&description) && !has_held {
                    let kind = match object {
                        Object::Group(_) => {
                            "a finished group was taken over without adopt_existing"
                        }
                        _ => "a finished repository was taken over without adopt_existing",
                    };
                    report(found, kind, format!("{path} by {address}"));
                }
            }
        }
    }
    lost(check, permissions, found);
}

/// Objects that an update or a no-op keeps in the state must exist if they did.
fn lost(check: Check<'_>, permissions: &Permissions, found: &mut Vec<Violation>) {
    let record = check.record;
    let before = check.before.gitlab(Target::Main);
    let after = check.after.gitlab(Target::Main);
    for planned in &record.changes {
        if !matches!(planned.action, Action::NoOp | Action::Update) {
            continue;
        }
        let Some(stored) = record.state.current.get(&planned.address) else {
            continue;
        };
        let Some(object) = Object::from_value(planned.address.kind, &stored.value) else {
            continue;
        };
        let existed = exists(&object, before, check.before);
        if existed && !exists(&object, after, check.after) && !permissions.destroys(&object) {
            let kind = "an object is lost that the plan keeps";
            report(found, kind, format!("{object} of {}", planned.address));
        }
    }
}

fn finished(object: &Object, view: &GitLabView) -> Option<(String, String)> {
    match object {
        Object::Group(number) => {
            let group = view.groups.get(number).filter(|group| group.is_alive)?;
            Some((group.full_path.clone(), group.description.clone()))
        }
        Object::Project(number) => {
            let project = view.projects.get(number);
            let project = project.filter(|project| project.is_alive)?;
            Some((project.full_path.clone(), project.description.clone()))
        }
        Object::Entity { .. } => None,
    }
}

/// Returns the name and blob of an entity's manifest.
fn file_of(object: &Object, view: &GitLabView) -> Option<(String, String)> {
    let Object::Entity { product, .. } = object else {
        return None;
    };
    let (_, config) = view.config_repository(*product)?;
    let mut files = config.files.iter();
    let found = files.find(|(file, _)| entity_of_file(*product, file).as_ref() == Some(object));
    found.map(|(file, blob)| (file.clone(), blob.clone()))
}

/// Whether an object is there with all that belongs to it.
fn exists(object: &Object, view: &GitLabView, snapshot: &Snapshot) -> bool {
    match object {
        Object::Group(number) => {
            let group = view.groups.get(number);
            group.is_some_and(|group| group.is_alive) && view.config_repository(*number).is_some()
        }
        Object::Entity { .. } => file_of(object, view).is_some(),
        Object::Project(number) => {
            let Some(project) = view.projects.get(number).filter(|project| project.is_alive) else {
                return false;
            };
            let manifest = format!("code-repos/repo-{number}/repo-{number}.yaml");
            let config = view.config_repository(project.group);
            let has_manifest =
                config.is_some_and(|(_, config)| config.files.contains_key(&manifest));
            let has_secrets = ["readonly", "readwrite"].into_iter().all(|name| {
                let path = format!("gitlab/repo-{number}/default/{name}");
                snapshot.vault.secrets.contains_key(&path)
            });
            has_manifest && has_secrets
        }
    }
}
