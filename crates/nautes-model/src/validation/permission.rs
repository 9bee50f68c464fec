//! References to other entities, and the permission to use repositories (`reference.go`,
//! `global_webhook.go`).
//!
//! A project may use a repository that it owns, or that a binding opens to it. What the binding
//! allows makes no difference here, only for deploy keys. The check does not ask whether project
//! and repository exist: that is another violation, and curing it must not bring up this one.

use std::collections::{BTreeMap, BTreeSet};

use super::reference::{references, repository_uses};
use super::violation::{Rule, Violation};
use crate::entity::CodeRepoBinding;
use crate::entity_name::EntityName;
use crate::id::RepositoryId;
use crate::kind::Kind;
use crate::tree::ManifestTree;

/// Who may use which repository of a product.
struct Permissions<'a> {
    owners: BTreeMap<RepositoryId, &'a EntityName>,
    bindings: BTreeMap<RepositoryId, Vec<&'a CodeRepoBinding>>,
}

impl<'a> Permissions<'a> {
    fn of(tree: &'a ManifestTree) -> Self {
        let mut bindings: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for binding in tree.code_repo_bindings() {
            bindings.entry(binding.code_repo).or_default().push(binding);
        }
        let owners = tree
            .code_repos()
            .filter(|repo| tree.product().is_none_or(|product| repo.product == product))
            .filter_map(|repo| Some((repo.id, repo.project.as_ref()?)))
            .collect();
        Self { owners, bindings }
    }

    fn allow(&self, project: &EntityName, code_repo: RepositoryId) -> bool {
        self.owners
            .get(&code_repo)
            .is_some_and(|owner| *owner == project)
            || self
                .bindings
                .get(&code_repo)
                .is_some_and(|bindings| bindings.iter().any(|binding| binding.covers(project)))
    }
}

pub(super) fn check(
    tree: &ManifestTree,
    clusters: Option<&ManifestTree>,
    found: &mut BTreeSet<Violation>,
) {
    let permissions = Permissions::of(tree);
    for entity in tree.entities() {
        let key = entity.key();
        for reference in references(entity) {
            let exists = match (reference.target.kind, tree.product(), clusters) {
                (Kind::Cluster, Some(_), None) => true,
                (Kind::Cluster, Some(_), Some(clusters)) => clusters.contains(&reference.target),
                _ => tree.contains(&reference.target),
            };
            if !exists {
                let rule = Rule::Missing {
                    field: reference.field,
                    target: reference.target,
                };
                found.insert(Violation::new(key.clone(), rule));
            }
        }
        for repository_use in repository_uses(entity) {
            if !permissions.allow(&repository_use.project, repository_use.code_repo) {
                let rule = Rule::NotAuthorised {
                    field: repository_use.field,
                    project: repository_use.project,
                    code_repo: repository_use.code_repo,
                };
                found.insert(Violation::new(key.clone(), rule));
            }
        }
    }
}
