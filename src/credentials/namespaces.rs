//! The groups of GitLab projects, since a manifest may name any project: keys are changed only on
//! those of the product.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt as _, stream};
use nautes_model::{ProductId, RepositoryId};

use crate::backends::gitlab::{Error, GitLab, PAGE, Project};

/// How many calls are in flight at the same time.
const CONCURRENCY: usize = 8;

/// The groups of the projects that this process has looked up.
#[derive(Debug)]
pub(super) struct Namespaces {
    gitlab: GitLab,
    by_project: Mutex<HashMap<u64, u64>>,
}

impl Namespaces {
    pub(super) fn new(gitlab: GitLab) -> Self {
        Self {
            gitlab,
            by_project: Mutex::default(),
        }
    }

    fn by_project(&self) -> MutexGuard<'_, HashMap<u64, u64>> {
        self.by_project
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the group of a project.
    pub(super) fn note(&self, project: &Project) {
        self.by_project().insert(project.id, project.namespace.id);
    }

    /// Whether a project is known to be in the group of a product.
    pub(super) fn is_in(&self, repository: RepositoryId, product: ProductId) -> bool {
        self.by_project().get(&repository.number()) == Some(&product.number())
    }

    /// Looks up those of some projects that are not known to be in the group of a product: one by
    /// one, or by a listing of the group where that takes fewer calls. `size` is about how many
    /// projects the group has. A project that is not found stays unknown.
    pub(super) async fn look_up(
        &self,
        repositories: &BTreeSet<RepositoryId>,
        product: ProductId,
        size: usize,
    ) -> Result<(), Error> {
        let unknown = |repository: &RepositoryId| !self.is_in(*repository, product);
        let unknown: Vec<RepositoryId> = repositories.iter().copied().filter(unknown).collect();
        if unknown.len() > size.div_ceil(PAGE) + 1 {
            for project in self.gitlab.group_projects(product.number()).await? {
                self.note(&project);
            }
            return Ok(());
        }
        let mut found = stream::iter(unknown)
            .map(|repository| self.gitlab.project(repository.number()))
            .buffer_unordered(CONCURRENCY);
        while let Some(found) = found.next().await {
            match found {
                Ok(project) => self.note(&project),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
