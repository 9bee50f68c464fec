//! The life of a product.

use nautes_model::ProductId;
use nautes_model::name::NameRule;
use nautes_model::reference::ProductReference;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::{ImportTarget, Operation, Planning, Resource};
use terraform_plugin::value::{Known, Path, Tf};

use super::claim::{check_visibility, claim};
use super::group::{read_group, write_group};
use super::model::{ProductIdentity, ProductModel};
use super::work::Work;
use super::{config_repository, deletion, operators};
use crate::backends::gitlab::NameOrId;
use crate::provider::Client;
use crate::resources::code_repo;

/// `nautes_product`.
pub(crate) struct ProductResource;

impl Resource for ProductResource {
    type Client = Client;
    type State = ProductModel;
    type Identity = ProductIdentity;
    const TYPE_NAME: &'static str = "nautes_product";

    async fn create(
        &self,
        operation: &mut Operation<Client>,
        mut planned: ProductModel,
    ) -> Result<ProductModel, Diagnostics> {
        let client = operation.client().clone();
        operators::expect_vault(&client).await?;
        let claim = claim(&client, &planned).await?;
        let existing = if claim.is_new {
            None
        } else {
            config_repository::find(&client, &claim.group).await?
        };
        let project = config_repository::ensure(&client, &claim.group, existing).await?;
        operators::ensure(&client, &mut operation.private, &project).await?;
        // The last step takes the mark off.
        let group = write_group(&client, &claim.group, &planned).await?;
        client.products().remember(&client, &group, Some(&project));
        planned.absorb(&group, Some(&project));
        Ok(planned)
    }

    async fn read(
        &self,
        operation: &mut Operation<Client>,
        mut state: ProductModel,
    ) -> Result<Option<ProductModel>, Diagnostics> {
        let client = operation.client();
        let id = product_id(&state)?;
        let Some(found) = client.products().look_up(client, id).await? else {
            return Ok(None);
        };
        state.absorb(&found.group, found.config_project.as_ref());
        state.drift =
            operators::inspect(client, &operation.private, found.config_project.as_ref()).await?;
        Ok(Some(state))
    }

    async fn update(
        &self,
        operation: &mut Operation<Client>,
        mut prior: ProductModel,
        mut planned: ProductModel,
    ) -> Result<ProductModel, Diagnostics> {
        let client = operation.client().clone();
        let id = product_id(&prior)?;
        operators::expect_vault(&client).await?;
        let Some(group) = read_group(&client, id.number()).await? else {
            let text = format!(
                "The GitLab group of {id} does not exist any more. Plan again to create the product anew."
            );
            return Err(Diagnostic::error("The product is gone", text).into());
        };
        if let Some(parent) = client.parent_group().await? {
            check_visibility(&planned, parent)?;
        }
        let group = write_group(&client, &group, &planned).await?;
        let existing = config_repository::find(&client, &group).await?;
        prior.absorb(&group, existing.as_ref());
        operation.record(&prior);
        let project = match existing {
            Some(project) => project,
            None => config_repository::ensure(&client, &group, None).await?,
        };
        operators::ensure(&client, &mut operation.private, &project).await?;
        client.products().remember(&client, &group, Some(&project));
        planned.absorb(&group, Some(&project));
        Ok(planned)
    }

    async fn delete(
        &self,
        operation: &mut Operation<Client>,
        state: ProductModel,
    ) -> Result<(), Diagnostics> {
        let client = operation.client().clone();
        let id = product_id(&state)?;
        if client.products().is_claimed(id.number()) {
            // Another resource of this run has made the group its own.
            return Ok(());
        }
        let Some(group) = read_group(&client, id.number()).await? else {
            return Ok(());
        };
        let config_project = config_repository::find(&client, &group).await?;
        let work = Work::find(&client, id, config_project.map(|project| project.id)).await?;
        if state.force_destroy != Some(true) {
            work.check(&state.name)?;
        }
        let with_credentials = work.with_credentials();
        if client.settings().vault.is_configured() {
            code_repo::retire_with_product(&client, id, &with_credentials).await?;
        } else if !with_credentials.is_empty() {
            let ids: Vec<String> = with_credentials.iter().map(ToString::to_string).collect();
            operation.warn(
                format!("Credentials of the product {} may be left in Vault", state.name),
                format!(
                    "The provider argument vault.address is missing, so that the secrets git/gitlab/<repository>/default/* and the policies gitlab-<repository>-default-* of these repositories were not looked for: {}. Remove them by hand if there are any.",
                    ids.join(", ")
                ),
            );
        }
        operators::retire(&client, &operation.private, state.config_project_id()).await?;
        let remains =
            deletion::delete(&client, &group, state.permanently_remove == Some(true)).await?;
        if let Some(remains) = remains {
            let summary = format!("GitLab keeps the product {} for a while", state.name);
            operation.warn(summary, remains.detail(&group.full_path));
        }
        Ok(())
    }

    async fn modify_plan(&self, planning: &mut Planning<'_, Self>) -> Result<(), Diagnostics> {
        let known = planning
            .prior
            .as_ref()
            .and_then(|prior| prior.config_repository.known());
        match (&planning.planned.config_repository, known) {
            // Removed from outside: an update makes it again.
            (Tf::Null, _) => planning.planned.config_repository = Tf::Unknown,
            // Renamed: its URLs change, and it stays what it is.
            (Tf::Unknown, Some(known)) => {
                planning.planned.config_repository = Known(known.moved());
            }
            _ => {}
        }
        let at_top_level = planning
            .client
            .is_some_and(|client| client.settings().gitlab.parent_group.is_none());
        if let (true, Known(name)) = (at_top_level, &planning.planned.name) {
            NameRule::Product.check(name).map_err(|error| {
                Diagnostic::error("Invalid value of name", format!("{error}."))
                    .at(&Path::to("name"))
            })?;
        }
        Ok(())
    }

    async fn plan_delete(
        &self,
        operation: &mut Operation<Client>,
        state: ProductModel,
    ) -> Result<(), Diagnostics> {
        let client = operation.client().clone();
        let id = product_id(&state)?;
        if state.force_destroy != Some(true) {
            match Work::unmanaged(&client, id, state.config_project_id()).await {
                Ok(work) => work.check(&state.name)?,
                // Planning works without GitLab; what is in the product is judged again at apply.
                Err(_) => operation.warn(
                    format!("What the product {} holds could not be looked at", state.name),
                    "GitLab could not be asked. If the product holds repositories or manifests, the destroy will fail at apply.",
                ),
            }
        }
        Ok(())
    }

    fn identity(&self, state: &ProductModel) -> Option<ProductIdentity> {
        Some(ProductIdentity {
            product_id: state.id.known()?.clone(),
        })
    }

    async fn import(
        &self,
        operation: &mut Operation<Client>,
        target: ImportTarget<ProductIdentity>,
    ) -> Result<Option<ProductModel>, Diagnostics> {
        let client = operation.client();
        let text = match target {
            ImportTarget::Id(id) => id,
            ImportTarget::Identity(identity) => identity.product_id,
        };
        let path;
        let group: NameOrId<'_> = match text.parse::<ProductReference>() {
            Ok(ProductReference::Id(id)) => id.number().into(),
            // A path with a slash is taken as it is, a name as that of a product of this provider.
            _ if text.contains('/') => text.as_str().into(),
            _ => {
                path = client.product_path(&text);
                path.as_str().into()
            }
        };
        let Some(group) = read_group(client, group).await? else {
            return Ok(None);
        };
        let project = config_repository::find(client, &group).await?;
        client.products().remember(client, &group, project.as_ref());
        Ok(Some(ProductModel::of(&group, project.as_ref())))
    }
}

fn product_id(state: &ProductModel) -> Result<ProductId, Diagnostics> {
    let id = state.id.expect_known("id")?;
    id.parse()
        .map_err(|error| Diagnostic::defect(error).at(&Path::to("id")).into())
}
