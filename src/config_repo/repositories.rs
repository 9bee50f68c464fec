//! All configuration repositories that one provider instance works on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::ProductId;
use nautes_model::installation::Installation;
use nautes_model::layout;

use crate::backends::gitlab::GitLab;
use crate::wait_graph::WaitGraph;

use super::batch::CommitOptions;
use super::branch_cache::BranchCache;
use super::error::Error;
use super::queue::Queue;
use super::repository::Repository;
use super::validation_inputs::{Tenant, TenantRepository, ValidationInputs};

/// How configuration repositories are read and written.
#[derive(Clone, Debug)]
pub struct Options {
    /// The branch of products' repositories.
    pub branch: String,
    /// How commits are made.
    pub commit: CommitOptions,
    /// The tenant's repository. Without it there are no clusters, and rules about them are not
    /// validated.
    pub tenant_repository: Option<TenantRepository>,
    /// The tenant's name.
    pub tenant: Option<String>,
    /// Whether Nautes's operators make the objects in clusters.
    pub nautes_reconciles: bool,
    /// The Nautes installation for whose Argo CD files are written beside the manifests of clusters. The URL of the
    /// repository is filled in.
    pub installation: Option<Installation>,
}

/// The configuration repositories of a tenant and its products.
///
/// What was read is cached for the lifetime of this object, so make a new one for each
/// configuration of the provider.
#[derive(Debug)]
pub struct Repositories {
    gitlab: GitLab,
    options: Options,
    graph: WaitGraph,
    tenant: Arc<Tenant>,
    queues: Mutex<HashMap<u64, Arc<Queue>>>,
}

impl Repositories {
    /// Makes the object; nothing is sent.
    pub fn new(gitlab: GitLab, options: Options, graph: WaitGraph) -> Self {
        let (repository, installation) = (
            options.tenant_repository.clone(),
            options.installation.clone(),
        );
        let tenant = Tenant::new(gitlab.clone(), repository, installation);
        Self {
            gitlab,
            options,
            graph,
            tenant: Arc::new(tenant),
            queues: Mutex::default(),
        }
    }

    /// Returns the repository of a product. `project` is the number of its `default.project`.
    pub fn product(&self, product: ProductId, project: u64) -> Repository {
        let branch = || {
            let name = self.options.branch.clone();
            let layout = layout::Repository::Product(product);
            Arc::new(BranchCache::new(self.gitlab.clone(), project, name, layout))
        };
        self.repository(project, branch, Some(Arc::clone(&self.tenant)))
    }

    /// Returns the tenant's repository; `None` if the configuration names none, or one that is yet to be created.
    pub async fn tenant(&self) -> Result<Option<Repository>, Error> {
        let branch = self.tenant.branch().await?;
        Ok(branch.map(|branch| self.repository(branch.project, || Arc::clone(branch), None)))
    }

    /// Returns the tenant's repository, after creating it if it is missing and the configuration wants that;
    /// `None` if the configuration names none.
    pub async fn ensure_tenant(&self) -> Result<Option<Repository>, Error> {
        let branch = self.tenant.ensure_branch().await?;
        Ok(branch.map(|branch| self.repository(branch.project, || Arc::clone(branch), None)))
    }

    /// Returns the repositories of products that were used so far.
    pub fn products(&self) -> Vec<Repository> {
        let queues = self.queues();
        let of_products = queues
            .values()
            .filter(|queue| queue.branch.layout.product().is_some());
        of_products
            .map(|queue| Repository::new(Arc::clone(queue)))
            .collect()
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<u64, Arc<Queue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn repository(
        &self,
        project: u64,
        branch: impl FnOnce() -> Arc<BranchCache>,
        tenant: Option<Arc<Tenant>>,
    ) -> Repository {
        let mut queues = self.queues();
        let queue = queues.entry(project).or_insert_with(|| {
            let inputs = ValidationInputs {
                tenant,
                tenant_name: self.options.tenant.as_deref().map(Arc::from),
                nautes_reconciles: self.options.nautes_reconciles,
            };
            Arc::new(Queue::new(
                branch(),
                self.options.commit.clone(),
                inputs,
                self.graph.clone(),
            ))
        });
        Repository::new(Arc::clone(queue))
    }
}
