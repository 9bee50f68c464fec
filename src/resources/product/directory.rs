//! Which product a reference means, and where its configuration repository is.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::ProductId;
use nautes_model::reference::ProductReference;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;
use tokio::sync::OwnedMutexGuard;

use super::config_repository;
use super::group::read_group;
use crate::backends::gitlab::{Group, Project};
use crate::diagnostics::Attempted as _;
use crate::provider::Client;

/// The products that this process has come across.
#[derive(Debug, Default)]
pub(crate) struct Products(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    ids_by_name: HashMap<String, ProductId>,
    /// What was found of each product; none of one that is gone.
    found: HashMap<ProductId, Option<Arc<Found>>>,
    /// Held while a product is looked up, so that one look-up serves all who ask.
    look_ups: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    /// Groups that a creation of this process has made or taken over.
    claimed: HashSet<u64>,
}

/// A product as GitLab has it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) group: Group,
    /// The project of its configuration repository; none if that is gone.
    ///
    /// GitLab still answers for what is marked for deletion, so that a project's number alone proves nothing.
    pub(crate) config_project: Option<Project>,
}

/// A product with its configuration repository's project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) id: ProductId,
    pub(crate) config_project: u64,
}

impl Products {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what was found of a product.
    pub(crate) fn remember(
        &self,
        client: &Client,
        group: &Group,
        config_project: Option<&Project>,
    ) -> Arc<Found> {
        let mut known = self.known();
        let id = ProductId::new(group.id);
        known.ids_by_name.retain(|_, known| *known != id);
        // A product elsewhere, which an import may bring, has no name among this provider's.
        if client.product_path(&group.path) == group.full_path {
            known.ids_by_name.insert(group.path.clone(), id);
        }
        let found = Arc::new(Found {
            group: group.clone(),
            config_project: config_project.cloned(),
        });
        known.found.insert(id, Some(Arc::clone(&found)));
        found
    }

    /// Notes that a product is gone. Its repositories may still be readable: GitLab keeps them until the recovery period
    /// is over.
    pub(crate) fn note_gone(&self, id: ProductId) {
        let mut known = self.known();
        known.ids_by_name.retain(|_, known| *known != id);
        known.found.insert(id, None);
    }

    /// Forgets what was found of a product.
    pub(crate) fn forget(&self, id: ProductId) {
        self.known().found.remove(&id);
    }

    /// Returns a product as it was when this process first looked, with its configuration repository; none if it is gone.
    pub(crate) async fn look_up(
        &self,
        client: &Client,
        id: ProductId,
    ) -> Result<Option<Arc<Found>>, Diagnostics> {
        let _one_at_a_time = self.turn(&id.to_string()).await;
        let known = self.known().found.get(&id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let Some(group) = read_group(client, id.number()).await? else {
            self.note_gone(id);
            return Ok(None);
        };
        let config_project = config_repository::find(client, &group).await?;
        Ok(Some(self.remember(client, &group, config_project.as_ref())))
    }

    /// Waits until nobody else looks a product up.
    async fn turn(&self, reference: &str) -> OwnedMutexGuard<()> {
        let look_up = self
            .known()
            .look_ups
            .entry(reference.to_owned())
            .or_default()
            .clone();
        look_up.lock_owned().await
    }

    /// Returns the number of the project of a product's configuration repository; none if it, or the product, is gone.
    pub(crate) async fn config_project(
        &self,
        client: &Client,
        id: ProductId,
    ) -> Result<Option<u64>, Diagnostics> {
        let found = self.look_up(client, id).await?;
        Ok(found.and_then(|found| found.config_project.as_ref().map(|project| project.id)))
    }

    /// Tells whether this process has looked a product up.
    pub(crate) fn is_known(&self, id: ProductId) -> bool {
        self.known().found.contains_key(&id)
    }

    /// Notes that a creation of this process owns a group; `false` if another one does already.
    pub(crate) fn claim(&self, group: u64) -> bool {
        self.known().claimed.insert(group)
    }

    /// Tells whether a creation of this process owns a group.
    pub(crate) fn is_claimed(&self, group: u64) -> bool {
        self.known().claimed.contains(&group)
    }

    /// Returns the id of the product that a reference means; an error is on the attribute `product`.
    pub(crate) async fn id_of(
        &self,
        client: &Client,
        reference: &str,
    ) -> Result<ProductId, Diagnostics> {
        let name = match parse(reference)? {
            ProductReference::Id(id) => return Ok(id),
            ProductReference::Name(name) => name,
        };
        let _one_at_a_time = self.turn(&name).await;
        let known = self.known().ids_by_name.get(&name).copied();
        if let Some(id) = known {
            return Ok(id);
        }
        let at_product = |found: Diagnostics| found.at(&Path::to("product"));
        let path = client.product_path(&name);
        let group = client.gitlab()?.group(path.as_str()).await;
        let group = group
            .attempted(format!(
                "find the product {name} as the GitLab group {path}"
            ))
            .map_err(at_product)?;
        if group.is_marked_for_deletion() {
            return Err(gone(reference));
        }
        let config_project = config_repository::find(client, &group).await;
        self.remember(client, &group, config_project.map_err(at_product)?.as_ref());
        let id = ProductId::new(group.id);
        self.known().ids_by_name.insert(name, id);
        Ok(id)
    }

    /// Returns a product with its configuration repository; an error is on the attribute `product`.
    pub(crate) async fn locate(
        &self,
        client: &Client,
        reference: &str,
    ) -> Result<Located, Diagnostics> {
        let id = self.id_of(client, reference).await?;
        let at_product = |found: Diagnostics| found.at(&Path::to("product"));
        if let Some(config_project) = self.config_project(client, id).await.map_err(at_product)? {
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
}

fn parse(reference: &str) -> Result<ProductReference, Diagnostics> {
    reference.parse().map_err(|error| {
        let text = format!("{reference:?} is not a reference to a product: {error}.");
        Diagnostic::error("Invalid reference", text)
            .at(&Path::to("product"))
            .into()
    })
}

fn gone(reference: &str) -> Diagnostics {
    Diagnostic::error(
        format!("The product {reference} does not exist any more"),
        "Its GitLab group is marked for deletion. Restore the group in GitLab, or refer to another product.",
    )
    .at(&Path::to("product"))
    .into()
}
