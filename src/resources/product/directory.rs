//! Which product a reference means, and where its configuration repository is.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nautes_model::ProductId;
use nautes_model::reference::ProductReference;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::config_repository;
use crate::backends::gitlab::{Group, Project};
use crate::diagnostics::Attempted as _;
use crate::provider::Client;

/// The products that this process has come across.
#[derive(Debug, Default)]
pub(crate) struct Products(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    ids_by_name: HashMap<String, ProductId>,
    config_projects: HashMap<ProductId, u64>,
    /// Products that were looked for and are gone.
    gone: HashSet<ProductId>,
    /// Groups that a creation of this process has made or taken over.
    claimed: HashSet<u64>,
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

    /// Notes what is known of a product.
    pub(crate) fn remember(&self, group: &Group, config_project: Option<&Project>) {
        let mut known = self.known();
        let id = ProductId::new(group.id);
        known.ids_by_name.retain(|_, known| *known != id);
        known.ids_by_name.insert(group.path.clone(), id);
        known.gone.remove(&id);
        match config_project {
            Some(project) => known.config_projects.insert(id, project.id),
            None => known.config_projects.remove(&id),
        };
    }

    /// Notes that a product is gone, and forgets what was known of it.
    pub(crate) fn note_gone(&self, id: ProductId) {
        let mut known = self.known();
        known.ids_by_name.retain(|_, known| *known != id);
        known.config_projects.remove(&id);
        known.gone.insert(id);
    }

    /// Tells whether this process has found that a product is gone. Its repositories may still be readable: GitLab keeps
    /// them until the recovery period is over.
    pub(crate) fn is_gone(&self, id: ProductId) -> bool {
        self.known().gone.contains(&id)
    }

    /// Notes that a creation of this process owns a group; `false` if another one does already.
    pub(crate) fn claim(&self, group: u64) -> bool {
        self.known().claimed.insert(group)
    }

    /// Tells whether a creation of this process owns a group.
    pub(crate) fn is_claimed(&self, group: u64) -> bool {
        self.known().claimed.contains(&group)
    }

    /// Returns the number of the project of a product's configuration repository, if this process has come across it.
    pub(crate) fn config_project(&self, id: ProductId) -> Option<u64> {
        self.known().config_projects.get(&id).copied()
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
        if let Some(id) = self.known().ids_by_name.get(&name) {
            return Ok(*id);
        }
        let path = client.product_path(&name);
        let group = client.gitlab()?.group(path.as_str()).await;
        let group = group
            .attempted(format!(
                "find the product {name} as the GitLab group {path}"
            ))
            .map_err(|found| found.at(&Path::to("product")))?;
        if group.is_marked_for_deletion() {
            return Err(gone(reference));
        }
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
        if let Some(config_project) = self.config_project(id) {
            return Ok(Located { id, config_project });
        }
        let at_product = |found: Diagnostics| found.at(&Path::to("product"));
        let group = client.gitlab()?.group(id.number()).await;
        let group = group
            .attempted(format!("read the GitLab group of {id}"))
            .map_err(at_product)?;
        if group.is_marked_for_deletion() {
            return Err(gone(reference));
        }
        let project = config_repository::find(client, &group)
            .await
            .map_err(at_product)?;
        let Some(project) = project else {
            return Err(Diagnostic::error(
                format!("The product {reference} has no configuration repository"),
                format!(
                    "The GitLab group {} has no project {}. If the product is managed by Terraform, apply its nautes_product, which makes the project again.",
                    group.full_path,
                    config_repository::NAME
                ),
            )
            .at(&Path::to("product"))
            .into());
        };
        self.remember(&group, Some(&project));
        Ok(Located {
            id,
            config_project: project.id,
        })
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
