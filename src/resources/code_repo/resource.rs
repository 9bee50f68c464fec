//! The life cycle of a code repository.

use nautes_model::{Kind, RepositoryId};
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{ImportTarget, Operation, Planning, Resource};

use super::create::create;
use super::delete::delete;
use super::inspect::{self, Found, Verified};
use super::model::{CodeRepoIdentity, CodeRepoModel};
use super::update::update;
use super::{contents, gitlab_project, plan};
use crate::claim::Claim;
use crate::client::Client;
use crate::planned::Object;

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
        planned: CodeRepoModel,
    ) -> Result<CodeRepoModel, Diagnostics> {
        create(operation, planned).await
    }

    async fn read(
        &self,
        operation: &mut Operation<Client>,
        mut state: CodeRepoModel,
    ) -> Result<Option<CodeRepoModel>, Diagnostics> {
        let client = operation.client().clone();
        let (product, id) = gitlab_project::locate(&client, &state)?;
        let project = match client.products()?.get(product).await? {
            Some(_) => {
                let project = client.code_repos()?.project(product, id).await?;
                gitlab_project::check(&state, project)?
            }
            None => gitlab_project::read(&client, &state).await?,
        };
        let Some(project) = project else {
            return inspect::read_deleted(&client, state, product, id).await;
        };
        let object = gitlab_project::object_id(id);
        client
            .holders()
            .record_read(&object, &mut operation.private)?;
        // What differed is read again, so that it stays drift until it is repaired.
        let kept = Verified::load(&operation.private)
            .filter(|kept| state.common.drift.is_null() && kept.names_provider(&client));
        let found = Found { product, project };
        let verified = inspect::update_from(&client, &mut state, &found, kept.as_ref()).await?;
        if let Some(verified) = verified {
            verified.store(&mut operation.private)?;
        }
        Ok(Some(state))
    }

    async fn update(
        &self,
        operation: &mut Operation<Client>,
        prior: CodeRepoModel,
        planned: CodeRepoModel,
    ) -> Result<CodeRepoModel, Diagnostics> {
        update(operation, prior, planned).await
    }

    async fn delete(
        &self,
        operation: &mut Operation<Client>,
        state: CodeRepoModel,
    ) -> Result<(), Diagnostics> {
        delete(operation, &state).await
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
        let id = state.repository_id()?;
        client
            .holders()
            .record_planned_deletion(&gitlab_project::object_id(id), &operation.private)?;
        client.planned().record_leaving(Object::CodeRepo(id));
        match gitlab_project::read(&client, &state).await {
            Ok(Some(project)) => {
                contents::check(&client, &state, &project).await?;
                gitlab_project::check_role(operation, &state, &project).await
            }
            Ok(None) => Ok(()),
            // Planning works without GitLab; the contents are checked again at apply.
            Err(_) => {
                let (summary, detail) = plan::unchecked_contents(&state.name);
                operation.warn(summary, detail);
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
        let mut state = CodeRepoModel::new(product);
        let verified = inspect::update_from(&client, &mut state, &found, None).await?;
        if let Some(verified) = verified {
            verified.store(&mut operation.private)?;
        }
        Claim::load_or_store(&mut operation.private)?;
        Ok(Some(state))
    }
}
