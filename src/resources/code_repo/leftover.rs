//! What repositories leave whose GitLab project was deleted from outside: a manifest, secrets and policies.

use std::collections::BTreeSet;

use nautes_model::entity::CodeRepo;
use nautes_model::{EntityKey, Kind, ProductId, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;

use super::{credentials, project};
use crate::config_repo::{Checks, Repository, Snapshot};
use crate::diagnostics::Attempted as _;
use crate::provider::Client;
use crate::resources::refusal::explained;

/// Removes what is left of repositories of the same name as one that is made.
pub(super) async fn remove_of_same_name(
    client: &Client,
    repository: &Repository,
    snapshot: &Snapshot,
    wanted: &CodeRepo,
    id: RepositoryId,
) -> Result<(), Diagnostics> {
    let named = snapshot.tree().code_repos();
    let named = named.filter(|other| other.repo_name == wanted.repo_name && other.id != id);
    for other in named {
        remove_if_gone(client, repository, wanted.product, other.id).await?;
    }
    Ok(())
}

/// Removes what is left in a product; tells whether there was anything.
///
/// Terraform forgets what a refresh does not find, so that nothing else takes these away.
pub(crate) async fn sweep(client: &Client, product: ProductId) -> Result<bool, Diagnostics> {
    let Some(config_project) = client.products().config_project(client, product).await? else {
        return Ok(false);
    };
    let repository = client.config_repositories()?.open(product, config_project);
    let attempt = format!("read the manifests of {product}");
    let snapshot = repository.fresh_snapshot().await;
    let snapshot = explained(client, product, &attempt, snapshot).await?;
    let mut is_any = false;
    for code_repo in snapshot.tree().code_repos() {
        is_any |= remove_if_gone(client, &repository, product, code_repo.id).await?;
    }
    Ok(is_any)
}

/// Removes the credentials of repositories that go with their product; those that are in another group by now keep them.
///
/// GitLab's number alone does not tell: a project may have been moved.
pub(crate) async fn retire_with_product(
    client: &Client,
    product: ProductId,
    ids: &BTreeSet<RepositoryId>,
) -> Result<(), Diagnostics> {
    for &id in ids {
        let attempt = format!("read the GitLab project {}", id.number());
        match client.gitlab()?.project(id.number()).await {
            Ok(project) if project.namespace.id != product.number() => {}
            Err(error) if !error.is_not_found() => return Err(error).attempted(attempt),
            Ok(_) | Err(_) => credentials::retire(client, id, &id.to_string()).await?,
        }
    }
    Ok(())
}

async fn remove_if_gone(
    client: &Client,
    repository: &Repository,
    product: ProductId,
    id: RepositoryId,
) -> Result<bool, Diagnostics> {
    if project::read(client, product, id).await?.is_some() {
        return Ok(false);
    }
    // The manifest goes last: as long as it is there, it shows that there is something to be removed.
    credentials::retire(client, id, &id.to_string()).await?;
    let key = EntityKey::new(Kind::CodeRepo, id.into());
    let attempt = format!("delete the manifest that the former {key} left");
    // What refers to it refers to nothing already.
    let deleted = repository.delete(&key, Checks::Skip).await;
    explained(client, product, &attempt, deleted).await?;
    Ok(true)
}
