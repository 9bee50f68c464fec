//! What the validation of a repository depends on besides that repository.

use std::sync::Arc;

use nautes_model::installation::Installation;
use nautes_model::layout::Repository;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::Context;
use tokio::sync::OnceCell;

use crate::backends::gitlab::{self, GitLab, Kind, NewProject, Project, Visibility};

use super::branch_cache::BranchCache;
use super::error::Error;
use super::snapshot::Snapshot;

/// Which repository is the tenant's.
#[derive(Clone, Debug)]
pub struct TenantRepository {
    /// The full path of its project.
    pub project: String,
    /// The branch.
    pub branch: String,
    /// Whether a missing one is created when a manifest is to be written.
    pub create: bool,
}

/// The repositories of other products that a change is validated against.
#[derive(Clone, Debug, Default)]
pub(super) struct OtherProducts(Vec<Arc<BranchCache>>);

impl OtherProducts {
    pub(super) fn new(branches: Vec<Arc<BranchCache>>) -> Self {
        Self(branches)
    }

    /// Adds those of others that are not among these.
    pub(super) fn extend(&mut self, others: &Self) {
        for branch in &others.0 {
            if !self.0.iter().any(|known| Arc::ptr_eq(known, branch)) {
                self.0.push(Arc::clone(branch));
            }
        }
    }
}

/// The tenant's repository, whose project is looked up when it is first needed.
#[derive(Debug)]
pub(super) struct Tenant {
    gitlab: GitLab,
    configured: Option<TenantRepository>,
    installation: Option<Installation>,
    branch: OnceCell<Arc<BranchCache>>,
}

impl Tenant {
    pub(super) fn new(
        gitlab: GitLab,
        configured: Option<TenantRepository>,
        installation: Option<Installation>,
    ) -> Self {
        Self {
            gitlab,
            configured,
            installation,
            branch: OnceCell::new(),
        }
    }

    /// The branch of the tenant's repository; `None` if the configuration names no repository, or one that
    /// does not exist and is yet to be created.
    pub(super) async fn branch(&self) -> Result<Option<&Arc<BranchCache>>, Error> {
        let Some(configured) = &self.configured else {
            return Ok(None);
        };
        let look_up = async || {
            let project = self.gitlab.project(configured.project.as_str()).await?;
            Ok::<_, gitlab::Error>(self.branch_of(configured, &project))
        };
        match self.branch.get_or_try_init(look_up).await {
            Err(error) if configured.create && error.is_not_found() => Ok(None),
            found => found.map(Some).map_err(|error| self.unreadable(error)),
        }
    }

    /// The same, after the repository was created if it is to be.
    pub(super) async fn ensure_branch(&self) -> Result<Option<&Arc<BranchCache>>, Error> {
        let Some(configured) = self.configured.as_ref().filter(|tenant| tenant.create) else {
            return self.branch().await;
        };
        let ensure = async || {
            let project = match self.gitlab.project(configured.project.as_str()).await {
                Err(error) if error.is_not_found() => self.create(configured, error).await,
                found => found,
            };
            Ok(self.branch_of(configured, &project?))
        };
        let ensured = self.branch.get_or_try_init(ensure).await;
        ensured.map(Some).map_err(|error| self.unreadable(error))
    }

    fn branch_of(&self, configured: &TenantRepository, project: &Project) -> Arc<BranchCache> {
        let (gitlab, name) = (self.gitlab.clone(), configured.branch.clone());
        let mut branch = BranchCache::new(gitlab, project.id, name, Repository::Tenant);
        branch.created_at = Some(project.created_at.clone());
        branch.installation = self.installation.clone().map(|installation| Installation {
            repository_url: project.ssh_url_to_repo.clone(),
            ..installation
        });
        Arc::new(branch)
    }

    /// Creates the project in its group, which must exist. `missing` is the error that it does not exist.
    async fn create(
        &self,
        configured: &TenantRepository,
        missing: gitlab::Error,
    ) -> Result<Project, gitlab::Error> {
        let Some((group, name)) = configured.project.rsplit_once('/') else {
            return Err(missing);
        };
        let group = self.gitlab.group(group).await?;
        let new = NewProject {
            name: name.to_owned(),
            path: name.to_owned(),
            namespace_id: group.id,
            description: "Clusters of the tenant".to_owned(),
            visibility: Visibility::Private,
            default_branch: Some(configured.branch.clone()),
            initialize_with_readme: true,
        };
        match self.gitlab.create_project(&new).await {
            // An earlier attempt, in this call or another process, may have made it.
            Err(error) if *error.kind() == Kind::Taken || error.may_have_happened() => {
                self.gitlab.project(configured.project.as_str()).await
            }
            created => created,
        }
    }

    async fn snapshot(&self) -> Result<Option<Arc<Snapshot>>, Error> {
        let Some(branch) = self.branch().await? else {
            return Ok(None);
        };
        let snapshot = branch.snapshot(&branch.cached()).await;
        snapshot.map(Some).map_err(|error| self.unreadable(error))
    }

    /// Reads the head again, if the repository was used at all.
    async fn refresh(&self) -> Result<(), Error> {
        if let Some(branch) = self.branch.get() {
            let refreshed = branch.refresh().await;
            refreshed.map_err(|error| self.unreadable(error))?;
        }
        Ok(())
    }

    fn unreadable(&self, error: gitlab::Error) -> Error {
        let project = self
            .configured
            .as_ref()
            .map(|tenant| tenant.project.clone());
        Error::Tenant {
            project: project.unwrap_or_default(),
            source: Arc::new(error),
        }
    }
}

/// Loads what the validation of one repository depends on.
#[derive(Clone, Debug)]
pub(super) struct ValidationInputs {
    /// The tenant's repository, whose clusters environments use; `None` for that repository itself.
    pub(super) tenant: Option<Arc<Tenant>>,
    /// The tenant's name.
    pub(super) tenant_name: Option<Arc<str>>,
    /// Whether Nautes's operators make the objects in clusters.
    pub(super) nautes_reconciles: bool,
}

/// What was loaded.
pub(super) struct LoadedInputs<'a> {
    inputs: &'a ValidationInputs,
    pub(super) clusters: Option<Arc<Snapshot>>,
    other_products: Vec<Arc<Snapshot>>,
}

impl ValidationInputs {
    /// Loads the inputs, from the caches as far as they are filled.
    pub(super) async fn load(&self, others: &OtherProducts) -> Result<LoadedInputs<'_>, Error> {
        let clusters = match &self.tenant {
            Some(tenant) => tenant.snapshot().await?,
            None => None,
        };
        let mut other_products = Vec::with_capacity(others.0.len());
        for branch in &others.0 {
            other_products.push(branch.snapshot(&branch.cached()).await?);
        }
        Ok(LoadedInputs {
            inputs: self,
            clusters,
            other_products,
        })
    }

    /// Reads the heads of the repositories again.
    pub(super) async fn refresh(&self, others: &OtherProducts) -> Result<(), Error> {
        if let Some(tenant) = &self.tenant {
            tenant.refresh().await?;
        }
        for branch in &others.0 {
            branch.refresh().await?;
        }
        Ok(())
    }
}

impl LoadedInputs<'_> {
    /// Calls a function with the context of the validation.
    pub(super) fn with_context<T>(&self, validate: impl FnOnce(&Context<'_>) -> T) -> T {
        let other_products: Vec<&ManifestTree> = self
            .other_products
            .iter()
            .map(|snapshot| snapshot.tree())
            .collect();
        validate(&Context {
            clusters: self.clusters.as_deref().map(Snapshot::tree),
            other_products: &other_products,
            tenant: self.inputs.tenant_name.as_deref(),
            nautes_reconciles: self.inputs.nautes_reconciles,
        })
    }
}
