//! The life cycle of a product.

use nautes_model::reference::ProductReference;
use nautes_model::{Kind, ProductId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::resource::{ImportTarget, Operation, Planning, Resource};
use terraform_plugin::value::{Known, Path};

use super::contents::Contents;
use super::create::create_group;
use super::delete::{check_role, delete, read_deleted};
use super::model::{ProductIdentity, ProductModel};
use super::{config_repository, gitlab_group, operators, plan};
use crate::backends::gitlab::NameOrId;
use crate::claim::Claim;
use crate::client::Client;
use crate::lookup::Products;
use crate::planned::Object;
use crate::resources::attribute::{check_product_path, drift_attribute, invalid_import_id};
use crate::resources::deletion_policy::{DeletionPolicy, check_arguments};
use crate::resources::gitlab_object;
use crate::resources::replacement::Replaced;
use crate::resources::unfinished;
use crate::wait_graph::Target;

/// `nautes_product`.
pub(crate) struct ProductResource;

impl Resource for ProductResource {
    type Client = Client;
    type State = ProductModel;
    type Identity = ProductIdentity;
    const TYPE_NAME: &'static str = gitlab_group::TYPE_NAME;

    async fn create(
        &self,
        operation: &mut Operation<Client>,
        mut planned: ProductModel,
    ) -> Result<ProductModel, Diagnostics> {
        let client = operation.client().clone();
        let target = Target::ProductPath(planned.name.clone());
        let request = client.wait_graph().begin([target.clone()]);
        operators::require_vault(&client).await?;
        let claim = Claim::load_or_store(&mut operation.private)?;
        let (group, is_new) = create_group(&client, &request, &claim, &planned).await?;
        let products = client.products()?;
        let existing = if is_new {
            None
        } else {
            products.visible_config_repository(&group).await?
        };
        let project = config_repository::ensure(&client, &group, existing).await?;
        operators::ensure(&client, &mut operation.private, &project).await?;
        // The last step takes the mark off.
        gitlab_object::check_still_ours(&client, &group, &claim).await?;
        let group = gitlab_group::complete(&client, &request, &group, &planned).await?;
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
        let client = &operation.client().clone();
        let products = client.products()?;
        let id = locate(products, &state)?;
        let Some(product) = products.get(id).await? else {
            return read_deleted(client, state, id).await;
        };
        let object = gitlab_group::object_id(id);
        client
            .holders()
            .record_read(&object, &mut operation.private)?;
        let config_project = product.config_project.as_ref();
        gitlab_group::check_same(&state, &product.group, config_project)?;
        gitlab_group::check_not_renamed(products, &state, &product.group, config_project).await?;
        state.update_from(&product.group, config_project);
        let mut drift = operators::inspect(client, &operation.private, config_project).await?;
        let description = product.group.description.as_deref().unwrap_or_default();
        if unfinished::is_marked(description) {
            drift.insert("the GitLab group is marked as unfinished".to_owned());
        }
        if let Some(project) = config_project {
            drift.extend(config_repository::branch_drift(client, project));
        }
        state.drift = drift_attribute(drift);
        Ok(Some(state))
    }

    async fn update(
        &self,
        operation: &mut Operation<Client>,
        mut prior: ProductModel,
        mut planned: ProductModel,
    ) -> Result<ProductModel, Diagnostics> {
        let client = operation.client().clone();
        let products = client.products()?;
        let id = locate(products, &prior)?;
        Replaced::take(&mut operation.private);
        let claim = Claim::load_or_store(&mut operation.private)?;
        client
            .holders()
            .record(&gitlab_group::object_id(id), &claim)?;
        let names = [&prior.name, &planned.name];
        let paths = names.map(|name| Target::ProductPath(name.clone()));
        let request = client.wait_graph().begin(paths);
        operators::require_vault(&client).await?;
        let Some(group) = products.read_group(id).await? else {
            let detail = format!(
                "The GitLab group of {id} does not exist any more. Plan again to create the product anew."
            );
            return Err(Diagnostic::error("The product is gone", detail).into());
        };
        let existing = products.find_config_repository(&group).await?;
        gitlab_group::check_same(&prior, &group, existing.as_ref())?;
        gitlab_group::check_not_renamed(products, &prior, &group, existing.as_ref()).await?;
        if let Some(parent) = products.parent_group().await? {
            gitlab_group::check_visibility(&planned, parent)?;
        }
        let resets_branch = config_repository::has_other_branch(&prior);
        let former_path = group.full_path.clone();
        let group = gitlab_group::update(&client, &request, &group, &prior, &planned).await?;
        let existing = if group.full_path == former_path {
            existing
        } else {
            products.find_config_repository(&group).await?
        };
        products.record(&group, existing.as_ref());
        prior.update_from(&group, existing.as_ref());
        operation.record(&prior);
        let project = match existing {
            Some(project) if resets_branch => {
                config_repository::reset_branch(&client, project).await?
            }
            Some(project) => project,
            None => config_repository::ensure(&client, &group, None).await?,
        };
        products.record(&group, Some(&project));
        drop(request);
        operators::ensure(&client, &mut operation.private, &project).await?;
        planned.complete_from(&group, &project);
        Ok(planned)
    }

    async fn delete(
        &self,
        operation: &mut Operation<Client>,
        state: ProductModel,
    ) -> Result<(), Diagnostics> {
        delete(operation, &state).await
    }

    fn validate(&self, config: &PlanOf<ProductModel>) -> Diagnostics {
        check_arguments(&config.deletion_policy, &config.permanently_remove)
    }

    async fn modify_plan(&self, planning: &mut Planning<'_, Self>) -> Result<(), Diagnostics> {
        plan::modify(planning).await
    }

    async fn plan_delete(
        &self,
        operation: &mut Operation<Client>,
        state: ProductModel,
    ) -> Result<(), Diagnostics> {
        let client = operation.client().clone();
        let id = product_id(&state)?;
        let object = gitlab_group::object_id(id);
        client
            .holders()
            .record_planned_deletion(&object, &operation.private)?;
        client.planned().record_leaving(Object::Product(id));
        if state.force_destroy != Some(true) && state.deletion_policy() == DeletionPolicy::Delete {
            match Contents::unmanaged(&client, id, state.config_project_id()).await {
                Ok(contents) => contents.check(&client, &state.name, state.force_destroy)?,
                // Planning works without GitLab; the contents are checked again at apply.
                Err(_) => operation.warn(
                    format!("The contents of the product {} could not be checked", state.name),
                    "GitLab did not answer. If the product holds repositories or manifests, the destroy will fail at apply.",
                ),
            }
        }
        if state.deletion_policy() != DeletionPolicy::Abandon
            && let Ok(Some(product)) = client.products()?.get(id).await
        {
            check_role(operation, &state, &product.group).await?;
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
        check_product_path(&text).map_err(|reason| {
            let forms = "the product's name, such as shop, its id, product-<numeric ID of the GitLab group>, or the full path of its group";
            invalid_import_id(Kind::Product, &text, &reason, forms)
        })?;
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
        let Some(group) = products.find_group(group).await? else {
            return Ok(None);
        };
        let project = products.find_config_repository(&group).await?;
        products.record(&group, project.as_ref());
        Claim::load_or_store(&mut operation.private)?;
        Ok(Some(ProductModel::new(&group, project.as_ref())))
    }
}

/// Returns the id of a product, and records where it was last.
pub(super) fn locate(products: &Products, state: &ProductModel) -> Result<ProductId, Diagnostics> {
    let id = product_id(state)?;
    if let Known(full_path) = &state.full_path {
        products.record_full_path(id, full_path);
    }
    if let Known(web_url) = &state.web_url {
        products.record_web_url(id, web_url);
    }
    Ok(id)
}

pub(super) fn product_id(state: &ProductModel) -> Result<ProductId, Diagnostics> {
    let id = state.id.require_known("id")?;
    id.parse()
        .map_err(|error| Diagnostic::bug(error).at(&Path::to("id")).into())
}
