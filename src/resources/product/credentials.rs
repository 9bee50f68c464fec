//! Secrets of repositories that are destroyed together with their product.

use std::collections::BTreeSet;

use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::Operation;

use super::contents::Contents;
use crate::client::Client;
use crate::diagnostics::Context as _;

/// Checks that the secrets of the repositories of a product can be removed, before anything is.
pub(super) async fn check_removable(
    client: &Client,
    contents: &Contents,
) -> Result<(), Diagnostics> {
    if !client.settings().vault.is_configured() {
        return Ok(());
    }
    for owner in contents.with_credentials() {
        let id = owner.repository;
        let checked = client.credentials()?.check_removable(owner).await;
        checked.with_context(|| format!("delete the secrets of {id}"))?;
    }
    Ok(())
}

/// Removes the secrets of the repositories that were in the group of a product. Those that only its
/// manifests name may live elsewhere, and are reported.
pub(super) async fn remove(
    operation: &mut Operation<Client>,
    product: &str,
    contents: &Contents,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let (own, elsewhere) = (contents.with_credentials(), contents.named_elsewhere());
    if !client.settings().vault.is_configured() {
        let own = own.into_iter().map(|owner| owner.repository);
        let ids: BTreeSet<RepositoryId> = own.chain(elsewhere).collect();
        if !ids.is_empty() {
            warn_of_left(
                operation,
                product,
                &ids,
                "the provider argument vault.address is missing",
            );
        }
        return Ok(());
    }
    for owner in own {
        let id = owner.repository;
        let removed = client.credentials()?.remove_from_vault(owner).await;
        removed.with_context(|| format!("remove the secrets of the code repository {id}"))?;
    }
    let mut left = BTreeSet::new();
    for id in elsewhere {
        let has_secrets = client.credentials()?.has_secrets(id).await;
        if has_secrets.with_context(|| format!("look for secrets of the code repository {id}"))? {
            left.insert(id);
        }
    }
    if !left.is_empty() {
        warn_of_left(
            operation,
            product,
            &left,
            "their GitLab projects are not in the product's group, and may be in use elsewhere",
        );
    }
    Ok(())
}

fn warn_of_left(
    operation: &mut Operation<Client>,
    product: &str,
    ids: &BTreeSet<RepositoryId>,
    reason: &str,
) {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    operation.warn(
        format!("Secrets of the product {product} may be left in Vault"),
        format!(
            "The secrets git/gitlab/<repository>/default/* and the policies gitlab-<repository>-default-* of these repositories were not removed, because {reason}: {}. Remove them by hand if nothing needs them.",
            ids.join(", ")
        ),
    );
}

/// Returns the repositories of a deleted group that have secrets in Vault which name no other owner.
pub(super) async fn left_by(
    client: &Client,
    product: ProductId,
) -> Result<BTreeSet<RepositoryId>, Diagnostics> {
    let projects = client.gitlab()?.group_projects(product.number()).await;
    let projects = projects.with_context(|| format!("list the projects of {product}"))?;
    let mut left = BTreeSet::new();
    for project in projects {
        let id = RepositoryId::new(project.id);
        let has_secrets = client.credentials()?.has_secrets_of(&project).await;
        if has_secrets.with_context(|| format!("look for secrets of the code repository {id}"))? {
            left.insert(id);
        }
    }
    Ok(left)
}
