//! Updates of a code repository in place, renames included.

use nautes_model::entity::Entity;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::Operation;

use super::inspect::Verified;
use super::model::CodeRepoModel;
use super::{credentials, gitlab_project, manifest};
use crate::claim::Claim;
use crate::client::Client;
use crate::config_repo::PutMode;
use crate::resources::home::{Home, ManifestLocation};
use crate::resources::replacement::Replaced;
use crate::wait_graph::Target;

/// Brings the project, the credentials and the manifest of a repository to what is planned.
pub(super) async fn update(
    operation: &mut Operation<Client>,
    mut prior: CodeRepoModel,
    mut planned: CodeRepoModel,
) -> Result<CodeRepoModel, Diagnostics> {
    let client = operation.client().clone();
    let attempt = format!("update the code repository {}", planned.name);
    let (product, id) = (prior.product_id()?, prior.repository_id()?);
    Replaced::take(&mut operation.private);
    let claim = Claim::load_or_store(&mut operation.private)?;
    client
        .holders()
        .record(&gitlab_project::object_id(id), &claim)?;
    let location = ManifestLocation::load(&operation.private);
    let mode = PutMode::Update(location.as_ref().map(|known| known.verified.clone()));
    let home = Home::product(&client, product).at(location);
    let home = home.with_claim(Some(claim));
    let entity = manifest::entity(&client, &planned, product, id)?;
    let request = home.begin(Entity::from(entity.clone()).key());
    if prior.name != planned.name {
        for name in [&prior.name, &planned.name] {
            request.may_write(Target::CodeRepoPath(product, name.clone()));
        }
    }

    client.require_vault().await?;
    client.code_repos()?.forget_listing(product);
    let Some(found) = gitlab_project::read(&client, &prior).await? else {
        let detail = format!(
            "The GitLab project of {id} does not exist any more. Plan again to create the repository anew."
        );
        return Err(Diagnostic::error("The code repository is gone", detail).into());
    };
    if planned.wanted_visibility() > prior.wanted_visibility() {
        let group = gitlab_project::product_group(&client, product).await?;
        gitlab_project::check_visibility(&planned, &group)?;
    }
    let validation = planned.common.validation(&client);
    let moves_to_another_project = prior.owning_project() != planned.owning_project();
    let may_differ = !prior.common.drift.is_null() || moves_to_another_project;
    let mut before = None;
    if moves_to_another_project || !credentials::keeps_all(&prior, &planned) {
        // Before keys are replaced: a manifest that another writer has changed, or a missing project.
        let wanted = entity.clone().into();
        let snapshot = home
            .dry_run(&request, &wanted, &mode, validation, &attempt)
            .await?;
        before = Some(snapshot).filter(|_| moves_to_another_project);
    }
    // First, since it may be refused.
    let updated = credentials::update(&client, &mut prior, &mut planned, &found).await;
    operation.record(&prior);
    let has_new_keys = updated?;
    let project = gitlab_project::update(&client, &request, &found, &prior, &planned).await?;
    client.code_repos()?.forget_listing(product);
    let is_renamed = prior.name != planned.name;
    prior.update_from_project(&project);
    operation.record(&prior);
    let saved = home
        .put(&request, &entity.into(), mode, validation, &attempt)
        .await?;
    if is_renamed {
        // Not before the manifest has the name, in which references look for it.
        request.wrote(&Target::CodeRepoPath(product, planned.name.clone()));
    }
    drop(request);
    let provider = &client.settings().code_repo_provider;
    Verified::new(&saved, id, provider).store(&mut operation.private)?;
    if may_differ || has_new_keys {
        let config_project = saved.location.project;
        credentials::wait_for_distribution(&client, product, config_project, id, before).await?;
    }
    planned.complete_from_project(&project);
    planned.fill_computed(product, saved.path);
    Ok(planned)
}
