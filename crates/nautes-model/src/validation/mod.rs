//! The rules for a whole configuration repository.
//!
//! [`violations`] returns all violations in a repository, [`new_violations`] only those that a
//! change introduces, and [`explain`](explain::explain) their messages.
//!
//! Nautes validates the whole repository too (`app/api-server/pkg/nodestree/`), but refuses every
//! change as long as it has any violation.

mod cluster;
pub mod explain;
mod field;
mod file;
mod permission;
mod pipeline;
mod problem;
mod reference;
mod resolution;
mod sharing;
mod single_entity;
mod violation;

use std::collections::BTreeSet;

pub use field::{FieldPath, Step};
pub use problem::Problem;
pub use reference::{Reference, references};
pub use resolution::{EntityPattern, ManifestPattern};
pub use single_entity::problems;
pub use violation::{OtherRuntime, Rule, Subject, Violation};

use crate::layout::Repository;
use crate::tree::ManifestTree;

/// What is known besides the repository that is validated.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The tenant's repository. Without it, rules about clusters are not checked.
    pub clusters: Option<&'a ManifestTree>,
    /// The repositories of other products, as far as they are readable.
    pub other_products: &'a [&'a ManifestTree],
    /// The tenant's name.
    pub tenant: Option<&'a str>,
    /// Whether Nautes's own operators manage the objects in clusters. They name Argo CD
    /// applications after the runtime only, and subscribe to the events of the code repository,
    /// not to those of the runtime.
    pub nautes_reconciles: bool,
}

/// Returns all violations in a repository.
pub fn violations(tree: &ManifestTree, context: &Context<'_>) -> BTreeSet<Violation> {
    let mut found = BTreeSet::new();
    file::check(tree, &mut found);
    for entity in tree.entities() {
        for (field, problem) in problems(entity, context.tenant) {
            found.insert(Violation::new(
                entity.key(),
                Rule::Invalid { field, problem },
            ));
        }
    }
    permission::check(tree, context.clusters, &mut found);
    match tree.repository() {
        Repository::Tenant => cluster::check_tenant(tree, context.other_products, &mut found),
        Repository::Product(_) => {
            sharing::check_environments(tree, &mut found);
            sharing::check_sources(tree, &mut found);
            sharing::check_namespaces(tree, context.other_products, &mut found);
            if context.nautes_reconciles {
                permission::check_events(tree, &mut found);
                sharing::check_applications(tree, context.other_products, &mut found);
            }
            if let Some(clusters) = context.clusters {
                cluster::check_runtimes(tree, clusters, &mut found);
            }
        }
    }
    found
}

/// Returns the violations that a change introduces.
pub fn new_violations(
    before: &ManifestTree,
    after: &ManifestTree,
    context: &Context<'_>,
) -> BTreeSet<Violation> {
    let old = violations(before, context);
    let mut new = violations(after, context);
    new.retain(|violation| !old.contains(violation));
    new
}
