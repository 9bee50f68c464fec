//! The files of configuration repositories.

use nautes_model::Kind as ManifestKind;
use nautes_model::layout::ManifestPath;

use super::permission::Permissions;
use super::{Check, Violation, report};
use crate::configuration::Kind;
use crate::ledger::Object;
use crate::world::Target;

/// Files that belong to no single entity and change with all of them.
const SHARED: [&str; 1] = ["production/kustomization.yaml"];

/// Returns the object that a file of a product's configuration repository is about.
pub(super) fn entity_of_file(product: u64, file: &str) -> Option<Object> {
    let path: ManifestPath = file.parse().ok()?;
    let key = path.key();
    let name = key.name.to_string();
    let kind = match path.kind() {
        ManifestKind::Environment => Kind::Environment,
        ManifestKind::Project => Kind::Project,
        ManifestKind::CodeRepoBinding => Kind::Binding,
        ManifestKind::CodeRepo => {
            return name
                .strip_prefix("repo-")?
                .parse()
                .ok()
                .map(Object::Project);
        }
        _ => return None,
    };
    Some(Object::Entity {
        product,
        kind,
        name,
    })
}

pub(super) fn check(
    check: Check<'_>,
    permissions: &Permissions,
    target: Target,
    found: &mut Vec<Violation>,
) {
    let (before, after) = (check.before.gitlab(target), check.after.gitlab(target));
    let configs = before.projects.iter();
    for (number, config) in
        configs.filter(|(_, project)| project.is_alive && project.is_config_repository())
    {
        let product = config.group;
        let Some(now) = after.projects.get(number).filter(|now| now.is_alive) else {
            continue;
        };
        for (file, blob) in &config.files {
            let place = format!("{file} in {}", config.full_path);
            let is_changed = now.files.get(file) != Some(blob);
            let is_removed = !now.files.contains_key(file);
            if !is_changed {
                continue;
            }
            if SHARED.contains(&file.as_str()) && permissions.changes_anything && !is_removed {
                continue;
            }
            let Some(entity) = entity_of_file(product, file) else {
                report(found, "a foreign file was changed", place);
                continue;
            };
            let is_destroyed = target == Target::Main && permissions.destroys(&entity);
            if is_removed {
                if !is_destroyed {
                    let kind = if permissions.kept.contains(&entity) {
                        "a manifest was deleted that another instance holds"
                    } else {
                        "a manifest was deleted that was not planned for destruction"
                    };
                    report(found, kind, place);
                }
                continue;
            }
            let is_updated = permissions.updated.contains_key(&entity);
            if !is_destroyed && !is_updated && !is_created(permissions, &entity) {
                report(
                    found,
                    "a manifest was changed, which the plan did not show",
                    place,
                );
                continue;
            }
            let at_plan = check.at_plan.gitlab(target).projects.get(number);
            let at_plan = at_plan.and_then(|config| config.files.get(file));
            if is_updated && at_plan != Some(blob) {
                let kind = "a manifest was overwritten that changed between plan and apply";
                report(found, kind, place);
            }
        }
    }
}

fn is_created(permissions: &Permissions, entity: &Object) -> bool {
    match entity {
        Object::Entity { kind, name, .. } => permissions.creations(*kind, name).next().is_some(),
        // The number of a repository that is taken over is in no plan; the project says more.
        Object::Project(_) => permissions
            .created
            .iter()
            .any(|created| created.address.kind == Kind::CodeRepo),
        Object::Group(_) => false,
    }
}
