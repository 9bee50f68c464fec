//! Error messages for violations, addressed to the author of the change that introduced them.

mod binding;
mod rule;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::field::FieldPath;
use super::violation::{Rule, Subject, Violation};
use crate::entity::Entity;
use crate::entity_name::EntityName;
use crate::id::RepositoryId;
use crate::kind::{EntityKey, Kind};
use crate::tree::ManifestTree;

/// The trees around a change, and the names to use in messages.
#[derive(Debug, Clone, Copy)]
pub struct ChangeContext<'a> {
    /// The repository without the change.
    pub before: &'a ManifestTree,
    /// The repository with it.
    pub after: &'a ManifestTree,
    /// The tenant's repository, to list the existing clusters.
    pub clusters: Option<&'a ManifestTree>,
    /// The product's name, if known.
    pub product_name: Option<&'a str>,
}

/// An error message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What is wrong, in a few words.
    pub summary: String,
    /// Why, in sentences.
    pub detail: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The attribute at fault, of the changed entity.
    pub field: Option<FieldPath>,
}

/// Explains the violations that the change of one entity introduced.
///
/// The referrers of a deleted entity are combined into one message, and so are the projects that
/// may not use a code repository.
pub fn explain<'v>(
    violations: impl IntoIterator<Item = &'v Violation>,
    changed: &EntityKey,
    context: &ChangeContext<'_>,
) -> Vec<Explanation> {
    let violations: BTreeSet<&Violation> = violations.into_iter().collect();
    let mut explanations = Vec::new();
    let mut referrers = Vec::new();
    let mut unauthorised: BTreeMap<(&EntityKey, RepositoryId), Unauthorised<'_>> = BTreeMap::new();
    let missing: BTreeSet<(&Subject, &FieldPath)> = violations
        .iter()
        .filter_map(|violation| match &violation.rule {
            Rule::Missing { field, .. } => Some((&violation.subject, field)),
            _ => None,
        })
        .collect();
    for violation in &violations {
        match (&violation.rule, violation.entity()) {
            (Rule::Missing { field, target }, Some(subject))
                if target == changed && !context.after.contains(changed) =>
            {
                referrers.push(format!("{} (`{field}`)", context.describe(subject)));
            }
            (
                Rule::ClusterInUse {
                    product,
                    environment,
                },
                Some(subject),
            ) if subject == changed => {
                referrers.push(format!(
                    "environment `{environment}` of `{product}` (`cluster`)"
                ));
            }
            (
                Rule::NotAuthorised {
                    field,
                    project,
                    code_repo,
                },
                Some(subject),
            ) => {
                if !missing.contains(&(&violation.subject, field)) {
                    unauthorised
                        .entry((subject, *code_repo))
                        .or_insert_with(|| Unauthorised {
                            field,
                            projects: BTreeSet::new(),
                        })
                        .projects
                        .insert(project);
                }
            }
            _ => explanations.push(rule::explain(violation, changed, context)),
        }
    }
    if !referrers.is_empty() {
        explanations.push(still_used(changed, &referrers, context));
    }
    for ((subject, code_repo), Unauthorised { field, projects }) in unauthorised {
        explanations.push(binding::explain(
            subject, code_repo, field, &projects, changed, context,
        ));
    }
    explanations
}

struct Unauthorised<'a> {
    field: &'a FieldPath,
    projects: BTreeSet<&'a EntityName>,
}

fn still_used(
    changed: &EntityKey,
    referrers: &[String],
    context: &ChangeContext<'_>,
) -> Explanation {
    let entity = context.describe(changed);
    let mut hint =
        format!("First apply the changes to what references it, then remove the {entity}.");
    // Two environments cannot share a cluster, not even until the old one is destroyed.
    if changed.kind != Kind::Environment {
        hint.push_str(
            " If it is removed because its name changes, set `create_before_destroy = true` in \
             its `lifecycle` block.",
        );
    }
    let _ = write!(
        hint,
        " If another configuration manages what references it and stays as it is, set \
         `insecure_skip_check = true` on the {entity} and apply that before it is removed: the \
         references are left without a target then.",
    );
    Explanation {
        summary: format!("The {entity} is still used"),
        detail: format!(
            "It cannot be removed while it is referenced by {}.",
            join(referrers)
        ),
        hint: Some(hint),
        field: None,
    }
}

impl ChangeContext<'_> {
    /// Returns the kind and name of an entity; for a code repository its path and its id.
    fn describe(&self, key: &EntityKey) -> String {
        match self.find(key) {
            Some(Entity::CodeRepo(repo)) if repo.id == RepositoryId::UNASSIGNED => {
                format!("{} `{}`", key.kind, repo.repo_name)
            }
            Some(Entity::CodeRepo(repo)) => {
                format!("{} `{}` ({})", key.kind, repo.repo_name, repo.id)
            }
            _ => key.to_string(),
        }
    }

    fn find(&self, key: &EntityKey) -> Option<&Entity> {
        self.after.get(key).or_else(|| self.before.get(key))
    }

    /// Returns the owner of the repository.
    fn owner(&self) -> String {
        match (self.product_name, self.after.product()) {
            (Some(name), _) => format!("product `{name}`"),
            (None, Some(product)) => format!("`{product}`"),
            (None, None) => "the tenant".to_owned(),
        }
    }

    /// Returns a sentence that lists the existing entities of a kind.
    fn list_existing(&self, kind: Kind) -> String {
        let tree = match kind {
            Kind::Cluster => self.clusters.unwrap_or(self.after),
            _ => self.after,
        };
        let owner = match kind {
            Kind::Cluster => "The tenant".to_owned(),
            _ => capitalised(&self.owner()),
        };
        let names: Vec<String> = tree
            .entities_of_kind(kind)
            .map(|entity| match entity {
                Entity::CodeRepo(repo) => format!("`{}` ({})", repo.repo_name, repo.id),
                entity => format!("`{}`", entity.name()),
            })
            .collect();
        if names.is_empty() {
            format!("{owner} has no {kind}.")
        } else {
            format!("{owner} has: {}.", join(&names))
        }
    }
}

/// The maximum number of names in a message.
const MAX_NAMES: usize = 20;

/// Joins names with commas.
fn join(names: &[String]) -> String {
    let shown = names
        .iter()
        .take(MAX_NAMES)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().checked_sub(MAX_NAMES) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
