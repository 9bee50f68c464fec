//! Which of several changes broke a rule.

use std::collections::{BTreeMap, BTreeSet};

use super::violation::Violation;
use super::{Context, violations};
use crate::kind::EntityKey;
use crate::tree::ManifestTree;

/// Tells which changes answer for which violations.
///
/// `before` and `after` are the repository without and with all changes, `introduced` is what they
/// break together. A change answers for the violations that would not be there without it; several
/// may answer for one, and then it is enough that one of them is taken back. A violation for which
/// no change answers alone is held against all.
pub fn attribute<'k>(
    introduced: &BTreeSet<Violation>,
    changed: impl IntoIterator<Item = &'k EntityKey>,
    before: &ManifestTree,
    after: &ManifestTree,
    context: &Context<'_>,
) -> BTreeMap<&'k EntityKey, BTreeSet<Violation>> {
    if introduced.is_empty() {
        return BTreeMap::new();
    }
    let changed: Vec<&EntityKey> = changed.into_iter().collect();
    let mut blame = BTreeMap::new();
    let mut nobody_s = introduced.clone();
    for key in &changed {
        let left = taken_back(key, before, after)
            .map_or_else(|| introduced.clone(), |tree| violations(&tree, context));
        let own: BTreeSet<Violation> = introduced.difference(&left).cloned().collect();
        nobody_s.retain(|violation| !own.contains(violation));
        if !own.is_empty() {
            blame.insert(*key, own);
        }
    }
    if !nobody_s.is_empty() {
        for key in changed {
            blame
                .entry(key)
                .or_default()
                .extend(nobody_s.iter().cloned());
        }
    }
    blame
}

/// Returns the repository with one entity as it was, unless its old place is taken.
fn taken_back(
    key: &EntityKey,
    before: &ManifestTree,
    after: &ManifestTree,
) -> Option<ManifestTree> {
    let mut tree = after.clone();
    match before.get(key) {
        Some(entity) => tree.put(entity).ok()?,
        None => {
            tree.remove(key);
        }
    }
    Some(tree)
}
