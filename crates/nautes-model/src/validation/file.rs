//! Rules for files: their content and their paths (`app/api-server/pkg/nodestree/`, `repeat.go`
//! and `effective.go`).

use std::collections::BTreeSet;
use std::error::Error;

use super::violation::{Rule, Violation};
use crate::entity::Entity;
use crate::layout::{PRODUCT_FOLDERS, PRODUCT_KUSTOMIZATION};
use crate::tree::ManifestTree;
use crate::validation::field::FieldPath;
use crate::validation::problem::Problem;

pub(super) fn check(tree: &ManifestTree, found: &mut BTreeSet<Violation>) {
    for (path, error) in tree.invalid_files() {
        found.insert(Violation::in_file(
            path,
            Rule::Unreadable {
                reason: error_chain(error),
            },
        ));
    }
    for (path, manifest) in tree.manifests() {
        let entity = manifest.entity();
        if !tree.repository().allows(entity, path) {
            let rule = Rule::Misplaced {
                path: path.to_owned(),
            };
            found.insert(Violation::new(entity.key(), rule));
        }
        let paths: Vec<String> = tree.paths(&entity.key()).map(str::to_owned).collect();
        if paths.len() > 1 {
            found.insert(Violation::new(entity.key(), Rule::Duplicate { paths }));
        }
        if let (Some(product), Some(own)) = (entity.product(), tree.product())
            && product != own
        {
            found.insert(Violation::new(
                entity.key(),
                Rule::ForeignProduct { product },
            ));
        }
    }
    check_project_names(tree, found);
}

/// Checks the names of projects: Nautes ignores a project that is named like a top-level entry
/// outside the layout.
fn check_project_names(tree: &ManifestTree, found: &mut BTreeSet<Violation>) {
    let top_level: BTreeSet<&str> = tree
        .files()
        .map(|(path, _)| path)
        .chain([PRODUCT_KUSTOMIZATION])
        .filter_map(|path| path.split('/').next())
        .filter(|top| !PRODUCT_FOLDERS.contains(top))
        .collect();
    for project in tree.projects() {
        if top_level.contains(project.name.as_str()) {
            let problem = Problem::NameCollision {
                name: project.name.to_string(),
                owner: "a folder of the configuration repository",
            };
            let rule = Rule::Invalid {
                field: FieldPath::new("name"),
                problem,
            };
            found.insert(Violation::new(Entity::from(project.clone()).key(), rule));
        }
    }
}

/// Joins the messages of an error and its causes.
fn error_chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    message
}
