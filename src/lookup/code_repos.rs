//! The code repositories that this process has looked up.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use tokio::sync::OnceCell;

use super::Products;
use crate::backends::gitlab::{GitLab, Project};
use crate::config_repo::Repositories;
use crate::diagnostics::Context as _;
use crate::moment::is_same_moment;
use crate::wait_graph::{Awaited, Next, Request, Target};

/// The code repositories that this process has looked up.
#[derive(Debug)]
pub(crate) struct CodeRepos {
    gitlab: GitLab,
    products: Arc<Products>,
    repositories: Arc<Repositories>,
    known: Mutex<Known>,
}

type Listing = Arc<OnceCell<HashMap<u64, Project>>>;

#[derive(Debug, Default)]
struct Known {
    /// The projects of each product's group, listed once for all refreshes.
    listings: HashMap<ProductId, Listing>,
    /// The repositories that creations of this process have made or adopted, with their names.
    created: HashMap<RepositoryId, (ProductId, String)>,
    /// The repositories whose destroy in this process has kept their GitLab projects.
    kept: HashSet<RepositoryId>,
}

impl CodeRepos {
    pub(crate) fn new(
        gitlab: GitLab,
        products: Arc<Products>,
        repositories: Arc<Repositories>,
    ) -> Self {
        Self {
            gitlab,
            products,
            repositories,
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the GitLab project of a repository, which may be marked for deletion; `None` if there is
    /// none.
    ///
    /// The projects of the product's group are listed once for all callers.
    pub(crate) async fn project(
        &self,
        product: ProductId,
        id: RepositoryId,
    ) -> Result<Option<Project>, Diagnostics> {
        let listing = self.listing(product).await?;
        let listed = listing.get();
        match listed.and_then(|listed| listed.get(&id.number())) {
            Some(project) if project.namespace.id == product.number() => Ok(Some(project.clone())),
            _ => self.read_project(product, id).await,
        }
    }

    /// Returns the project of a path in a product's group, from the same list; `None` if there is
    /// none that the owner of the token can see.
    pub(crate) async fn find_named(
        &self,
        product: ProductId,
        name: &str,
    ) -> Result<Option<Project>, Diagnostics> {
        let projects = self.projects(product).await?;
        let named = projects.into_iter().find(|project| project.path == name);
        Ok(named.filter(|project| !project.is_marked_for_deletion()))
    }

    /// Returns the projects of a product's group, from the same list.
    pub(crate) async fn projects(&self, product: ProductId) -> Result<Vec<Project>, Diagnostics> {
        let listing = self.listing(product).await?;
        let listed = listing.get().into_iter().flat_map(HashMap::values);
        let of_group = listed.filter(|project| project.namespace.id == product.number());
        Ok(of_group.cloned().collect())
    }

    async fn listing(&self, product: ProductId) -> Result<Listing, Diagnostics> {
        let listing = Arc::clone(self.known().listings.entry(product).or_default());
        let list = async || {
            let projects = self.gitlab.group_projects(product.number()).await;
            let projects = projects.with_context(|| format!("list the projects of {product}"))?;
            let by_id = projects.into_iter().map(|project| (project.id, project));
            Ok::<_, Diagnostics>(by_id.collect())
        };
        listing.get_or_try_init(list).await?;
        Ok(listing)
    }

    /// Reads the GitLab project of a repository, which may be marked for deletion; `None` if there is
    /// none, which a 404 alone does not prove.
    pub(crate) async fn read_project(
        &self,
        product: ProductId,
        id: RepositoryId,
    ) -> Result<Option<Project>, Diagnostics> {
        let attempt = format!("read the GitLab project {}", id.number());
        match self.gitlab.project(id.number()).await {
            Ok(project) if project.namespace.id != product.number() => {
                let path = &project.path_with_namespace;
                let detail = format!(
                    "It is {path} now, outside of the group of {product}. Move it back in GitLab, or take it out of the state: terraform state rm <address>."
                );
                let summary = format!("The GitLab project of {id} was moved to another group");
                Err(Diagnostic::error(summary, detail).into())
            }
            Ok(project) => Ok(Some(project)),
            Err(error) if error.is_not_found() => {
                let what = format!("the GitLab project of {id}");
                self.products.require_this_gitlab(product, &what).await?;
                if let Some(group) = self.products.read_group(product).await? {
                    self.products.confirm_gone_from(&group, &what).await?;
                }
                Ok(None)
            }
            Err(error) => Err(error).context(attempt),
        }
    }

    /// Whether a project that is gone from its product's group is gone for certain: GitLab still shows
    /// it, marked for deletion or with its group, or hides nothing from the owner of the token. Otherwise
    /// it may have been moved to where that owner sees nothing. A project that was created at another
    /// moment than `created_at` is another one.
    pub(crate) async fn is_certainly_gone(
        &self,
        id: RepositoryId,
        created_at: Option<&str>,
    ) -> Result<bool, Diagnostics> {
        let attempt = || format!("find out whether the GitLab project of {id} is gone");
        match self.gitlab.project(id.number()).await {
            Ok(project) => Ok(created_at.is_none_or(|it| is_same_moment(it, &project.created_at))),
            Err(error) if error.is_not_found() => {
                let is_administrator = self.gitlab.acts_as_administrator().await;
                is_administrator.with_context(attempt)
            }
            Err(error) => Err(error).with_context(attempt),
        }
    }

    /// Forgets the list of a product's projects, since one of them is about to change.
    pub(crate) fn forget_listing(&self, product: ProductId) {
        self.known().listings.remove(&product);
    }

    /// Records the name of a repository that this process has created.
    pub(crate) fn record_created(&self, product: ProductId, name: &str, id: RepositoryId) {
        let named = (product, name.to_owned());
        self.known().created.insert(id, named);
    }

    /// Forgets a repository that this process has created, and deleted again.
    pub(crate) fn forget_created(&self, id: RepositoryId) {
        self.known().created.remove(&id);
    }

    /// Records that the destroy of a repository has kept its GitLab project.
    pub(crate) fn record_kept(&self, id: RepositoryId) {
        self.known().kept.insert(id);
    }

    /// Whether the destroy of a repository in this process has kept its GitLab project.
    pub(crate) fn is_kept(&self, id: RepositoryId) -> bool {
        self.known().kept.contains(&id)
    }

    fn created_as(&self, product: ProductId, name: &str) -> Option<RepositoryId> {
        let known = self.known();
        let mut created = known.created.iter();
        let found = created.find(|(_, (of, named))| *of == product && named == name)?;
        Some(*found.0)
    }

    /// Returns the id of the repository of a name.
    ///
    /// With a request, a repository that another request is about to create, or to give this name,
    /// is waited for.
    pub(crate) async fn resolve(
        &self,
        request: Option<&Request>,
        product: ProductId,
        name: &str,
    ) -> Result<RepositoryId, Diagnostics> {
        let path = Target::CodeRepoPath(product, name.to_owned());
        let mut wait = request.map(|request| request.wait_for([Awaited::Target(path)]));
        let mut is_last_attempt = wait.is_none();
        loop {
            if let Some(id) = self.created_as(product, name) {
                return Ok(id);
            }
            let repositories = self.list(product).await?;
            // Of several, all but the newest are left from repositories that were deleted by hand.
            let named = repositories.iter().filter(|(_, other)| other == name);
            if let Some(id) = named.map(|(id, _)| *id).max() {
                return Ok(id);
            }
            match &mut wait {
                Some(wait) if !is_last_attempt => {
                    is_last_attempt = wait.next().await != Next::Retry;
                }
                _ => return Err(not_found(product, name, repositories)),
            }
        }
    }

    /// The repositories of a product with their names, by its manifests.
    async fn list(&self, product: ProductId) -> Result<Vec<(RepositoryId, String)>, Diagnostics> {
        let Some(config_project) = self.products.config_project(product).await? else {
            return Ok(Vec::new());
        };
        let repository = self.repositories.product(product, config_project);
        let snapshot = repository.snapshot().await;
        let snapshot =
            snapshot.with_context(|| format!("list the code repositories of {product}"))?;
        let repositories = snapshot.tree().code_repos();
        Ok(repositories
            .map(|repo| (repo.id, repo.repo_name.clone()))
            .collect())
    }
}

fn not_found(
    product: ProductId,
    name: &str,
    repositories: Vec<(RepositoryId, String)>,
) -> Diagnostics {
    let mut names: Vec<String> = repositories.into_iter().map(|(_, name)| name).collect();
    names.sort();
    let existing = match names.as_slice() {
        [] => "It has no code repositories yet".to_owned(),
        names => format!("Its code repositories are: {}", names.join(", ")),
    };
    let detail = format!("{product} has no code repository of this name. {existing}.");
    Diagnostic::error(format!("The code repository {name} does not exist"), detail).into()
}
