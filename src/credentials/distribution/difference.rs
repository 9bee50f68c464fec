//! The difference between the deploy keys that are enabled and those that are to be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::{DeployKey, EnabledKeys};

use crate::backends::gitlab;

/// The deploy keys of some projects, as GitLab lists them.
pub(super) type Lists = BTreeMap<RepositoryId, Arc<Vec<gitlab::DeployKey>>>;

/// A change of one key on one repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkChange {
    /// The repository.
    pub(crate) on: RepositoryId,
    /// The key.
    pub(crate) key: DeployKey,
    /// GitLab's number of the key.
    pub(crate) id: u64,
    pub(crate) step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Enable the key, with the right to push if it may push.
    Enable,
    AllowPush,
    ForbidPush,
    Remove,
}

impl LinkChange {
    /// Whether the change takes access away.
    pub(super) fn takes_access(&self) -> bool {
        matches!(self.step, Step::ForbidPush | Step::Remove)
    }

    /// The repositories that must belong to the product: the one that is changed, and the owner of a
    /// key that gets access to it.
    pub(super) fn repositories(&self) -> impl Iterator<Item = RepositoryId> {
        let owner = match self.step {
            Step::Enable | Step::AllowPush => Some(self.key.owner),
            Step::ForbidPush | Step::Remove => None,
        };
        [self.on].into_iter().chain(owner)
    }
}

impl fmt::Display for LinkChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { on, key, id, step } = self;
        match step {
            Step::Enable => write!(formatter, "enable the deploy key {key} ({id}) on {on}"),
            Step::AllowPush => write!(formatter, "let the deploy key {key} ({id}) push to {on}"),
            Step::ForbidPush => write!(
                formatter,
                "keep the deploy key {key} ({id}) from pushing to {on}"
            ),
            Step::Remove => write!(formatter, "remove the deploy key {key} ({id}) from {on}"),
        }
    }
}

/// Returns the owners whose own lists must be read to decide about keys on a repository: the owners of
/// wanted keys that are not listed exactly once with the right to push that they should have.
pub(super) fn undecided_owners(
    wanted: &BTreeSet<DeployKey>,
    list: &[gitlab::DeployKey],
) -> BTreeSet<RepositoryId> {
    let mut rights: BTreeMap<DeployKey, Vec<bool>> = BTreeMap::new();
    for listed in list {
        if let Ok(key) = listed.title.parse() {
            rights.entry(key).or_default().push(listed.can_push);
        }
    }
    let is_decided = |key: &DeployKey| {
        rights
            .get(key)
            .is_some_and(|found| *found == [key.may_push()])
    };
    let undecided = wanted.iter().filter(|key| !is_decided(key));
    undecided.map(|key| key.owner).collect()
}

/// Lists the changes after which the right keys are enabled.
///
/// `own` has GitLab's current number of each key. A wanted key without one is being created, or was not
/// looked up ([`undecided_owners`]), and stays as it is on all repositories. Repositories without a list
/// and keys of other titles stay as they are, too.
pub(super) fn difference(
    enabled: &EnabledKeys,
    own: &BTreeMap<DeployKey, u64>,
    lists: &Lists,
) -> Vec<LinkChange> {
    let mut changes = Vec::new();
    for (&on, wanted) in enabled {
        let Some(list) = lists.get(&on) else {
            continue;
        };
        for listed in list.iter() {
            let Ok(key) = listed.title.parse::<DeployKey>() else {
                continue;
            };
            if let Some(step) = step(key, listed, wanted, own) {
                let id = listed.id;
                changes.push(LinkChange { on, key, id, step });
            }
        }
        let missing = wanted
            .iter()
            .filter_map(|key| Some((*key, *own.get(key)?)))
            .filter(|(_, id)| list.iter().all(|listed| listed.id != *id));
        changes.extend(missing.map(|(key, id)| LinkChange {
            on,
            key,
            id,
            step: Step::Enable,
        }));
    }
    changes
}

fn step(
    key: DeployKey,
    listed: &gitlab::DeployKey,
    wanted: &BTreeSet<DeployKey>,
    own: &BTreeMap<DeployKey, u64>,
) -> Option<Step> {
    if !wanted.contains(&key) {
        return Some(Step::Remove);
    }
    let current = *own.get(&key)?;
    if current != listed.id {
        return Some(Step::Remove);
    }
    match (key.may_push(), listed.can_push) {
        (true, false) => Some(Step::AllowPush),
        (false, true) => Some(Step::ForbidPush),
        (true, true) | (false, false) => None,
    }
}

/// Returns the numbers of the keys that repositories have on their own projects. A title has several
/// while its key is being replaced, and after an interrupted run.
pub(super) fn own_keys(lists: &Lists) -> BTreeMap<DeployKey, Vec<u64>> {
    let mut own: BTreeMap<DeployKey, Vec<u64>> = BTreeMap::new();
    for (repository, list) in lists {
        for listed in list.iter() {
            match listed.title.parse::<DeployKey>() {
                Ok(key) if key.owner == *repository => own.entry(key).or_default().push(listed.id),
                Ok(_) | Err(_) => {}
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use nautes_model::entity::Permissions::{self, ReadOnly, ReadWrite};
    use proptest::prelude::*;

    use super::*;

    fn key(owner: u64, permissions: Permissions) -> DeployKey {
        DeployKey {
            owner: RepositoryId::new(owner),
            permissions,
        }
    }

    fn listed(id: u64, title: &str, can_push: bool) -> gitlab::DeployKey {
        gitlab::DeployKey {
            id,
            title: title.to_string(),
            key: format!("ssh-ed25519 {id}"),
            fingerprint_sha256: None,
            can_push,
        }
    }

    /// What GitLab makes of the changes.
    fn apply(changes: &[LinkChange], lists: &Lists) -> Lists {
        let mut lists = lists.clone();
        for LinkChange { on, key, id, step } in changes {
            let list = Arc::make_mut(lists.get_mut(on).unwrap());
            let at = list.iter().position(|listed| listed.id == *id);
            match (step, at) {
                (Step::Enable, None) => list.push(listed(*id, &key.to_string(), key.may_push())),
                (Step::AllowPush, Some(at)) => list[at].can_push = true,
                (Step::ForbidPush, Some(at)) => list[at].can_push = false,
                (Step::Remove, Some(at)) => {
                    list.remove(at);
                }
                step => panic!("{step:?} of {key} on {on}"),
            }
        }
        lists
    }

    fn any_key() -> impl Strategy<Value = DeployKey> {
        (1..6_u64, any::<bool>())
            .prop_map(|(owner, write)| key(owner, if write { ReadWrite } else { ReadOnly }))
    }

    fn any_target() -> impl Strategy<Value = EnabledKeys> {
        let wanted = proptest::collection::btree_set(any_key(), 0..8);
        proptest::collection::btree_map((1..6_u64).prop_map(RepositoryId::new), wanted, 0..5)
            .prop_map(|target| {
                let with_own = |(repository, mut wanted): (RepositoryId, BTreeSet<DeployKey>)| {
                    wanted.extend(DeployKey::both(repository));
                    (repository, Arc::new(wanted))
                };
                target.into_iter().map(with_own).collect()
            })
    }

    /// The number of the current key.
    fn current_id(key: DeployKey) -> u64 {
        100 + key.owner.number() * 2 + u64::from(key.may_push())
    }

    fn any_lists() -> impl Strategy<Value = Lists> {
        let entry = prop_oneof![
            3 => any_key().prop_map(|key| (current_id(key), key.to_string())),
            3 => (1..20_u64, any_key()).prop_map(|(id, key)| (id, key.to_string())),
            1 => (20..30_u64).prop_map(|id| (id, "flux".to_owned())),
            1 => (20..30_u64).prop_map(|id| (id, "repo-1-admin".to_owned())),
        ];
        let list = proptest::collection::vec((entry, any::<bool>()), 0..10).prop_map(|keys| {
            let by_id: BTreeMap<_, _> = keys
                .into_iter()
                .map(|((id, title), push)| (id, listed(id, &title, push)))
                .collect();
            Arc::new(by_id.into_values().collect())
        });
        proptest::collection::btree_map((1..6_u64).prop_map(RepositoryId::new), list, 0..6)
    }

    fn any_own() -> impl Strategy<Value = BTreeMap<DeployKey, u64>> {
        proptest::collection::btree_set(any_key(), 0..10)
            .prop_map(|keys| keys.into_iter().map(|key| (key, current_id(key))).collect())
    }

    fn foreign(lists: &Lists) -> Vec<(RepositoryId, gitlab::DeployKey)> {
        lists
            .iter()
            .flat_map(|(on, list)| list.iter().map(|listed| (*on, listed.clone())))
            .filter(|(_, listed)| listed.title.parse::<DeployKey>().is_err())
            .collect()
    }

    proptest! {
        #[test]
        fn after_the_changes_nothing_is_left_to_change(
            target in any_target(), own in any_own(), lists in any_lists()
        ) {
            let after = apply(&difference(&target, &own, &lists), &lists);
            prop_assert_eq!(difference(&target, &own, &after), []);
            prop_assert_eq!(foreign(&after), foreign(&lists));
        }

        #[test]
        fn after_the_changes_the_current_keys_are_exactly_those_of_the_target(
            target in any_target(), own in any_own(), lists in any_lists()
        ) {
            let after = apply(&difference(&target, &own, &lists), &lists);
            for (on, wanted) in &target {
                let Some(list) = after.get(on) else { continue };
                let current: BTreeSet<(DeployKey, u64, bool)> = list
                    .iter()
                    .filter_map(|listed| Some((listed.title.parse().ok()?, listed.id, listed.can_push)))
                    .filter(|(key, ..)| own.contains_key(key) || !wanted.contains(key))
                    .collect();
                let right = wanted
                    .iter()
                    .filter_map(|key| Some((*key, *own.get(key)?, key.may_push())))
                    .collect();
                prop_assert_eq!(current, right);
            }
        }

        #[test]
        fn the_lists_of_undecided_owners_are_enough_for_the_right_titles_and_rights(
            target in any_target(), own in any_own(), lists in any_lists()
        ) {
            let undecided: BTreeSet<RepositoryId> = lists
                .iter()
                .filter_map(|(on, list)| Some(undecided_owners(target.get(on)?, list)))
                .flatten()
                .collect();
            let looked_up = own.into_iter().filter(|(key, _)| undecided.contains(&key.owner)).collect();
            let after = apply(&difference(&target, &looked_up, &lists), &lists);
            for (on, wanted) in &target {
                let Some(list) = after.get(on) else { continue };
                let found = |key: &DeployKey| -> Vec<bool> {
                    let title = key.to_string();
                    let titled = list.iter().filter(|listed| listed.title == title);
                    titled.map(|listed| listed.can_push).collect()
                };
                let decided = |key: &&DeployKey| {
                    looked_up.contains_key(key) || !undecided.contains(&key.owner)
                };
                for key in wanted.iter().filter(decided) {
                    prop_assert_eq!(found(key), [key.may_push()], "{} on {}", key, on);
                }
                let listed = list.iter().filter_map(|listed| listed.title.parse::<DeployKey>().ok());
                prop_assert!(listed.into_iter().all(|key| wanted.contains(&key)));
            }
        }

        #[test]
        fn the_order_of_the_changes_does_not_matter(
            target in any_target(), own in any_own(), lists in any_lists()
        ) {
            let changes = difference(&target, &own, &lists);
            let reversed: Vec<LinkChange> = changes.iter().rev().cloned().collect();
            let sorted = |lists: Lists| -> Vec<_> {
                let pairs = lists.into_iter().map(|(on, list)| {
                    let mut list = (*list).clone();
                    list.sort_by_key(|listed| listed.id);
                    (on, list)
                });
                pairs.collect()
            };
            prop_assert_eq!(sorted(apply(&changes, &lists)), sorted(apply(&reversed, &lists)));
            let links: BTreeSet<_> = changes.iter().map(|change| (change.on, change.id)).collect();
            prop_assert_eq!(links.len(), changes.len(), "one change for each link");
        }
    }

    #[test]
    fn a_new_key_replaces_the_old_one_where_it_was_enabled() {
        let [one, two] = [1, 2].map(RepositoryId::new);
        let lists = Lists::from([
            (one, Arc::new(vec![listed(30, "repo-1-readonly", false)])),
            (two, Arc::new(vec![listed(10, "repo-1-readonly", false)])),
        ]);
        let target = EnabledKeys::from([(two, Arc::new([key(1, ReadOnly)].into()))]);
        let own = BTreeMap::from([(key(1, ReadOnly), 30)]);
        let change = |id, step| LinkChange {
            on: two,
            key: key(1, ReadOnly),
            id,
            step,
        };
        assert_eq!(
            difference(&target, &own, &lists),
            [change(10, Step::Remove), change(30, Step::Enable)]
        );
        assert_eq!(own_keys(&lists), [(key(1, ReadOnly), vec![30])].into());
    }

    #[test]
    fn a_key_that_is_being_created_stays_unless_it_is_not_wanted_at_all() {
        let two = RepositoryId::new(2);
        let list = vec![
            listed(10, "repo-1-readonly", true),
            listed(11, "repo-1-readwrite", true),
        ];
        let lists = Lists::from([(two, Arc::new(list))]);
        let target = EnabledKeys::from([(two, Arc::new([key(1, ReadOnly)].into()))]);
        let changes = difference(&target, &BTreeMap::new(), &lists);
        let steps: Vec<_> = changes
            .iter()
            .map(|change| (change.id, change.step))
            .collect();
        assert_eq!(steps, [(11, Step::Remove)]);
    }
}
