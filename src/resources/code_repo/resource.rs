//! The life of a code repository.

use nautes_model::entity::{CodeRepo, Entity};
use nautes_model::layout::ManifestPath;
use nautes_model::{EntityKey, Kind, ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{ImportTarget, Operation, Planning, Resource};
use terraform_plugin::value::{Known, Tf};

use super::claim::claim;
use super::inspect::{self, Found, Verified};
use super::model::{CodeRepoIdentity, CodeRepoModel};
use super::{credentials, leftover, manifest, plan, project, work};
use crate::backends::gitlab::Group;
use crate::config_repo::{Checks, PutMode, Repository};
use crate::provider::Client;
use crate::resources::manifest::place::{self, Place};
use crate::resources::manifest::warn_of_referrers;
use crate::resources::refusal::explained;

/// `nautes_code_repo`.
pub(crate) struct CodeRepoResource;

impl Resource for CodeRepoResource {
    type Client = Client;
    type State = CodeRepoModel;
    type Identity = CodeRepoIdentity;
    const TYPE_NAME: &'static str = Kind::CodeRepo.terraform_type();

    async fn create(
        &self,
        operation: &mut Operation<Client>,
        mut planned: CodeRepoModel,
    ) -> Result<CodeRepoModel, Diagnostics> {
        let client = operation.client().clone();
        let attempt = attempt("create", &planned);
        let product = client.products().locate(&client, &planned.product).await?;
        let repositories = client.config_repositories()?;
        let repository = repositories.open(product.id, product.config_project);
        let group = product_group(&client, product.id).await?;
        project::check_visibility(&planned, &group)?;
        credentials::expect_vault(&client).await?;
        let wanted = manifest::entity(&client, &planned, product.id, RepositoryId::UNASSIGNED)?;
        let checks = manifest::checks(&client, &planned);
        let checked = repository.check(wanted.clone().into(), checks).await;
        let snapshot = explained(&client, product.id, &attempt, checked).await?;

        let claim = claim(&client, &repository, &group, &planned, &wanted).await?;
        let id = RepositoryId::new(claim.project.id);
        if claim.is_new {
            client.credentials()?.note_new(id).await;
        }
        leftover::remove_of_same_name(&client, &repository, &snapshot, &wanted, id).await?;
        credentials::ensure(&client, &mut planned, id).await?;
        let entity = Entity::from(CodeRepo { id, ..wanted });
        let mode = match snapshot.get(&entity.key()) {
            // The project is ours by now, and so is its manifest.
            Some(existing) if *existing != entity => PutMode::Update(None),
            _ => PutMode::Create,
        };
        let written = repository.put(entity.clone(), mode, checks).await;
        let written = explained(&client, product.id, &attempt, written).await?;
        drop(repository);
        if let Some(verified) = Verified::after(product.config_project, written, id) {
            verified.keep(&mut operation.private)?;
        }
        credentials::settle(&client, product.id, product.config_project, id).await?;
        // The last step takes the mark off.
        let project = project::write(&client, &claim.project, &planned).await?;
        planned.absorb_project(&project);
        complete(&mut planned, &entity, product.id);
        Ok(planned)
    }

    async fn read(
        &self,
        operation: &mut Operation<Client>,
        mut state: CodeRepoModel,
    ) -> Result<Option<CodeRepoModel>, Diagnostics> {
        let client = operation.client().clone();
        let (product, id) = (state.product_id()?, state.repository_id()?);
        if is_gone(&client, product).await? {
            return Ok(None);
        }
        let Some(project) = client.code_repos().project(&client, product, id).await? else {
            return Ok(None);
        };
        // What differed is looked at again, so that it stays drift until it is repaired.
        let kept = Verified::kept(&operation.private).filter(|_| state.drift.is_null());
        let found = Found { product, project };
        if let Some(verified) = inspect::absorb(&client, &mut state, &found, kept.as_ref()).await? {
            verified.keep(&mut operation.private)?;
        }
        Ok(Some(state))
    }

    async fn update(
        &self,
        operation: &mut Operation<Client>,
        mut prior: CodeRepoModel,
        mut planned: CodeRepoModel,
    ) -> Result<CodeRepoModel, Diagnostics> {
        let client = operation.client().clone();
        let attempt = attempt("update", &planned);
        let (product, id) = (prior.product_id()?, prior.repository_id()?);
        credentials::expect_vault(&client).await?;
        client.code_repos().forget_listing(product);
        let Some(found) = project::read(&client, product, id).await? else {
            let text = format!(
                "The GitLab project of {id} does not exist any more. Plan again to create the repository anew."
            );
            return Err(Diagnostic::error("The code repository is gone", text).into());
        };
        if planned.wanted_visibility() > found.visibility {
            let group = product_group(&client, product).await?;
            project::check_visibility(&planned, &group)?;
        }
        let checks = manifest::checks(&client, &planned);
        let entity = manifest::entity(&client, &planned, product, id)?;
        if prior.owning_project() != planned.owning_project() {
            expect_allowed(&client, &entity, checks, &attempt).await?;
        }
        let project = project::write(&client, &found, &planned).await?;
        let may_differ =
            !prior.drift.is_null() || prior.owning_project() != planned.owning_project();
        prior.absorb_project(&project);
        operation.record(&prior);
        credentials::ensure(&client, &mut planned, id).await?;
        let has_new_keys = planned.deploy_keys != prior.deploy_keys;

        let kept = Place::of(&operation.private).filter(|_| prior.drift.is_null());
        let write = |project, repository: Repository| {
            let mode = PutMode::Update(kept.as_ref().map(|place| place.verified.clone()));
            let entity = Entity::from(entity.clone());
            async move { Ok((project, repository.put(entity, mode, checks).await?)) }
        };
        let written = place::change_in(&client, product, kept.as_ref(), &attempt, write).await?;
        let Some((config_project, written)) = written else {
            let text = format!(
                "The product {product}, or its configuration repository, does not exist any more. Plan again to create what is missing."
            );
            return Err(Diagnostic::error(format!("Cannot {attempt}"), text).into());
        };
        if let Some(verified) = Verified::after(config_project, written, id) {
            verified.keep(&mut operation.private)?;
        }
        if may_differ || has_new_keys {
            credentials::settle(&client, product, config_project, id).await?;
        }
        planned.absorb_project(&project);
        complete(&mut planned, &entity.into(), product);
        Ok(planned)
    }

    async fn delete(
        &self,
        operation: &mut Operation<Client>,
        state: CodeRepoModel,
    ) -> Result<(), Diagnostics> {
        let client = operation.client().clone();
        let (product, id) = (state.product_id()?, state.repository_id()?);
        if client.code_repos().is_claimed(id) {
            // Another resource of this run has made the project its own.
            return Ok(());
        }
        credentials::expect_vault(&client).await?;
        client.code_repos().forget_listing(product);
        let moves = client.code_repos().moves();
        let _gives_up_its_path = moves.begin(product, id.number(), &state.name, None);
        let project = if is_gone(&client, product).await? {
            None
        } else {
            project::read(&client, product, id).await?
        };
        if let Some(project) = &project {
            work::check(&client, &state, project).await?;
            if state.archive_on_destroy != Some(true) {
                project::mark(&client, project).await?;
            }
        }
        let deleted = delete_manifest(operation, &state, product, id).await;
        if let (Err(_), Some(project)) = (&deleted, &project) {
            project::unmark(&client, project).await;
        }
        if let Some(config_project) = deleted? {
            credentials::settle(&client, product, config_project, id).await?;
        }
        credentials::retire(&client, id, &state.name).await?;
        match project {
            Some(project) => project::remove(operation, &state, &project).await,
            None => Ok(()),
        }
    }

    fn validate(&self, config: &PlanOf<CodeRepoModel>) -> Diagnostics {
        plan::validate(config)
    }

    async fn modify_plan(&self, planning: &mut Planning<'_, Self>) -> Result<(), Diagnostics> {
        plan::modify(planning).await
    }

    async fn plan_delete(
        &self,
        operation: &mut Operation<Client>,
        state: CodeRepoModel,
    ) -> Result<(), Diagnostics> {
        let client = operation.client().clone();
        let (product, id) = (state.product_id()?, state.repository_id()?);
        match project::read(&client, product, id).await {
            Ok(Some(project)) => work::check(&client, &state, &project).await,
            Ok(None) => Ok(()),
            // Planning works without GitLab; what is in the repository is judged again at apply.
            Err(_) => {
                let (summary, text) = plan::unseen(&state.name);
                operation.warn(summary, text);
                Ok(())
            }
        }
    }

    fn identity(&self, state: &CodeRepoModel) -> Option<CodeRepoIdentity> {
        Some(CodeRepoIdentity {
            project_id: *state.project_id.known()?,
        })
    }

    async fn import(
        &self,
        operation: &mut Operation<Client>,
        target: ImportTarget<CodeRepoIdentity>,
    ) -> Result<Option<CodeRepoModel>, Diagnostics> {
        let client = operation.client().clone();
        let text = match target {
            ImportTarget::Id(id) => id,
            ImportTarget::Identity(identity) => RepositoryId::new(identity.project_id).to_string(),
        };
        let Some((product, found)) = inspect::find(&client, &text).await? else {
            return Ok(None);
        };
        let mut state = CodeRepoModel::blank(product);
        if let Some(verified) = inspect::absorb(&client, &mut state, &found, None).await? {
            verified.keep(&mut operation.private)?;
        }
        Ok(Some(state))
    }
}

/// Deletes the manifest of a repository; returns the number of the configuration repository, unless that is gone.
async fn delete_manifest(
    operation: &mut Operation<Client>,
    state: &CodeRepoModel,
    product: ProductId,
    id: RepositoryId,
) -> Result<Option<u64>, Diagnostics> {
    let client = operation.client().clone();
    let key = EntityKey::new(Kind::CodeRepo, id.into());
    let kept = Place::of(&operation.private);
    // The users of a replaced repository are updated after it: Terraform's order, not a mistake.
    let checks = if operation.is_replacement() {
        Checks::Skip
    } else {
        manifest::checks(&client, state)
    };
    let remove = |project, repository: Repository| {
        let key = &key;
        async move { Ok((project, repository.delete(key, checks).await?)) }
    };
    let attempt = attempt("delete", state);
    let removed = place::change_in(&client, product, kept.as_ref(), &attempt, remove).await?;
    let Some((config_project, removed)) = removed else {
        return Ok(None);
    };
    if operation.is_replacement() {
        warn_of_referrers(operation, &removed.snapshot, &key);
    }
    Ok(Some(config_project))
}

/// Checks the references of a manifest before anything is written.
async fn expect_allowed(
    client: &Client,
    entity: &CodeRepo,
    checks: Checks,
    attempt: &str,
) -> Result<(), Diagnostics> {
    let unassigned = CodeRepo {
        id: RepositoryId::UNASSIGNED,
        ..entity.clone()
    };
    let check = |_, repository: Repository| {
        let unassigned = Entity::from(unassigned.clone());
        async move { repository.check(unassigned, checks).await }
    };
    place::change_in(client, entity.product, None, attempt, check)
        .await
        .map(drop)
}

/// The group of a product, as it was when this process first looked or changed it.
async fn product_group(client: &Client, product: ProductId) -> Result<Group, Diagnostics> {
    let found = client.products().look_up(client, product).await?;
    let group = found.map(|found| found.group.clone());
    group.ok_or_else(|| {
        let text =
            "Its GitLab group is gone or marked for deletion. Plan again to create what is missing.";
        Diagnostic::error(format!("The product {product} does not exist any more"), text).into()
    })
}

/// Tells whether a product is gone; its projects then count as gone too, although GitLab still answers for them.
async fn is_gone(client: &Client, product: ProductId) -> Result<bool, Diagnostics> {
    Ok(client.products().look_up(client, product).await?.is_none())
}

fn attempt(verb: &str, model: &CodeRepoModel) -> String {
    format!("{verb} the code repository {}", model.name)
}

/// Sets what follows from the entity and its product.
fn complete(model: &mut CodeRepoModel, entity: &Entity, product: ProductId) {
    model.namespace = Known(product.to_string());
    model.manifest_path = Known(ManifestPath::of(entity).as_str().to_owned());
    model.drift = Tf::Null;
}
