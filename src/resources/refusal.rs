//! Why a configuration repository refused a change, with the names that the user knows.

use std::sync::Arc;

use nautes_model::ProductId;
use terraform_plugin::diagnostics::Diagnostics;

use crate::config_repo::{Error, Snapshot};
use crate::diagnostics::{Names, of_config_repository};
use crate::provider::Client;

/// Says what was attempted in the configuration repository of a product when it fails.
///
/// `attempt` completes the sentence "cannot …". A refusal names the product and the clusters that exist.
pub(crate) async fn explained<T>(
    client: &Client,
    product: ProductId,
    attempt: &str,
    done: Result<T, Error>,
) -> Result<T, Diagnostics> {
    let error = match done {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    if !matches!(error, Error::Refused { .. }) {
        return Err(of_config_repository(attempt, &error, Names::default()));
    }
    // What cannot be read is not named; the refusal itself is what matters.
    let found = client.products().look_up(client, product).await;
    let found = found.ok().flatten();
    let clusters = clusters(client).await;
    let names = Names {
        product: found.as_ref().map(|found| found.group.path.as_str()),
        clusters: clusters.as_deref().map(Snapshot::tree),
    };
    Err(of_config_repository(attempt, &error, names))
}

/// The tenant's repository, as it was when the change was judged.
async fn clusters(client: &Client) -> Option<Arc<Snapshot>> {
    let repositories = client.config_repositories().ok()?;
    let tenant = repositories.open_tenant().await.ok()??;
    tenant.snapshot().await.ok()
}
