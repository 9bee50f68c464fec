//! Which deploy keys are enabled on which repositories.
//!
//! Each code repository has a read-only and a read-write key of its own. A runtime reaches other
//! repositories with the keys of the repository that it runs from. So both keys are enabled on the
//! repositories of the same project, and on repositories that a binding opens the one that it permits.
//! This is the intention of `app/api-server/internal/biz/coderepobinding.go`, which Nautes v0.4.2
//! does not fully implement.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::entity::Permissions;
use crate::entity_name::EntityName;
use crate::id::RepositoryId;
use crate::tree::ManifestTree;

/// A deploy key of a code repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeployKey {
    /// The repository that it belongs to, not necessarily the one on which it is enabled.
    pub owner: RepositoryId,
    /// What it permits. Only a read-write key may push.
    pub permissions: Permissions,
}

impl DeployKey {
    /// Returns both keys of a repository.
    pub fn both(owner: RepositoryId) -> [Self; 2] {
        Permissions::ALL.map(|permissions| Self { owner, permissions })
    }

    /// Returns whether the key may push wherever it is enabled.
    pub fn may_push(self) -> bool {
        self.permissions == Permissions::ReadWrite
    }
}

/// The title is not that of a deploy key of a code repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{title}` is not the title of a deploy key of a code repository")]
pub struct TitleError {
    /// The title.
    pub title: String,
}

/// The title in GitLab: `repo-128-readonly`.
impl fmt::Display for DeployKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.owner, self.permissions.as_str())
    }
}

impl FromStr for DeployKey {
    type Err = TitleError;

    fn from_str(title: &str) -> Result<Self, TitleError> {
        Permissions::ALL
            .into_iter()
            .find_map(|permissions| {
                let owner = title
                    .strip_suffix(permissions.as_str())?
                    .strip_suffix('-')?;
                Some(Self {
                    owner: owner.parse().ok()?,
                    permissions,
                })
            })
            .ok_or_else(|| TitleError {
                title: title.to_owned(),
            })
    }
}

/// The deploy keys that are to be enabled on each code repository of a product, its own included.
///
/// Repositories of one project that no binding opens share one set.
pub type EnabledKeys = BTreeMap<RepositoryId, Arc<BTreeSet<DeployKey>>>;

/// Derives from the manifests which deploy keys are to be enabled on each code repository.
///
/// A key with the title of a deploy key of a code repository that is not in the set of a repository
/// is surplus there. Keys with other titles belong to somebody else.
pub fn enabled_keys(tree: &ManifestTree) -> EnabledKeys {
    let mut all = BTreeSet::new();
    let mut by_project: BTreeMap<&EntityName, Arc<BTreeSet<DeployKey>>> = BTreeMap::new();
    for repository in tree.code_repos() {
        let own = DeployKey::both(repository.id);
        all.extend(own);
        if let Some(project) = &repository.project {
            Arc::make_mut(by_project.entry(project).or_default()).extend(own);
        }
    }
    let enabled = tree.code_repos().map(|repository| {
        let of_project = repository
            .project
            .as_ref()
            .and_then(|name| by_project.get(name));
        let own = || Arc::new(DeployKey::both(repository.id).into());
        (repository.id, of_project.map_or_else(own, Arc::clone))
    });
    let mut enabled: EnabledKeys = enabled.collect();
    for binding in tree.code_repo_bindings() {
        let Some(keys) = enabled.get_mut(&binding.code_repo) else {
            continue;
        };
        let of_product = binding
            .projects
            .is_empty()
            .then_some(&all)
            .into_iter()
            .flatten();
        let projects = binding.projects.iter();
        let of_projects = projects
            .filter_map(|name| by_project.get(name))
            .flat_map(|keys| keys.iter());
        let granted = of_product.chain(of_projects).copied();
        Arc::make_mut(keys).extend(granted.filter(|key| key.permissions == binding.permissions));
    }
    enabled
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entity::{CodeRepo, CodeRepoBinding};
    use crate::id::ProductId;
    use crate::layout::Repository;

    const PRODUCT: ProductId = ProductId::new(1);

    fn code_repo((id, project): (u64, Option<EntityName>)) -> CodeRepo {
        CodeRepo {
            product: PRODUCT,
            id: RepositoryId::new(id),
            repo_name: format!("repository-{id}"),
            code_repo_provider: "gitlab".into(),
            project,
            deployment_runtime: false,
            pipeline_runtime: false,
            webhook_events: None,
            url: None,
        }
    }

    fn any_project() -> impl Strategy<Value = EntityName> {
        prop_oneof![Just("a"), Just("b"), Just("c")].prop_map(|name| EntityName::new(name).unwrap())
    }

    fn any_repositories() -> impl Strategy<Value = Vec<CodeRepo>> {
        let project = prop::option::of(any_project());
        prop::collection::btree_map(1..9_u64, project, 0..8)
            .prop_map(|repositories| repositories.into_iter().map(code_repo).collect())
    }

    fn any_bindings() -> impl Strategy<Value = Vec<CodeRepoBinding>> {
        let projects = prop::collection::btree_set(any_project(), 0..3);
        let permissions = prop_oneof![Just(Permissions::ReadOnly), Just(Permissions::ReadWrite)];
        prop::collection::vec((1..9_u64, projects, permissions), 0..5).prop_map(|bindings| {
            let binding = |(number, (id, projects, permissions))| CodeRepoBinding {
                product: PRODUCT,
                name: EntityName::new(format!("binding-{number}")).unwrap(),
                code_repo: RepositoryId::new(id),
                projects,
                permissions,
            };
            bindings.into_iter().enumerate().map(binding).collect()
        })
    }

    fn is_enabled(
        key: DeployKey,
        on: &CodeRepo,
        owner: &CodeRepo,
        bindings: &[CodeRepoBinding],
    ) -> bool {
        let shares_project = owner.project.is_some() && owner.project == on.project;
        let grants = |binding: &CodeRepoBinding| {
            binding.code_repo == on.id
                && binding.permissions == key.permissions
                && (binding.projects.is_empty()
                    || owner
                        .project
                        .as_ref()
                        .is_some_and(|name| binding.covers(name)))
        };
        owner.id == on.id || shares_project || bindings.iter().any(grants)
    }

    proptest! {
        #[test]
        fn each_key_is_enabled_where_its_owner_is_authorised_and_nowhere_else(
            repositories in any_repositories(), bindings in any_bindings()
        ) {
            let mut tree = ManifestTree::new(Repository::Product(PRODUCT));
            for repository in &repositories {
                tree.put(&repository.clone().into()).unwrap();
            }
            for binding in &bindings {
                tree.put(&binding.clone().into()).unwrap();
            }
            let expected: EnabledKeys = repositories
                .iter()
                .map(|on| {
                    let keys = repositories.iter().flat_map(|owner| {
                        let keys = DeployKey::both(owner.id).into_iter();
                        keys.filter(|key| is_enabled(*key, on, owner, &bindings))
                    });
                    (on.id, Arc::new(keys.collect()))
                })
                .collect();
            prop_assert_eq!(enabled_keys(&tree), expected);
        }
    }

    #[test]
    fn a_title_is_read_back() {
        for permissions in Permissions::ALL {
            let key = DeployKey {
                owner: RepositoryId::new(128),
                permissions,
            };
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for title in [
            "repo-128",
            "repo-128-admin",
            "readonly",
            "my-repo-1-readonly",
            "repo--readonly",
        ] {
            assert!(title.parse::<DeployKey>().is_err(), "{title}");
        }
    }
}
