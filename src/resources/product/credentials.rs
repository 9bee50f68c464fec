//! Credentials of repositories that are destroyed together with their product.

use std::collections::BTreeSet;

use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;

use crate::client::Client;
use crate::diagnostics::Context as _;

/// Removes the credentials of repositories that go with their product; those that were moved to
/// another group keep them.
pub(super) async fn remove(
    client: &Client,
    product: ProductId,
    ids: &BTreeSet<RepositoryId>,
) -> Result<(), Diagnostics> {
    for &id in ids {
        match client.gitlab()?.project(id.number()).await {
            Ok(project) if project.namespace.id != product.number() => {}
            Err(error) if !error.is_not_found() => {
                let attempt = format!("read the GitLab project {}", id.number());
                return Err(error).context(attempt);
            }
            Ok(_) | Err(_) => remove_of(client, id).await?,
        }
    }
    Ok(())
}

async fn remove_of(client: &Client, id: RepositoryId) -> Result<(), Diagnostics> {
    let removed = client.credentials()?.remove(id, false).await;
    removed.with_context(|| format!("remove the credentials of the code repository {id}"))
}
