//! Where an entity's manifest is: kept beside the state, so that a refresh needs no look-up.

use nautes_model::ProductId;
use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;

use crate::backends::gitlab::Kind;
use crate::config_repo::{self, Repository, VerifiedAt};
use crate::diagnostics::Attempted as _;
use crate::provider::Client;

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

/// Does something in the configuration repository of a product; `None` if the product or the repository is gone.
///
/// A change takes the number of the repository's project from what is kept, since a refresh has just looked. A read
/// keeps nothing and so looks up the product, once for all reads: what is marked for deletion still answers.
pub(crate) async fn in_repository<T, F>(
    client: &Client,
    product: ProductId,
    kept: Option<&Place>,
    attempt: &str,
    work: impl Fn(u64, Repository) -> F + Send,
) -> Result<Option<T>, Diagnostics>
where
    F: Future<Output = Result<T, config_repo::Error>> + Send,
{
    let repositories = client.config_repositories()?;
    let products = client.products();
    let known = match (products.known_config_project(product), kept) {
        (None, Some(place)) => Some(place.project),
        _ => products.config_project(client, product).await?,
    };
    let Some(project) = known else {
        return Ok(None);
    };
    match work(project, repositories.open(product, project)).await {
        // It may have been made anew under another number.
        Err(error) if is_absent(&error) => products.forget_config_project(product),
        done => return done.attempted(attempt).map(Some),
    }
    let Some(project) = products.config_project(client, product).await? else {
        return Ok(None);
    };
    work(project, repositories.open(product, project))
        .await
        .attempted(attempt)
        .map(Some)
}

fn is_absent(error: &config_repo::Error) -> bool {
    matches!(error, config_repo::Error::GitLab(error) if *error.kind() == Kind::NotFound)
}
