//! The deletion of a code repository: first the manifest and the links of keys, then the GitLab
//! project, and at last the secrets, which cannot be restored.

use nautes_model::{EntityKey, Kind, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::resource::Operation;

use super::model::CodeRepoModel;
use super::{contents, credentials, gitlab_project, inspect};
use crate::claim::{Claim, Deletion};
use crate::client::Client;
use crate::config_repo::Validation;
use crate::credentials::Owner;
use crate::resources::deletion_policy::DeletionPolicy;
use crate::resources::home::{Home, ManifestLocation, referrers_warning};
use crate::resources::replacement::{Replaced, check_deletion};
use crate::resources::same_object::was_restored;
use crate::wait_graph::{Request, Target};

/// Deletes a repository; what is gone already is deleted already.
pub(super) async fn delete(
    operation: &mut Operation<Client>,
    state: &CodeRepoModel,
) -> Result<(), Diagnostics> {
    let client = operation.client().clone();
    let (product, id) = (state.product_id()?, state.repository_id()?);
    let replaced = Replaced::take(&mut operation.private);
    let code_repos = client.code_repos()?;
    let path = Target::CodeRepoPath(product, state.name.clone());
    let claim = Claim::load(&operation.private);
    let home = Home::product(&client, product).at(ManifestLocation::load(&operation.private));
    let home = home.with_claim(claim.clone());
    let request = home.begin(EntityKey::new(Kind::CodeRepo, id.into()));
    request.may_write(path.clone());
    // After the request has begun: a creation that comes later finds the path contended.
    let object = gitlab_project::object_id(id);
    let judged = client.holders().judge_deletion(&object, claim.as_ref())?;
    if judged == Deletion::OfAnother {
        return Ok(());
    }
    client.require_vault().await?;
    code_repos.forget_listing(product);
    let project = gitlab_project::read(&client, state).await?;
    if project.is_none() && client.products()?.get(product).await?.is_none() {
        // What cannot be restored is not removed because of a group that may only be hidden.
        client.products()?.prove_gone(product).await?;
    }
    if let Some(project) = &project {
        if inspect::is_deleted(state) {
            return Err(was_restored(&format!(
                "The GitLab project {}",
                project.path_with_namespace
            )));
        }
        if operation.is_replacement() {
            check_deletion(&state.name, state.deletion_policy(), replaced.as_ref())?;
        }
        contents::check(&client, state, project).await?;
        gitlab_project::check_role(operation, state, project).await?;
    }
    let created_at = state.created_at.known().map(String::as_str);
    let is_certain = project.is_some() || code_repos.is_certainly_gone(id, created_at).await?;
    let owner = Owner {
        repository: id,
        created_at: state.created_at.known().cloned(),
    };
    credentials::check_removable(&client, &owner, &state.name).await?;
    let attempt = format!("delete the code repository {}", state.name);
    let before = home.snapshot(&attempt).await?;
    let policy = state.deletion_policy();
    let is_marked = match &project {
        Some(project) if policy == DeletionPolicy::Delete => {
            gitlab_project::mark_destroying(&client, project).await?
        }
        _ => false,
    };
    let deleted = delete_manifest(operation, &home, &request, state, id).await;
    if let (Err(_), Some(project), true) = (&deleted, &project, is_marked) {
        gitlab_project::unmark(&client, project).await;
    }
    deleted?;
    if let Some(config_project) = home.current_project().await? {
        credentials::wait_for_distribution(&client, product, config_project, id, before).await?;
    }
    let has_token = !state.access_token.is_null();
    match &project {
        Some(project) if policy != DeletionPolicy::Delete => {
            // The keys and tokens of an archived project cannot be changed.
            credentials::remove_from_gitlab(&client, id, &state.name, has_token).await?;
            gitlab_project::remove(operation, state, project).await?;
            code_repos.record_kept(id);
        }
        project => {
            if let Some(project) = project {
                gitlab_project::remove(operation, state, project).await?;
            }
            if is_certain {
                credentials::remove_of_deleted(&client, id, has_token).await?;
            }
        }
    }
    client.holders().release(&object);
    code_repos.forget_created(id);
    request.wrote(&path);
    drop(request);
    if !is_certain {
        let (summary, detail) = credentials::kept_secrets_warning(id, &state.name);
        operation.warn(summary, detail);
        return Ok(());
    }
    credentials::remove_from_vault(&client, owner, &state.name).await
}

async fn delete_manifest(
    operation: &mut Operation<Client>,
    home: &Home<'_>,
    request: &Request,
    state: &CodeRepoModel,
    id: RepositoryId,
) -> Result<(), Diagnostics> {
    let key = EntityKey::new(Kind::CodeRepo, id.into());
    // Terraform updates the users of a replaced repository after it: its order, not a mistake.
    let validation = if operation.is_replacement() {
        Validation::Skip
    } else {
        state.common.validation(operation.client())
    };
    let attempt = format!("delete the code repository {}", state.name);
    let deleted = home.delete(request, &key, validation, &attempt).await?;
    if let Some(snapshot) = deleted
        && operation.is_replacement()
        && let Some((summary, detail)) = referrers_warning(&snapshot, &key)
    {
        operation.warn(summary, detail);
    }
    Ok(())
}
