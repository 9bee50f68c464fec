//! The life of a product.

use nautes_model::ProductId;
use nautes_model::name::NameRule;
use nautes_model::reference::ProductReference;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::{ImportTarget, Operation, Planning, Resource};
use terraform_plugin::value::{Known, Path, Tf};

use super::claim::{claim, refused};
use super::model::{ProductIdentity, ProductModel};
use super::work::Work;
use super::{config_repository, unfinished};
use crate::backends::gitlab::{Group, GroupChange, Kind, NameOrId, Project};
use crate::diagnostics::Attempted as _;
use crate::provider::Client;

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
        let client = operation.client();
        let claim = claim(client, &planned).await?;
        let project = config_repository::ensure(client, &claim.group, claim.is_new).await?;
        // The last step takes the mark off.
        let group = write_group(client, &claim.group, &planned).await?;
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
        let Some(group) = read_group(client, id.number()).await? else {
            client.products().note_gone(id);
            return Ok(None);
        };
        let project = match state.config_project_id() {
            Some(project) => read_config_project(client, &group, project).await?,
            None => config_repository::find(client, &group).await?,
        };
        client.products().remember(client, &group, project.as_ref());
        state.absorb(&group, project.as_ref());
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
        let Some(group) = read_group(&client, id.number()).await? else {
            let text = format!(
                "The GitLab group of {id} does not exist any more. Plan again to create the product anew."
            );
            return Err(Diagnostic::error("The product is gone", text).into());
        };
        if let Some(parent) = client.parent_group().await? {
            super::claim::check_visibility(&planned, parent)?;
        }
        let group = write_group(&client, &group, &planned).await?;
        let existing = match prior.config_project_id() {
            Some(project) => read_config_project(&client, &group, project).await?,
            None => None,
        };
        prior.absorb(&group, existing.as_ref());
        operation.record(&prior);
        let project = match existing {
            Some(project) => project,
            None => config_repository::ensure(&client, &group, false).await?,
        };
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
        if state.force_destroy != Some(true) {
            let config_project = config_repository::find(&client, &group).await?;
            let work = Work::find(&client, id, config_project.map(|project| project.id)).await?;
            work.check(&state.name)?;
        }
        let gitlab = client.gitlab()?;
        let attempt = format!("delete the GitLab group {}", group.full_path);
        match gitlab.delete_group(group.id).await {
            Ok(()) => {}
            Err(error) if error.is_not_found() || *error.kind() == Kind::AlreadyMarked => {}
            Err(error) => return Err(error).attempted(attempt),
        }
        client.products().note_gone(id);
        if state.permanently_remove == Some(true) {
            remove_now(operation, &client, &group).await?;
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
        if state.permanently_remove == Some(true) && client.settings().gitlab.parent_group.is_none()
        {
            operation.warn(
                format!("The product {} is not removed at once", state.name),
                "GitLab's API removes top-level groups after the recovery period alone. The group is marked for deletion and renamed, so that its path is free; an administrator can remove it in GitLab at once.",
            );
        }
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
        Ok(Some(ProductModel::of(&group, project.as_ref())))
    }
}

fn product_id(state: &ProductModel) -> Result<ProductId, Diagnostics> {
    let id = state.id.expect_known("id")?;
    id.parse()
        .map_err(|error| Diagnostic::defect(error).at(&Path::to("id")).into())
}

/// Reads a group; `None` if it is gone, which a 404 alone does not prove.
pub(super) async fn read_group(
    client: &Client,
    group: impl Into<NameOrId<'_>>,
) -> Result<Option<Group>, Diagnostics> {
    let group = group.into();
    let attempt = format!("read the GitLab group {group}");
    let gitlab = client.gitlab()?;
    match gitlab.group(group).await {
        Ok(group) if group.is_marked_for_deletion() => Ok(None),
        Ok(group) => Ok(Some(group)),
        Err(error) if error.is_not_found() => {
            let parent = client.parent_group().await?.map(|parent| parent.id);
            gitlab.confirm_gone(parent).await.attempted(attempt)?;
            Ok(None)
        }
        Err(error) => Err(error).attempted(attempt),
    }
}

async fn read_config_project(
    client: &Client,
    group: &Group,
    project: u64,
) -> Result<Option<Project>, Diagnostics> {
    match client.gitlab()?.project(project).await {
        Ok(project) if project.is_marked_for_deletion() || project.namespace.id != group.id => {
            config_repository::find(client, group).await
        }
        Ok(project) => Ok(Some(project)),
        Err(error) if error.is_not_found() => config_repository::find(client, group).await,
        Err(error) => Err(error).attempted(format!("read the configuration repository {project}")),
    }
}

/// Brings a group to what is planned, without a call if it is so already.
async fn write_group(
    client: &Client,
    group: &Group,
    planned: &ProductModel,
) -> Result<Group, Diagnostics> {
    let changed = |wanted: &str, is: &str| (wanted != is).then(|| wanted.to_owned());
    let display_name = planned.display_name.known().unwrap_or(&group.name);
    let description = group.description.as_deref().unwrap_or_default();
    let wanted_description = match &planned.description {
        Known(wanted) => wanted.as_str(),
        Tf::Null | Tf::Unknown => unfinished::without_mark(description),
    };
    let change = GroupChange {
        name: changed(display_name, &group.name),
        path: changed(&planned.name, &group.path),
        description: changed(wanted_description, description),
        visibility: (planned.wanted_visibility() != group.visibility)
            .then(|| planned.wanted_visibility()),
    };
    if change.is_empty() {
        return Ok(group.clone());
    }
    let path = client.product_path(&planned.name);
    client
        .gitlab()?
        .edit_group(group.id, &change)
        .await
        .map_err(|error| refused("update", &path, &error))
}

/// Skips the recovery period of a group that is marked for deletion, as far as GitLab permits.
async fn remove_now(
    operation: &mut Operation<Client>,
    client: &Client,
    group: &Group,
) -> Result<(), Diagnostics> {
    if group.parent_id.is_none() {
        return Ok(());
    }
    let gitlab = client.gitlab()?;
    let marked = match gitlab.group(group.id).await {
        Ok(marked) => marked,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error).attempted(format!("read the GitLab group {}", group.id)),
    };
    match gitlab.remove_group(group.id, &marked.full_path).await {
        Ok(()) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) if *error.kind() == Kind::Invalid => {
            let until = marked.marked_for_deletion_on.unwrap_or_default();
            operation.warn(
                format!("The GitLab group {} is not removed at once", marked.full_path),
                format!("This GitLab does not permit it. The group was marked for deletion on {until} and goes when the recovery period is over."),
            );
            Ok(())
        }
        Err(error) => Err(error).attempted(format!("remove the GitLab group {}", marked.full_path)),
    }
}
