//! Where an entity's manifest is: kept beside the state, so that a refresh needs no look-up.

use nautes_model::ProductId;
use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;

use crate::backends::gitlab::Kind;
use crate::config_repo::{self, Repository, VerifiedAt};
use crate::provider::Client;
use crate::resources::refusal::explained;

const KEY: &str = "manifest";

/// The configuration repository that holds a manifest, and where the manifest was last verified in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The number of the configuration repository's project.
    pub(crate) project: u64,
    /// Where the manifest was last seen as the state says.
    #[serde(flatten)]
    pub(crate) verified: VerifiedAt,
}

impl Place {
    /// Returns what is kept; `None` after an import.
    pub(crate) fn of(private: &PrivateState) -> Option<Self> {
        private.get(KEY)
    }

    /// Keeps the place.
    pub(crate) fn keep(&self, private: &mut PrivateState) -> Result<(), Diagnostics> {
        private
            .set(KEY, self)
            .map_err(|error| Diagnostic::defect(error).into())
    }
}

/// Reads in the configuration repository of a product; `None` if the product or the repository is gone.
///
/// The product is looked up, once for all who read: what is marked for deletion still answers.
pub(crate) async fn read_in<T, F>(
    client: &Client,
    product: ProductId,
    attempt: &str,
    work: impl Fn(u64, Repository) -> F + Send,
) -> Result<Option<T>, Diagnostics>
where
    F: Future<Output = Result<T, config_repo::Error>> + Send,
{
    let project = client.products().config_project(client, product).await?;
    work_in(client, product, project, attempt, work).await
}

/// Changes the configuration repository of a product; `None` if the product or the repository is gone.
///
/// A refresh has just looked, so that the number of the repository's project is taken from what it has kept.
pub(crate) async fn change_in<T, F>(
    client: &Client,
    product: ProductId,
    kept: Option<&Place>,
    attempt: &str,
    work: impl Fn(u64, Repository) -> F + Send,
) -> Result<Option<T>, Diagnostics>
where
    F: Future<Output = Result<T, config_repo::Error>> + Send,
{
    let products = client.products();
    let project = match kept {
        Some(place) if !products.is_known(product) => Some(place.project),
        _ => products.config_project(client, product).await?,
    };
    work_in(client, product, project, attempt, work).await
}

async fn work_in<T, F>(
    client: &Client,
    product: ProductId,
    project: Option<u64>,
    attempt: &str,
    work: impl Fn(u64, Repository) -> F + Send,
) -> Result<Option<T>, Diagnostics>
where
    F: Future<Output = Result<T, config_repo::Error>> + Send,
{
    let repositories = client.config_repositories()?;
    let products = client.products();
    let Some(project) = project else {
        return Ok(None);
    };
    let mut done = work(project, repositories.open(product, project)).await;
    if done.as_ref().is_err_and(is_absent) {
        // It may have been made anew under another number.
        products.forget(product);
        let Some(project) = products.config_project(client, product).await? else {
            return Ok(None);
        };
        done = work(project, repositories.open(product, project)).await;
    }
    explained(client, product, attempt, done).await.map(Some)
}

fn is_absent(error: &config_repo::Error) -> bool {
    matches!(error, config_repo::Error::GitLab(error) if *error.kind() == Kind::NotFound)
}
