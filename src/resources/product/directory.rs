//! Which product a reference means, and where its configuration repository is.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nautes_model::ProductId;
use nautes_model::reference::ProductReference;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::value::Path;

use super::config_repository;
use super::resource::read_group;
use crate::backends::gitlab::{Group, Project};
use crate::diagnostics::Attempted as _;
use crate::provider::Client;

/// The products that this process has come across.
#[derive(Debug, Default)]
pub(crate) struct Products(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    ids_by_name: HashMap<String, ProductId>,
    config_projects: HashMap<ProductId, ConfigProject>,
    /// Held while a product is looked up, so that one look-up serves all who ask.
    look_ups: HashMap<ProductId, Arc<tokio::sync::Mutex<()>>>,
    /// Groups that a creation of this process has made or taken over.
    claimed: HashSet<u64>,
}

/// What was found when the configuration repository of a product was looked for.
///
/// GitLab still answers for what is marked for deletion, so that a project's number alone proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConfigProject {
    /// The number of its project.
    At(u64),
    /// It, or its product, is gone.
    Gone,
}

impl ConfigProject {
    fn of(project: Option<&Project>) -> Self {
        project.map_or(Self::Gone, |project| Self::At(project.id))
    }

    fn number(self) -> Option<u64> {
        match self {
            Self::At(project) => Some(project),
            Self::Gone => None,
        }
    }
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
    pub(crate) fn remember(
        &self,
        client: &Client,
        group: &Group,
        config_project: Option<&Project>,
    ) {
        let mut known = self.known();
        let id = ProductId::new(group.id);
        known.ids_by_name.retain(|_, known| *known != id);
        // A product elsewhere, which an import may bring, has no name among this provider's.
        if client.product_path(&group.path) == group.full_path {
            known.ids_by_name.insert(group.path.clone(), id);
        }
        known
            .config_projects
            .insert(id, ConfigProject::of(config_project));
    }

    /// Notes that a product is gone. Its repositories may still be readable: GitLab keeps them until the recovery period
    /// is over.
    pub(crate) fn note_gone(&self, id: ProductId) {
        let mut known = self.known();
        known.ids_by_name.retain(|_, known| *known != id);
        known.config_projects.insert(id, ConfigProject::Gone);
    }

    /// Forgets where the configuration repository of a product is.
    pub(crate) fn forget_config_project(&self, id: ProductId) {
        self.known().config_projects.remove(&id);
    }

    /// Returns what this process knows of the project of a product's configuration repository.
    pub(crate) fn known_config_project(&self, id: ProductId) -> Option<ConfigProject> {
        self.known().config_projects.get(&id).copied()
    }

    /// Returns the project of a product's configuration repository, looked up once per process; none if it, or the product,
    /// is gone.
    pub(crate) async fn config_project(
        &self,
        client: &Client,
        id: ProductId,
    ) -> Result<Option<u64>, Diagnostics> {
        let look_up = Arc::clone(self.known().look_ups.entry(id).or_default());
        let _one_at_a_time = look_up.lock().await;
        if let Some(known) = self.known_config_project(id) {
            return Ok(known.number());
        }
        let Some(group) = read_group(client, id.number()).await? else {
            self.note_gone(id);
            return Ok(None);
        };
        let project = config_repository::find(client, &group).await?;
        self.remember(client, &group, project.as_ref());
        Ok(project.map(|project| project.id))
    }

    /// Returns the id that a reference means, as far as this process knows.
    pub(crate) fn known_id(&self, reference: &str) -> Option<ProductId> {
        match parse(reference).ok()? {
            ProductReference::Id(id) => Some(id),
            ProductReference::Name(name) => self.known().ids_by_name.get(&name).copied(),
        }
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
