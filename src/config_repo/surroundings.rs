//! What the rules of a product's repository depend on beside that repository.

use std::collections::BTreeMap;
use std::sync::Arc;

use nautes_model::ProductId;
use nautes_model::layout::Repository;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::Context;
use tokio::sync::OnceCell;

use crate::backends::gitlab::{self, GitLab};

use super::error::Error;
use super::remote::Remote;
use super::snapshot::Snapshot;

/// Which repository is the tenant's.
#[derive(Clone, Debug)]
pub struct TenantRepository {
    /// The full path of its project.
    pub project: String,
    /// The branch.
    pub branch: String,
}

/// The repositories of other products that a change shall be judged beside.
pub(super) type Neighbours = BTreeMap<ProductId, Arc<Snapshot>>;

/// The tenant's repository, whose project is looked up when it is first needed.
#[derive(Debug)]
pub(super) struct Tenant {
    gitlab: GitLab,
    place: Option<TenantRepository>,
    remote: OnceCell<Arc<Remote>>,
}

impl Tenant {
    pub(super) fn new(gitlab: GitLab, place: Option<TenantRepository>) -> Self {
        Self {
            gitlab,
            place,
            remote: OnceCell::new(),
        }
    }

    /// The tenant's repository; none if there is none in the configuration.
    pub(super) async fn remote(&self) -> Result<Option<&Arc<Remote>>, Error> {
        let Some(place) = &self.place else {
            return Ok(None);
        };
        let look_up = async || {
            let project = self.gitlab.project(place.project.as_str()).await?;
            let branch = place.branch.clone();
            let layout = Repository::Tenant;
            Ok(Arc::new(Remote::new(
                self.gitlab.clone(),
                project.id,
                branch,
                layout,
            )))
        };
        self.remote
            .get_or_try_init(look_up)
            .await
            .map(Some)
            .map_err(|error| self.unreadable(error))
    }

    /// The tenant's repository as it is known; none if there is none in the configuration.
    async fn snapshot(&self) -> Result<Option<Arc<Snapshot>>, Error> {
        let Some(remote) = self.remote().await? else {
            return Ok(None);
        };
        let snapshot = remote.snapshot(&remote.view()).await;
        snapshot.map(Some).map_err(|error| self.unreadable(error))
    }

    /// Looks whether the repository has changed, if it was used at all.
    async fn look_again(&self) -> Result<(), Error> {
        if let Some(remote) = self.remote.get() {
            let view = remote.look_again().await;
            view.map_err(|error| self.unreadable(error))?;
        }
        Ok(())
    }

    fn unreadable(&self, error: gitlab::Error) -> Error {
        let project = self.place.as_ref().map(|place| place.project.clone());
        Error::Tenant {
            project: project.unwrap_or_default(),
            source: Arc::new(error),
        }
    }
}

/// What the rules of one repository depend on beside it.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// The tenant's repository, whose clusters environments use; none for that repository itself.
    pub(super) tenant: Option<Arc<Tenant>>,
    /// The tenant's name.
    pub(super) tenant_name: Option<Arc<str>>,
    /// Whether Nautes's own operators make the objects in clusters.
    pub(super) nautes_reconciles: bool,
}

impl Surroundings {
    /// The tenant's repository as it is known; none if there is none.
    pub(super) async fn clusters(&self) -> Result<Option<Arc<Snapshot>>, Error> {
        match &self.tenant {
            Some(tenant) => tenant.snapshot().await,
            None => Ok(None),
        }
    }

    /// Looks whether the tenant's repository has changed, if it was used at all.
    pub(super) async fn look_again(&self) -> Result<(), Error> {
        match &self.tenant {
            Some(tenant) => tenant.look_again().await,
            None => Ok(()),
        }
    }

    /// Puts everything together for the rules.
    pub(super) fn judge<T>(
        &self,
        clusters: Option<&Snapshot>,
        neighbours: &Neighbours,
        judge: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let other_products: Vec<&ManifestTree> = neighbours
            .values()
            .map(|snapshot| snapshot.tree())
            .collect();
        judge(&Context {
            clusters: clusters.map(Snapshot::tree),
            other_products: &other_products,
            tenant: self.tenant_name.as_deref(),
            nautes_reconciles: self.nautes_reconciles,
        })
    }
}
