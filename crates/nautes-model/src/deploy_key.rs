//! Which deploy keys are enabled on which repositories.
//!
//! Each code repository has a read-only and a read-write key of its own. A runtime reaches other
//! repositories with the keys of the one that it runs from, so those keys are enabled on every
//! repository that is open to it: on those of the same project both, on those that a binding opens
//! the one that the binding allows (`app/api-server/internal/biz/coderepobinding.go`, where this
//! is meant but not quite what happens).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::entity::{CodeRepo, Permissions};
use crate::id::RepositoryId;
use crate::tree::ManifestTree;

/// A deploy key of a code repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeployKey {
    /// The repository that it belongs to, not necessarily the one on which it is enabled.
    pub owner: RepositoryId,
    /// What it is for. Only a read-write key may push.
    pub permissions: Permissions,
}

/// The title is not that of one of our keys.
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

/// Lists the keys that are to be enabled on each code repository of a product.
///
/// Keys with other titles are none of our business; other keys with such titles are surplus.
pub fn enabled_keys(tree: &ManifestTree) -> BTreeMap<RepositoryId, BTreeSet<DeployKey>> {
    let repositories: Vec<&CodeRepo> = tree.code_repos().collect();
    let keys = |owner: &CodeRepo, permissions: &[Permissions]| -> Vec<DeployKey> {
        permissions
            .iter()
            .map(|permissions| DeployKey {
                owner: owner.id,
                permissions: *permissions,
            })
            .collect()
    };
    let mut enabled: BTreeMap<RepositoryId, BTreeSet<DeployKey>> = BTreeMap::new();
    for opened in &repositories {
        let own_or_same_project = repositories.iter().filter(|owner| {
            owner.id == opened.id || (owner.project.is_some() && owner.project == opened.project)
        });
        enabled
            .entry(opened.id)
            .or_default()
            .extend(own_or_same_project.flat_map(|owner| keys(owner, &Permissions::ALL)));
    }
    for binding in tree.code_repo_bindings() {
        if let Some(enabled) = enabled.get_mut(&binding.code_repo) {
            let granted = repositories.iter().filter(|owner| {
                binding.projects.is_empty()
                    || owner
                        .project
                        .as_ref()
                        .is_some_and(|project| binding.covers(project))
            });
            enabled.extend(granted.flat_map(|owner| keys(owner, &[binding.permissions])));
        }
    }
    enabled
}

#[cfg(test)]
mod tests {
    use super::*;

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
