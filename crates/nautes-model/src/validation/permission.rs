//! References to other entities, and the permission to use code repositories (`reference.go`,
//! `global_webhook.go`).
//!
//! A project may use a code repository that it owns or that a binding authorises. The permissions
//! of the binding matter for deploy keys only. The check ignores whether the project and the
//! repository exist: that is another violation, and fixing it must not introduce this one.

use std::collections::{BTreeMap, BTreeSet};

use super::field::FieldPath;
use super::reference::{references, repository_uses};
use super::violation::{Rule, Violation};
use crate::entity::CodeRepoBinding;
use crate::entity_name::EntityName;
use crate::id::RepositoryId;
use crate::kind::{EntityKey, Kind};
use crate::tree::ManifestTree;

/// The projects that may use each code repository of a product.
struct Permissions<'a> {
    owners: BTreeMap<RepositoryId, &'a EntityName>,
    bindings: BTreeMap<RepositoryId, Vec<&'a CodeRepoBinding>>,
}

impl<'a> Permissions<'a> {
    fn new(tree: &'a ManifestTree) -> Self {
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
    let permissions = Permissions::new(tree);
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

/// Checks that code repositories report the events that pipeline runtimes listen to.
///
/// Nautes does not check this, but its event sources receive the events of the repository
/// (`app/runtime-operator/internal/syncer/v2/task/pipelineRuntime.go`).
pub(super) fn check_events(tree: &ManifestTree, found: &mut BTreeSet<Violation>) {
    for runtime in tree.pipeline_runtimes() {
        for (name, source) in &runtime.event_sources {
            let Some(gitlab) = &source.gitlab else {
                continue;
            };
            let reported = tree
                .code_repo(gitlab.code_repo)
                .and_then(|repo| repo.webhook_events.as_ref());
            for event in &gitlab.events {
                if reported.is_none_or(|reported| !reported.contains(event)) {
                    let field = FieldPath::new("event_sources").key(name.as_str());
                    let rule = Rule::NotReported {
                        field: field.attribute("gitlab").attribute("events"),
                        event: event.clone(),
                        code_repo: gitlab.code_repo,
                    };
                    let key = EntityKey::new(Kind::PipelineRuntime, runtime.name.clone());
                    found.insert(Violation::new(key, rule));
                }
            }
        }
    }
}
