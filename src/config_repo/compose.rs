//! From a tree and the changes of a batch to the tree that they make together.

use std::collections::BTreeSet;

use nautes_model::EntityKey;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::Violation;

use super::change::{Change, Created, Validation};
use super::error::{Error, Trees};
use super::object_id::ObjectFormat;

/// What a batch makes of a tree.
#[derive(Debug)]
pub(super) struct Composition {
    /// The tree with the accepted changes, and the kustomization that lists its manifests.
    pub(super) tree: ManifestTree,
    /// For each change, in order, whether it is accepted, or why not.
    pub(super) outcomes: Vec<Result<(), Error>>,
}

/// Composes a batch on top of a tree.
pub(super) struct Composer<'a, R> {
    pub(super) base: &'a ManifestTree,
    /// The entities that this process has created.
    pub(super) created: &'a Created,
    pub(super) format: ObjectFormat,
    /// Returns the rules that a tree violates.
    pub(super) violations: R,
}

/// The changes of a batch applied one after the other, without those that are refused.
struct Attempt {
    tree: ManifestTree,
    outcomes: Vec<Result<(), Error>>,
    violations: BTreeSet<Violation>,
}

impl<R: Fn(&ManifestTree) -> BTreeSet<Violation>> Composer<'_, R> {
    /// Decides which changes of a batch are accepted, and applies them.
    ///
    /// The changes are judged by the tree that they make together, so the order of two that need
    /// each other does not matter. A change is refused only for violations that the tree without
    /// it does not have; of several that could be at fault for one, the last is. A dry run is
    /// judged on top of the accepted changes, and leaves nothing in the tree.
    pub(super) fn compose(&self, changes: &[Change]) -> Composition {
        let tolerated = (self.violations)(self.base);
        let mut refused = BTreeSet::new();
        let mut attempt = self.attempt(changes, &refused);
        while let Some(at_fault) = self.find_fault(changes, &refused, &attempt, &tolerated) {
            refused.insert(at_fault);
            attempt = self.attempt(changes, &refused);
        }
        let reasons = self.readmit(changes, &mut refused, &mut attempt);
        let outcomes: Vec<_> = self
            .with_dry_runs(changes, &attempt)
            .into_iter()
            .zip(reasons)
            .zip(changes)
            .map(
                |((outcome, refusal), change)| match (change.key(), refusal) {
                    (Some(key), Some((violations, trees))) => Err(Error::Refused {
                        key,
                        violations,
                        trees,
                    }),
                    _ => outcome,
                },
            )
            .collect();
        let mut tree = attempt.tree;
        let mut judged = changes.iter().zip(&outcomes);
        if judged.any(|(change, outcome)| change.has_effect() && outcome.is_ok()) {
            tree.update_kustomization();
        }
        Composition { tree, outcomes }
    }

    fn attempt(&self, changes: &[Change], refused: &BTreeSet<usize>) -> Attempt {
        let mut tree = self.base.clone();
        let mut created = self.created.clone();
        let mut outcomes = Vec::with_capacity(changes.len());
        for (index, change) in changes.iter().enumerate() {
            outcomes.push(if refused.contains(&index) || !change.has_effect() {
                Ok(())
            } else {
                change.apply(&mut tree, &mut created, self.format)
            });
        }
        let violations = (self.violations)(&tree);
        Attempt {
            tree,
            outcomes,
            violations,
        }
    }

    /// Finds a change that is at fault for a violation that the base does not have: one of an
    /// entity that the violation is about, else one without which there is no such violation.
    fn find_fault(
        &self,
        changes: &[Change],
        refused: &BTreeSet<usize>,
        attempt: &Attempt,
        tolerated: &BTreeSet<Violation>,
    ) -> Option<usize> {
        let candidates: Vec<(usize, EntityKey)> = changes
            .iter()
            .zip(&attempt.outcomes)
            .enumerate()
            .rev()
            .filter(|(index, (change, outcome))| {
                change.has_effect()
                    && change.validation == Validation::Full
                    && outcome.is_ok()
                    && !refused.contains(index)
            })
            .filter_map(|(index, (change, _))| Some((index, change.key()?)))
            .collect();
        attempt
            .violations
            .difference(tolerated)
            .find_map(|violation| {
                let entities = violation.entities();
                let named = candidates.iter().find(|(_, key)| entities.contains(key));
                let proven = || {
                    candidates.iter().find(|(index, _)| {
                        let mut without = refused.clone();
                        without.insert(*index);
                        !self
                            .attempt(changes, &without)
                            .violations
                            .contains(violation)
                    })
                };
                named.or_else(proven).map(|(index, _)| *index)
            })
    }

    /// Returns the outcomes of an attempt, with those of the dry runs.
    fn with_dry_runs(&self, changes: &[Change], attempt: &Attempt) -> Vec<Result<(), Error>> {
        changes
            .iter()
            .zip(&attempt.outcomes)
            .map(|(change, outcome)| {
                if change.has_effect() {
                    outcome.clone()
                } else {
                    self.dry_run(change, attempt)
                }
            })
            .collect()
    }

    fn dry_run(&self, change: &Change, attempt: &Attempt) -> Result<(), Error> {
        let mut tree = attempt.tree.clone();
        change.apply(&mut tree, &mut Created::new(), self.format)?;
        let Some(key) = change
            .key()
            .filter(|_| change.validation == Validation::Full)
        else {
            return Ok(());
        };
        let violations: Vec<Violation> = (self.violations)(&tree)
            .difference(&attempt.violations)
            .cloned()
            .collect();
        if violations.is_empty() {
            return Ok(());
        }
        Err(Error::Refused {
            key,
            violations,
            trees: Box::new(Trees {
                before: attempt.tree.clone(),
                after: tree,
                clusters: None,
            }),
        })
    }

    /// Accepts those refused changes after all that violate nothing now that the others are left
    /// out, until there is none: one that is accepted may be what another needs. Returns, for each
    /// change that stays refused, its violations, and the trees without and with it.
    fn readmit(
        &self,
        changes: &[Change],
        refused: &mut BTreeSet<usize>,
        attempt: &mut Attempt,
    ) -> Vec<Option<(Vec<Violation>, Box<Trees>)>> {
        loop {
            let mut reasons = vec![None; changes.len()];
            let before = refused.len();
            for (index, reason) in reasons.iter_mut().enumerate() {
                if !refused.remove(&index) {
                    continue;
                }
                let with = self.attempt(changes, refused);
                let violations: Vec<Violation> = with
                    .violations
                    .difference(&attempt.violations)
                    .cloned()
                    .collect();
                if violations.is_empty() {
                    *attempt = with;
                } else {
                    let trees = Trees {
                        before: attempt.tree.clone(),
                        after: with.tree,
                        clusters: None,
                    };
                    *reason = Some((violations, Box::new(trees)));
                    refused.insert(index);
                }
            }
            if refused.len() == before {
                return reasons;
            }
        }
    }
}

#[cfg(test)]
mod tests;
