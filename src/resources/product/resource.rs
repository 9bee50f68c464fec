//! The life cycle of a product.

use nautes_model::ProductId;
use nautes_model::name::NameRule;
use nautes_model::reference::ProductReference;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::{ImportTarget, Operation, Planning, Resource};
use terraform_plugin::value::{Known, Path, Tf};

use super::contents::Contents;
use super::create::create_group;
use super::model::{ProductIdentity, ProductModel};
use super::{config_repository, credentials, deletion, gitlab_group, operators};
use crate::backends::gitlab::NameOrId;
use crate::client::Client;
use crate::wait_graph::Target;

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
        let target = Target::ProductPath(planned.name.clone());
        let request = client.wait_graph().begin([target.clone()]);
        operators::require_vault(&client).await?;
        let (group, is_new) = create_group(&client, &request, &planned).await?;
        let products = client.products()?;
        let existing = if is_new {
            None
        } else {
            products.find_config_repository(&group).await?
        };
        let project = config_repository::ensure(&client, &group, existing).await?;
        operators::ensure(&client, &mut operation.private, &project).await?;
        // The last step takes the mark off.
        let group = gitlab_group::write(&client, &request, &group, &planned).await?;
        products.record(&group, Some(&project));
        request.wrote(&target);
        planned.update_from(&group, Some(&project));
        Ok(planned)
    }

    async fn read(
        &self,
        operation: &mut Operation<Client>,
        mut state: ProductModel,
    ) -> Result<Option<ProductModel>, Diagnostics> {
        let client = operation.client();
        let id = product_id(&state)?;
        let Some(product) = client.products()?.get(id).await? else {
            return Ok(None);
        };
        let config_project = product.config_project.as_ref();
        state.update_from(&product.group, config_project);
        state.drift = operators::inspect(client, &operation.private, config_project).await?;
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
        let names = [&prior.name, &planned.name];
        let paths = names.map(|name| Target::ProductPath(name.clone()));
        let request = client.wait_graph().begin(paths);
        operators::require_vault(&client).await?;
        let products = client.products()?;
        let Some(group) = products.read_group(id.number()).await? else {
            let detail = format!(
                "The GitLab group of {id} does not exist any more. Plan again to create the product anew."
            );
            return Err(Diagnostic::error("The product is gone", detail).into());
        };
        if let Some(parent) = products.parent_group().await? {
            gitlab_group::check_visibility(&planned, parent)?;
        }
        let group = gitlab_group::write(&client, &request, &group, &planned).await?;
        let existing = products.find_config_repository(&group).await?;
        products.record(&group, existing.as_ref());
        drop(request);
        prior.update_from(&group, existing.as_ref());
        operation.record(&prior);
        let project = match existing {
            Some(project) => project,
            None => config_repository::ensure(&client, &group, None).await?,
        };
        operators::ensure(&client, &mut operation.private, &project).await?;
        products.record(&group, Some(&project));
        planned.update_from(&group, Some(&project));
        Ok(planned)
    }

    async fn delete(
        &self,
        operation: &mut Operation<Client>,
        state: ProductModel,
    ) -> Result<(), Diagnostics> {
        let client = operation.client().clone();
        let id = product_id(&state)?;
        let products = client.products()?;
        let path = Target::ProductPath(state.name.clone());
        let request = client.wait_graph().begin([path.clone()]);
        // After the request has begun: a creation that comes later finds the path contended.
        if products.is_created_here(id.number()) {
            // Another resource of this run has made the group its own.
            return Ok(());
        }
        let Some(group) = products.read_group(id.number()).await? else {
            return Ok(());
        };
        let config_project = products.find_config_repository(&group).await?;
        let config_project = config_project.map(|project| project.id);
        let contents = Contents::find(&client, id, config_project).await?;
        if state.force_destroy != Some(true) {
            contents.check(&state.name)?;
        }
        let with_credentials = contents.with_credentials();
        if client.settings().vault.is_configured() {
            credentials::remove(&client, id, &with_credentials).await?;
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
        operators::remove(&client, &operation.private, state.config_project_id()).await?;
        let at_once = state.permanently_remove == Some(true);
        let pending = deletion::delete(&client, &group, at_once).await?;
        request.wrote(&path);
        if let Some(pending) = pending {
            let summary = format!("GitLab keeps the product {} for a while", state.name);
            operation.warn(summary, pending.detail(&group.full_path));
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
            // Renamed: only its URLs change.
            (Tf::Unknown, Some(known)) => {
                planning.planned.config_repository = Known(known.renamed());
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
            match Contents::unmanaged(&client, id, state.config_project_id()).await {
                Ok(contents) => contents.check(&state.name)?,
                // Planning works without GitLab; the contents are checked again at apply.
                Err(_) => operation.warn(
                    format!("The contents of the product {} could not be checked", state.name),
                    "GitLab did not answer. If the product holds repositories or manifests, the destroy will fail at apply.",
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
        let products = operation.client().products()?;
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
                path = products.full_path(&text);
                path.as_str().into()
            }
        };
        let Some(group) = products.read_group(group).await? else {
            return Ok(None);
        };
        let project = products.find_config_repository(&group).await?;
        products.record(&group, project.as_ref());
        Ok(Some(ProductModel::new(&group, project.as_ref())))
    }
}

fn product_id(state: &ProductModel) -> Result<ProductId, Diagnostics> {
    let id = state.id.require_known("id")?;
    id.parse()
        .map_err(|error| Diagnostic::bug(error).at(&Path::to("id")).into())
}
