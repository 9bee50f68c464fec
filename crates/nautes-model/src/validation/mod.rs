//! The rules of a whole configuration repository.
//!
//! [`violations`] finds all that are broken. A change is judged by [`introduced_by`]: only by what
//! it breaks, not by what was broken before. [`explain`](explain::explain) says it to the user.
//!
//! Nautes judges the whole repository too (`app/api-server/pkg/nodestree/`), but refuses every
//! change as long as anything in it is broken.

mod alone;
mod cluster;
pub mod explain;
mod field;
mod permission;
mod pipeline;
mod place;
mod problem;
mod reference;
mod sharing;
mod violation;

use std::collections::BTreeSet;

pub use alone::problems;
pub use field::{FieldPath, Step};
pub use problem::Problem;
pub use reference::{Reference, references};
pub use violation::{OtherRuntime, Rule, Subject, Violation};

use crate::layout::Repository;
use crate::tree::ManifestTree;

/// What is known beside the repository that is judged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The tenant's repository. Without it, rules about clusters are not checked.
    pub clusters: Option<&'a ManifestTree>,
    /// The repositories of other products, as far as they can be read.
    pub other_products: &'a [&'a ManifestTree],
    /// The tenant's name.
    pub tenant: Option<&'a str>,
    /// Whether Nautes's own operators make the objects in clusters. They name Argo CD
    /// applications after the runtime alone, and have GitLab report the events of the code
    /// repository, not those of the runtime.
    pub nautes_reconciles: bool,
}

/// Finds all rules that a repository breaks.
pub fn violations(tree: &ManifestTree, context: &Context<'_>) -> BTreeSet<Violation> {
    let mut found = BTreeSet::new();
    place::check(tree, &mut found);
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

/// Finds the rules that a repository breaks now and did not break before.
pub fn introduced_by(
    before: &ManifestTree,
    after: &ManifestTree,
    context: &Context<'_>,
) -> BTreeSet<Violation> {
    let old = violations(before, context);
    let mut new = violations(after, context);
    new.retain(|violation| !old.contains(violation));
    new
}
