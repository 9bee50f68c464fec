//! Which product a reference means, and where its configuration repository is.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::ProductId;
use nautes_model::reference::ProductReference;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;
use tokio::sync::{OnceCell, OwnedMutexGuard};

use super::config_repository;
use crate::backends::gitlab::{CurrentUser, Error, GitLab, Group, Project};
use crate::diagnostics::gitlab_error;
use crate::moment::to_milliseconds;
use crate::wait_graph::{Awaited, Next, Request, Target};

/// The products that this process has looked up.
#[derive(Debug)]
pub(crate) struct Products {
    pub(super) gitlab: GitLab,
    /// The full path of the group that products are in; `None` for the top level.
    pub(super) parent_path: Option<String>,
    pub(super) parent_group: OnceCell<Option<Group>>,
    /// The owner of the token.
    pub(super) user: OnceCell<CurrentUser>,
    /// Whether that owner acts as an administrator.
    pub(super) is_administrator: OnceCell<bool>,
    /// A sentence that names the products that exist, once an error has needed it.
    pub(super) existing: OnceCell<String>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    ids_by_name: HashMap<String, ProductId>,
    /// Products by id; `None` for one that is gone.
    products: HashMap<ProductId, Option<Arc<Product>>>,
    /// Locked during a look-up, so that concurrent callers share it.
    look_ups: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    /// The full paths by which products were last known.
    full_paths: HashMap<ProductId, String>,
    /// The web pages that states have of products, or of repositories in them.
    web_urls: HashMap<ProductId, String>,
    /// When the groups were created that are marked for deletion.
    marked: HashMap<ProductId, String>,
    /// The products that this process has deleted.
    deleted: HashSet<ProductId>,
    /// The configuration repositories that were confirmed by number, without their products.
    confirmed: HashMap<ProductId, u64>,
}

/// A product in GitLab.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) group: Group,
    /// The project of its configuration repository; `None` if that is gone.
    ///
    /// GitLab still answers for what is marked for deletion, so a project's number proves nothing.
    pub(crate) config_project: Option<Project>,
}

/// A product with the number of its configuration repository's project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) id: ProductId,
    pub(crate) config_project: u64,
}

impl Products {
    pub(crate) fn new(gitlab: GitLab, parent_path: Option<String>) -> Self {
        Self {
            gitlab,
            parent_path,
            parent_group: OnceCell::new(),
            user: OnceCell::new(),
            is_administrator: OnceCell::new(),
            existing: OnceCell::new(),
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a product as it is in GitLab now.
    pub(crate) fn record(&self, group: &Group, config_project: Option<&Project>) -> Arc<Product> {
        let mut known = self.known();
        let id = ProductId::new(group.id);
        known.ids_by_name.retain(|_, known| *known != id);
        // An imported product may be in another group; then it has no name here.
        if self.full_path(&group.path) == group.full_path {
            known.ids_by_name.insert(group.path.clone(), id);
        }
        let product = Arc::new(Product {
            group: group.clone(),
            config_project: config_project.cloned(),
        });
        known.products.insert(id, Some(Arc::clone(&product)));
        known.confirmed.remove(&id);
        product
    }

    /// Records that this process has deleted a product, although GitLab may still answer for its
    /// projects until the recovery period is over.
    pub(crate) fn record_deleted(&self, id: ProductId) {
        self.known().deleted.insert(id);
        self.record_gone(id);
    }

    /// Whether this process has deleted a product.
    pub(super) fn is_deleted(&self, id: ProductId) -> bool {
        self.known().deleted.contains(&id)
    }

    /// Records when a group was created that is marked for deletion.
    pub(super) fn record_marked(&self, group: &Group) {
        let (id, created_at) = (ProductId::new(group.id), group.created_at.clone());
        self.known().marked.insert(id, created_at);
    }

    /// When the group of a product was created, if GitLab was found to have it marked for deletion.
    pub(crate) fn marked_group_created_at(&self, id: ProductId) -> Option<String> {
        self.known().marked.get(&id).cloned()
    }

    fn record_gone(&self, id: ProductId) {
        let mut known = self.known();
        known.ids_by_name.retain(|_, known| *known != id);
        known.products.insert(id, None);
        known.confirmed.remove(&id);
    }

    /// Records the full path by which a product was last known, which helps to tell whether it is
    /// gone.
    pub(crate) fn record_full_path(&self, id: ProductId, full_path: &str) {
        let mut known = self.known();
        known.full_paths.insert(id, full_path.to_owned());
    }

    /// The full path by which a product was last known.
    pub(super) fn last_full_path(&self, id: ProductId) -> Option<String> {
        self.known().full_paths.get(&id).cloned()
    }

    /// Records the web page that a state has of a product, or of a repository in it, which tells the
    /// GitLab that the state belongs to from others. A product that was gone without knowing that is
    /// looked up again.
    pub(crate) fn record_web_url(&self, id: ProductId, web_url: &str) {
        let mut known = self.known();
        let former = known.web_urls.insert(id, web_url.to_owned());
        let is_gone = matches!(known.products.get(&id), Some(None));
        if former.is_none() && is_gone && !known.deleted.contains(&id) {
            known.products.remove(&id);
        }
    }

    /// The web page that a state has of a product, or of a repository in it.
    pub(super) fn web_url(&self, id: ProductId) -> Option<String> {
        self.known().web_urls.get(&id).cloned()
    }

    /// Forgets a product, so that it is looked up again.
    pub(crate) fn forget(&self, id: ProductId) {
        let mut known = self.known();
        known.products.remove(&id);
        known.confirmed.remove(&id);
    }

    /// Returns the id of the product that a reference means, as far as this process knows it.
    pub(crate) fn known_id(&self, reference: &str) -> Option<ProductId> {
        match reference.parse().ok()? {
            ProductReference::Id(id) => Some(id),
            ProductReference::Name(name) => self.known().ids_by_name.get(&name).copied(),
        }
    }

    /// Returns a product if this process has looked it up already.
    pub(crate) fn cached(&self, id: ProductId) -> Option<Arc<Product>> {
        self.known().products.get(&id).cloned().flatten()
    }

    /// Returns a product as this process first saw or last changed it; `None` if it is gone.
    pub(crate) async fn get(&self, id: ProductId) -> Result<Option<Arc<Product>>, Diagnostics> {
        let _lock = self.lock_look_up(&id.to_string()).await;
        let cached = self.known().products.get(&id).cloned();
        if let Some(cached) = cached {
            return Ok(cached);
        }
        let Some(group) = self.read_group(id).await? else {
            self.record_gone(id);
            return Ok(None);
        };
        let config_project = self.find_config_repository(&group).await?;
        Ok(Some(self.record(&group, config_project.as_ref())))
    }

    /// Returns whether a project is still the configuration repository of a product, which one call
    /// tells unless this process knows the product. `created_at`, in milliseconds since 1970, tells
    /// the project from another one with its number.
    pub(crate) async fn confirm_config_project(
        &self,
        id: ProductId,
        project: u64,
        created_at: i64,
    ) -> Result<bool, Diagnostics> {
        let _lock = self.lock_look_up(&id.to_string()).await;
        {
            let known = self.known();
            let confirmed = known.confirmed.get(&id).copied();
            if known.products.contains_key(&id) || confirmed.is_some() {
                return Ok(confirmed == Some(project));
            }
        }
        let found = match self.gitlab.project(project).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => {
                let attempt = format!("read the GitLab project {project}");
                return Err(gitlab_error(attempt, &error).into());
            }
        };
        let is_same = config_repository::is_of(&found, id.number())
            && found.path == config_repository::NAME
            && to_milliseconds(&found.created_at) == Some(created_at);
        if is_same {
            self.known().confirmed.insert(id, project);
        }
        Ok(is_same)
    }

    async fn lock_look_up(&self, reference: &str) -> OwnedMutexGuard<()> {
        let look_up = {
            let mut known = self.known();
            let look_up = known.look_ups.entry(reference.to_owned()).or_default();
            Arc::clone(look_up)
        };
        look_up.lock_owned().await
    }

    /// Returns the number of the project of a product's configuration repository; `None` if it, or
    /// the product, is gone.
    pub(crate) async fn config_project(&self, id: ProductId) -> Result<Option<u64>, Diagnostics> {
        let product = self.get(id).await?;
        Ok(product.and_then(|product| product.config_project.as_ref().map(|project| project.id)))
    }

    /// Returns the id of the product that a reference means; an error is on the attribute
    /// `product`.
    pub(crate) async fn resolve(&self, reference: &str) -> Result<ProductId, Diagnostics> {
        match parse(reference)? {
            ProductReference::Id(id) => Ok(id),
            ProductReference::Name(name) => match self.find(&name).await? {
                Ok(id) => Ok(id),
                Err(error) => Err(self.not_found(&name, &error).await),
            },
        }
    }

    /// Finds a product by its name. The inner error is a 404.
    async fn find(&self, name: &str) -> Result<Result<ProductId, Error>, Diagnostics> {
        let _lock = self.lock_look_up(name).await;
        let cached = self.known().ids_by_name.get(name).copied();
        if let Some(id) = cached {
            return Ok(Ok(id));
        }
        let path = self.full_path(name);
        let group = match self.gitlab.group(path.as_str()).await {
            Ok(group) => group,
            Err(error) if error.is_not_found() => return Ok(Err(error)),
            Err(error) => {
                let attempt = format!("find the product {name} as the GitLab group {path}");
                return Err(gitlab_error(attempt, &error)
                    .at(&Path::to("product"))
                    .into());
            }
        };
        if group.is_marked_for_deletion() {
            return Err(marked_for_deletion(name));
        }
        let config_project = self.find_config_repository(&group).await;
        let config_project = config_project.map_err(at_product)?;
        let id = ProductId::new(group.id);
        // A creation that went on meanwhile has recorded more.
        if config_project.is_some() || self.cached(id).is_none() {
            self.record(&group, config_project.as_ref());
        }
        self.known().ids_by_name.insert(name.to_owned(), id);
        Ok(Ok(id))
    }

    async fn not_found(&self, name: &str, error: &Error) -> Diagnostics {
        let path = self.full_path(name);
        let attempt = format!("find the product {name} as the GitLab group {path}");
        let mut diagnostic = gitlab_error(attempt, error).at(&Path::to("product"));
        diagnostic.detail.push_str(self.existing().await);
        diagnostic.into()
    }

    /// Returns the product that a reference means, with its configuration repository; an error is
    /// on the attribute `product`.
    ///
    /// A product that another request is about to create, or to give this name, is waited for.
    pub(crate) async fn locate(
        &self,
        request: &Request,
        reference: &str,
    ) -> Result<Located, Diagnostics> {
        let id = match parse(reference)? {
            ProductReference::Id(id) => id,
            ProductReference::Name(name) => self.wait_for(request, &name).await?,
        };
        if let Some(config_project) = self.config_project(id).await.map_err(at_product)? {
            return Ok(Located { id, config_project });
        }
        let name = config_repository::NAME;
        Err(Diagnostic::error(
            format!("The product {reference} has no configuration repository"),
            format!("The GitLab group of {id}, or its project {name}, does not exist, is marked for deletion, or cannot be seen by the owner of the provider argument gitlab.token. If the product is managed by Terraform, apply its nautes_product, which makes the project again."),
        )
        .at(&Path::to("product"))
        .into())
    }

    async fn wait_for(&self, request: &Request, name: &str) -> Result<ProductId, Diagnostics> {
        let path = Target::ProductPath(name.to_owned());
        let mut wait = request.wait_for([Awaited::Target(path.clone())]);
        loop {
            if let Ok(id) = self.find(name).await? {
                let config_project = self.config_project(id).await.map_err(at_product)?;
                if config_project.is_some() || !request.is_contended(&path) {
                    return Ok(id);
                }
                // Its creation has made the group, and not yet the configuration repository.
                self.forget(id);
            }
            if wait.next().await != Next::Retry {
                return match self.find(name).await? {
                    Ok(id) => Ok(id),
                    Err(error) => Err(self.not_found(name, &error).await),
                };
            }
        }
    }
}

fn at_product(found: Diagnostics) -> Diagnostics {
    found.at(&Path::to("product"))
}

fn parse(reference: &str) -> Result<ProductReference, Diagnostics> {
    reference.parse().map_err(|error| {
        let detail = format!("{reference:?} is not a reference to a product: {error}.");
        Diagnostic::error("Invalid reference", detail)
            .at(&Path::to("product"))
            .into()
    })
}

fn marked_for_deletion(name: &str) -> Diagnostics {
    Diagnostic::error(
        format!("The product {name} does not exist any more"),
        "Its GitLab group is marked for deletion. Restore the group in GitLab, or refer to another product.",
    )
    .at(&Path::to("product"))
    .into()
}
