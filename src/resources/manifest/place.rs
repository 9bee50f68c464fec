//! Where an entity's manifest is: kept beside the state, so that a refresh needs no look-up.

use nautes_model::ProductId;
use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;

use crate::backends::gitlab::Kind;
use crate::config_repo::{self, Repository, VerifiedAt};
use crate::diagnostics::Attempted as _;
use crate::provider::Client;
use crate::resources::product::config_repository;

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
/// The number of the repository's project is taken from what is kept or known. If that repository is not there any more,
/// it is looked up: it may have been made anew.
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
    if client.products().is_gone(product) {
        return Ok(None);
    }
    let repositories = client.config_repositories()?;
    let known = kept.map(|place| place.project);
    if let Some(project) = known.or_else(|| client.products().config_project(product)) {
        match work(project, repositories.open(product, project)).await {
            Err(error) if is_absent(&error) => {}
            done => return done.attempted(attempt).map(Some),
        }
    }
    let Some(project) = look_up(client, product).await? else {
        return Ok(None);
    };
    work(project, repositories.open(product, project))
        .await
        .attempted(attempt)
        .map(Some)
}

/// Returns the number of the project of a product's configuration repository; `None` if either is gone.
async fn look_up(client: &Client, product: ProductId) -> Result<Option<u64>, Diagnostics> {
    let gitlab = client.gitlab()?;
    let attempt = || format!("find the configuration repository of {product}");
    let group = match gitlab.group(product.number()).await {
        Ok(group) if group.is_marked_for_deletion() => return Ok(None),
        Ok(group) => group,
        Err(error) if error.is_not_found() => {
            let parent = client.parent_group().await?.map(|parent| parent.id);
            gitlab.confirm_gone(parent).await.attempted(attempt())?;
            return Ok(None);
        }
        Err(error) => return Err(error).attempted(attempt()),
    };
    let project = config_repository::find(client, &group).await?;
    client.products().remember(&group, project.as_ref());
    Ok(project.map(|project| project.id))
}

fn is_absent(error: &config_repo::Error) -> bool {
    matches!(error, config_repo::Error::GitLab(error) if *error.kind() == Kind::NotFound)
}
