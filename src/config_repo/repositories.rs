//! All configuration repositories that one provider instance works on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use nautes_model::ProductId;
use nautes_model::layout;

use crate::backends::gitlab::GitLab;

use super::error::Error;
use super::queue::Queue;
use super::remote::Remote;
use super::repository::Repository;
use super::run::Author;
use super::surroundings::{Surroundings, Tenant, TenantRepository};
use super::traffic::Traffic;

/// How configuration repositories are worked on.
#[derive(Clone, Debug)]
pub struct Options {
    /// The branch of products' repositories.
    pub branch: String,
    /// Who commits are by.
    pub author: Author,
    /// The tenant's repository; without it there are no clusters, and rules about them are not
    /// checked.
    pub tenant_repository: Option<TenantRepository>,
    /// The tenant's name.
    pub tenant: Option<String>,
    /// Whether Nautes's own operators make the objects in clusters.
    pub nautes_reconciles: bool,
}

/// The configuration repositories of a tenant and its products.
///
/// What was read is kept as long as this object, so make a new one for each configuration of the
/// provider.
#[derive(Debug)]
pub struct Repositories {
    gitlab: GitLab,
    options: Options,
    tenant: Arc<Tenant>,
    traffic: Arc<Traffic>,
    queues: Mutex<HashMap<u64, Arc<Queue>>>,
}

impl Repositories {
    /// Makes the object; nothing is sent.
    pub fn new(gitlab: GitLab, options: Options) -> Self {
        let tenant = Arc::new(Tenant::new(
            gitlab.clone(),
            options.tenant_repository.clone(),
        ));
        Self {
            gitlab,
            options,
            tenant,
            traffic: Arc::default(),
            queues: Mutex::default(),
        }
    }

    /// Opens the repository of a product for a request. `project` is the number of its
    /// `default.project`.
    pub fn open(&self, product: ProductId, project: u64) -> Repository {
        let remote = || {
            let branch = self.options.branch.clone();
            let layout = layout::Repository::Product(product);
            Arc::new(Remote::new(self.gitlab.clone(), project, branch, layout))
        };
        Repository::open(self.queue(project, remote, Some(Arc::clone(&self.tenant))))
    }

    /// Opens the tenant's repository for a request; none if the configuration names none.
    pub async fn open_tenant(&self) -> Result<Option<Repository>, Error> {
        let Some(remote) = self.tenant.remote().await? else {
            return Ok(None);
        };
        let queue = self.queue(remote.project, || Arc::clone(remote), None);
        Ok(Some(Repository::open(queue)))
    }

    fn queue(
        &self,
        project: u64,
        remote: impl FnOnce() -> Arc<Remote>,
        tenant: Option<Arc<Tenant>>,
    ) -> Arc<Queue> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(project).or_insert_with(|| {
            let surroundings = Surroundings {
                tenant,
                tenant_name: self.options.tenant.as_deref().map(Arc::from),
                nautes_reconciles: self.options.nautes_reconciles,
            };
            Arc::new(Queue::new(
                remote(),
                self.options.author.clone(),
                surroundings,
                Arc::clone(&self.traffic),
            ))
        });
        Arc::clone(queue)
    }
}
