//! The requests that wait for distributions, and the repositories that they concern.

use std::collections::BTreeSet;
use std::sync::Arc;

use nautes_model::RepositoryId;
use nautes_model::deploy_key::{DeployKey, EnabledKeys};

use crate::config_repo::Snapshot;

/// A request that waits for a distribution.
#[derive(Debug, Clone)]
pub enum Subscriber {
    /// A request for a code repository, which reports what fails on the repository.
    Repository {
        /// The repository.
        repository: RepositoryId,
        /// The manifests before the request changed them; `None` if it changed no authorisation.
        before: Option<Arc<Snapshot>>,
    },
    /// A request for a binding, which reports what fails on the repository that it opens, unless a
    /// request for that repository waits too.
    Binding {
        /// The repository that it opens.
        repository: RepositoryId,
    },
}

impl Subscriber {
    /// Returns the repository whose failures the request reports.
    pub(super) fn repository(&self) -> RepositoryId {
        match self {
            Self::Repository { repository, .. } | Self::Binding { repository } => *repository,
        }
    }

    /// Returns the repositories of a product whose deploy keys the request may have changed, given
    /// the keys that are to be enabled now.
    pub(super) fn scope(&self, enabled: &EnabledKeys) -> BTreeSet<RepositoryId> {
        match self {
            Self::Binding { repository } => [*repository].into(),
            Self::Repository { repository, before } => {
                let before = before.as_deref().map(Snapshot::enabled_keys);
                scope_of_repository(*repository, before, enabled)
            }
        }
    }
}

/// Returns the repository, those on which its keys are to be enabled, and those for which other keys
/// were to be enabled before.
///
/// Where the keys of a repository were enabled whose manifest was deleted earlier, such as by a run
/// that was interrupted, is not known: then it returns all.
fn scope_of_repository(
    repository: RepositoryId,
    before: Option<&EnabledKeys>,
    enabled: &EnabledKeys,
) -> BTreeSet<RepositoryId> {
    let contains = |keys: &EnabledKeys| keys.contains_key(&repository);
    if !contains(enabled) && !before.is_some_and(contains) {
        return enabled.keys().copied().collect();
    }
    let own = DeployKey::both(repository);
    enabled
        .iter()
        .filter(|(on, wanted)| {
            own.iter().any(|key| wanted.contains(key))
                || before.is_some_and(|before| before.get(on) != Some(wanted))
        })
        .map(|(on, _)| *on)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enabled(keys: &[(u64, &[u64])]) -> EnabledKeys {
        let entry = |(on, owners): &(u64, &[u64])| {
            let owners = owners.iter().map(|owner| RepositoryId::new(*owner));
            let keys = owners.flat_map(DeployKey::both).collect();
            (RepositoryId::new(*on), Arc::new(keys))
        };
        keys.iter().map(entry).collect()
    }

    fn scope(repository: u64, before: Option<&EnabledKeys>, enabled: &EnabledKeys) -> Vec<u64> {
        let scope = scope_of_repository(RepositoryId::new(repository), before, enabled);
        scope.into_iter().map(RepositoryId::number).collect()
    }

    #[test]
    fn a_repository_concerns_those_that_its_keys_reach_and_nobody_else() {
        let now = enabled(&[(1, &[1, 2]), (2, &[1, 2]), (3, &[3]), (4, &[4, 1])]);
        assert_eq!(scope(1, None, &now), [1, 2, 4]);
        assert_eq!(scope(3, None, &now), [3]);
        assert_eq!(scope(3, Some(&now), &now), [3]);
    }

    #[test]
    fn a_repository_that_moved_concerns_those_that_its_keys_reached_and_reach() {
        let before = enabled(&[(1, &[1, 2]), (2, &[1, 2]), (3, &[3]), (4, &[4])]);
        let now = enabled(&[(1, &[1, 3]), (2, &[2]), (3, &[1, 3]), (4, &[4])]);
        assert_eq!(scope(1, Some(&before), &now), [1, 2, 3]);
    }

    #[test]
    fn a_deleted_repository_concerns_those_that_its_keys_reached() {
        let before = enabled(&[(1, &[1, 2]), (2, &[1, 2]), (3, &[3])]);
        let now = enabled(&[(2, &[2]), (3, &[3])]);
        assert_eq!(scope(1, Some(&before), &now), [2]);
    }

    #[test]
    fn a_repository_that_was_deleted_earlier_concerns_all() {
        let now = enabled(&[(2, &[2]), (3, &[3])]);
        assert_eq!(scope(1, None, &now), [2, 3]);
        assert_eq!(scope(1, Some(&now), &now), [2, 3]);
    }
}
