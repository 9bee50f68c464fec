//! The code repositories that this process has come across.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use tokio::sync::{Notify, OnceCell};
use tokio::time::timeout;

use super::moves::Moves;
use super::project;
use crate::backends::gitlab::Project;
use crate::config_repo::Repository;
use crate::diagnostics::Attempted as _;
use crate::provider::Client;
use crate::resources::manifest::place;

/// How long a repository of an unknown name is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The code repositories that this process has come across.
#[derive(Debug, Default)]
pub(crate) struct CodeRepos {
    known: Mutex<Known>,
    claims: Notify,
    moves: Moves,
}

type Listing = Arc<OnceCell<HashMap<u64, Project>>>;

#[derive(Debug, Default)]
struct Known {
    /// The projects of each product's group, listed once for all refreshes.
    listings: HashMap<ProductId, Listing>,
    /// The repositories that creations of this process have made or taken over.
    claimed: HashMap<RepositoryId, (ProductId, String)>,
}

impl CodeRepos {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The paths that requests of this run give up.
    pub(super) fn moves(&self) -> &Moves {
        &self.moves
    }

    /// Returns the GitLab project of a repository; `None` if it is gone.
    ///
    /// The projects of the product's group are listed once for all that ask.
    pub(crate) async fn project(
        &self,
        client: &Client,
        product: ProductId,
        id: RepositoryId,
    ) -> Result<Option<Project>, Diagnostics> {
        let listing = Arc::clone(self.known().listings.entry(product).or_default());
        let list = async || {
            let listed = client.gitlab()?.group_projects(product.number()).await;
            let listed = listed.attempted(format!("list the projects of {product}"))?;
            let by_id = listed.into_iter().map(|project| (project.id, project));
            Ok::<_, Diagnostics>(by_id.collect())
        };
        let listed = listing.get_or_try_init(list).await?;
        match listed.get(&id.number()) {
            Some(project) if project.namespace.id == product.number() => {
                Ok(Some(project.clone()).filter(|project| !project.is_marked_for_deletion()))
            }
            _ => project::read(client, product, id).await,
        }
    }

    /// Forgets the list of a product's projects, since one of them is about to change.
    pub(crate) fn forget_listing(&self, product: ProductId) {
        self.known().listings.remove(&product);
    }

    /// Notes that a creation of this process owns a repository; `false` if another one does already.
    pub(crate) fn claim(&self, product: ProductId, name: &str, id: RepositoryId) -> bool {
        let mut known = self.known();
        let is_new = known
            .claimed
            .insert(id, (product, name.to_owned()))
            .is_none();
        self.claims.notify_waiters();
        is_new
    }

    /// Tells whether a creation of this process owns a repository.
    pub(crate) fn is_claimed(&self, id: RepositoryId) -> bool {
        self.known().claimed.contains_key(&id)
    }

    fn claimed_as(&self, product: ProductId, name: &str) -> Option<RepositoryId> {
        let known = self.known();
        let mut claimed = known.claimed.iter();
        let found = claimed.find(|(_, (of, called))| *of == product && called == name)?;
        Some(*found.0)
    }

    /// Returns the id of the repository of a name; one that is about to be created is waited for.
    pub(crate) async fn id_of(
        &self,
        client: &Client,
        product: ProductId,
        name: &str,
    ) -> Result<RepositoryId, Diagnostics> {
        if let Some(id) = self.claimed_as(product, name) {
            return Ok(id);
        }
        let named = repositories(client, product).await?;
        // A repository that was deleted from outside may have left a manifest of the same name; the newest is alive.
        let ids = named.iter().filter(|(_, called)| called == name);
        if let Some(id) = ids.map(|(id, _)| *id).max() {
            return Ok(id);
        }
        let appears = async {
            loop {
                let next = self.claims.notified();
                if let Some(id) = self.claimed_as(product, name) {
                    return id;
                }
                next.await;
            }
        };
        timeout(PATIENCE, appears).await.map_err(|_| {
            let mut names: Vec<String> = named.into_iter().map(|(_, name)| name).collect();
            names.sort();
            let there = match names.as_slice() {
                [] => "It has none yet".to_owned(),
                names => format!("It has {}", names.join(", ")),
            };
            let text = format!("{product} has no code repository of this name. {there}.");
            Diagnostic::error(format!("The code repository {name} does not exist"), text).into()
        })
    }
}

/// The repositories of a product with their names, by its manifests.
async fn repositories(
    client: &Client,
    product: ProductId,
) -> Result<Vec<(RepositoryId, String)>, Diagnostics> {
    let attempt = format!("list the code repositories of {product}");
    let read = |_, repository: Repository| async move { repository.snapshot().await };
    let snapshot = place::read_in(client, product, &attempt, read).await?;
    let snapshot = snapshot
        .iter()
        .flat_map(|snapshot| snapshot.tree().code_repos());
    Ok(snapshot
        .map(|repo| (repo.id, repo.repo_name.clone()))
        .collect())
}
