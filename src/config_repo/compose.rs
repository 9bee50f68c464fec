//! From a tree and the changes of a batch to the tree that they make together.

use std::collections::BTreeSet;

use nautes_model::EntityKey;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::Violation;

use super::change::{Change, Checks};
use super::error::{Error, Trees};
use super::object_id::ObjectFormat;

/// What a batch makes of a tree.
#[derive(Debug)]
pub(super) struct Composition {
    /// The tree with the accepted changes, and the kustomization that lists its manifests.
    pub(super) tree: ManifestTree,
    /// For each change, in order, why it is not among them.
    pub(super) verdicts: Vec<Result<(), Error>>,
}

/// A tree, and what a batch has to know to change it.
pub(super) struct Composer<'a, R> {
    pub(super) origin: &'a ManifestTree,
    /// The entities that other requests of this process have created.
    pub(super) claimed: &'a BTreeSet<EntityKey>,
    pub(super) format: ObjectFormat,
    /// The rules that a tree shall keep: those that it breaks.
    pub(super) rules: R,
}

/// The changes of a batch made one after the other, those left out that are refused.
struct Attempt {
    tree: ManifestTree,
    outcomes: Vec<Result<(), Error>>,
    violations: BTreeSet<Violation>,
}

impl<R: Fn(&ManifestTree) -> BTreeSet<Violation>> Composer<'_, R> {
    /// Decides which changes of a batch can be made, and makes them.
    ///
    /// The changes are judged by the tree that they make together, so that it does not matter
    /// which of two that need each other comes first. A change is refused only for violations
    /// that the tree without it does not have. Of several that could be blamed for one violation
    /// it is the last. A mere check is judged by the tree that the accepted changes make, in which
    /// it leaves nothing.
    pub(super) fn compose(&self, changes: &[Change]) -> Composition {
        let tolerated = (self.rules)(self.origin);
        let mut refused = BTreeSet::new();
        let mut attempt = self.attempt(changes, &refused);
        while let Some(culprit) = self.blame(changes, &refused, &attempt, &tolerated) {
            refused.insert(culprit);
            attempt = self.attempt(changes, &refused);
        }
        let reasons = self.readmit(changes, &mut refused, &mut attempt);
        let checked = self.checked(changes, &attempt);
        let verdicts: Vec<_> = checked
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
        let mut made = changes.iter().zip(&verdicts);
        if made.any(|(change, verdict)| change.has_effect() && verdict.is_ok()) {
            tree.update_kustomization();
        }
        Composition { tree, verdicts }
    }

    fn attempt(&self, changes: &[Change], refused: &BTreeSet<usize>) -> Attempt {
        let mut tree = self.origin.clone();
        let mut claimed = self.claimed.clone();
        let mut outcomes = Vec::with_capacity(changes.len());
        for (index, change) in changes.iter().enumerate() {
            outcomes.push(if refused.contains(&index) || !change.has_effect() {
                Ok(())
            } else {
                change.apply(&mut tree, &mut claimed, self.format)
            });
        }
        let violations = (self.rules)(&tree);
        Attempt {
            tree,
            outcomes,
            violations,
        }
    }

    /// Finds a change to take out because of a violation that the origin does not have: one of an
    /// entity that the violation is about, else one without which there is no such violation.
    fn blame(
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
                    && change.checks == Checks::Full
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

    /// The outcomes of an attempt, with those of the mere checks.
    fn checked(&self, changes: &[Change], attempt: &Attempt) -> Vec<Result<(), Error>> {
        changes
            .iter()
            .zip(&attempt.outcomes)
            .map(|(change, outcome)| {
                if change.has_effect() {
                    outcome.clone()
                } else {
                    self.check(change, attempt)
                }
            })
            .collect()
    }

    fn check(&self, change: &Change, attempt: &Attempt) -> Result<(), Error> {
        let mut tree = attempt.tree.clone();
        change.apply(&mut tree, &mut BTreeSet::new(), self.format)?;
        let Some(key) = change.key().filter(|_| change.checks == Checks::Full) else {
            return Ok(());
        };
        let violations: Vec<Violation> = (self.rules)(&tree)
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
            }),
        })
    }

    /// Takes back those refusals that turn out to be unfounded, now that the culprits are out, until
    /// none is: one that is taken back may be what another needs. Returns, for each change that
    /// stays refused, the violations for which it does, and the trees without and with it.
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
